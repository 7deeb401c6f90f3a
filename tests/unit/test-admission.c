#include "unit.h"

#include "admission/admission.h"

#include <string.h>

static const struct quota roomy = {.max = 1};

static char username[] = "username";
static char token[] = "token";
static char *two_parameters[] = {username, token};

static char here[] = "https://here.example";
static char there[] = "https://there.example";
static char *two_origins[] = {here, there};

static char x_key[] = "x-key";
static char secret[] = "secret";

/* The query parameter or header of that name, with a literal for its value. */
#define FIELD(key, text)                                                                           \
	{                                                                                          \
		.name = (key), .value = (text), .size = sizeof(text) - 1                           \
	}

static void assert_refused(const struct admission_request *request,
			   const struct config_admission *settings, int status, const char *reason)
{
	const char *why = NULL;

	assert_int_equal(admission_decide(request, settings, &why), status);
	assert_string_equal(why, reason);
}

static void assert_admitted(const struct admission_request *request,
			    const struct config_admission *settings)
{
	const char *why = "untouched";

	assert_int_equal(admission_decide(request, settings, &why), 0);
	assert_string_equal(why, "untouched");
}

static void nothing_asked_nothing_needed(void **state)
{
	const struct config_admission none = {0};
	const struct admission_request request = {.connections = &roomy};

	assert_admitted(&request, NULL);
	assert_admitted(&request, &none);
}

static void connection_limit(void **state)
{
	struct quota quota = {.max = 1};
	const struct admission_request request = {.connections = &quota};

	assert_admitted(&request, NULL);
	quota_charge(&quota);
	assert_refused(&request, NULL, 503, "connections");
}

static void required_query(void **state)
{
	static const struct {
		struct admission_field fields[3];
		size_t n;
		int status;
	} rows[] = {
		{{FIELD("username", "ann"), FIELD("token", "1")}, 2, 0},
		{{FIELD("other", "x"), FIELD("token", "1"), FIELD("username", "ann")}, 3, 0},
		{{FIELD("username", "ann")}, 1, 403},
		{{FIELD("username", "ann"), FIELD("token", "")}, 2, 403},
		{{FIELD("username", "ann"), FIELD("Token", "1")}, 2, 403},
		/* The first of that name counts, as for whoever reads it later. */
		{{FIELD("username", "ann"), FIELD("token", ""), FIELD("token", "1")}, 3, 403},
		{{{0}}, 0, 403},
	};
	const struct config_admission settings = {.require_query = two_parameters,
						  .n_require_query = 2};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct admission_request request = {
			.connections = &roomy, .query = rows[i].fields, .n_query = rows[i].n};

		if (rows[i].status)
			assert_refused(&request, &settings, rows[i].status, "query");
		else
			assert_admitted(&request, &settings);
	}
}

static void origins(void **state)
{
	static const struct {
		const char *origin;
		int status;
	} rows[] = {
		{"https://here.example", 0},
		{"https://there.example", 0},
		{"HTTPS://Here.Example", 0},
		{"https://here.example.evil", 403},
		{"https://here.exampl", 403},
		{"http://here.example", 403},
		{"null", 403},
		{"", 403},
		{NULL, 403},
	};
	const struct config_admission settings = {.origins = two_origins, .n_origins = 2};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct admission_request request = {.connections = &roomy,
							  .origin = rows[i].origin};

		if (rows[i].status)
			assert_refused(&request, &settings, rows[i].status, "origin");
		else
			assert_admitted(&request, &settings);
	}
}

static void the_same_origin_without_a_list(void **state)
{
	static const struct {
		const char *origin, *host;
		bool secure;
		int status;
	} rows[] = {
		{NULL, "here.example", false, 0},
		{"http://here.example", "here.example", false, 0},
		{"https://here.example", "here.example", true, 0},
		{"http://here.example", "here.example", true, 403},
		{"https://anywhere.example", "here.example", true, 403},
		{"null", "here.example", false, 403},
		{"*", "here.example", false, 403},
		{"http://here.example", NULL, false, 403},
	};
	const struct config_admission empty = {0};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct admission_request request = {.connections = &roomy,
							  .origin = rows[i].origin,
							  .host = rows[i].host,
							  .secure = rows[i].secure};

		if (rows[i].status) {
			assert_refused(&request, &empty, rows[i].status, "origin");
			assert_refused(&request, NULL, rows[i].status, "origin");
		} else {
			assert_admitted(&request, &empty);
			assert_admitted(&request, NULL);
		}
	}
}

static void any_origin(void **state)
{
	static const char *const rows[] = {"https://anywhere.example", "null", "", NULL};
	static char star[] = "*", *list[] = {here, star};
	const struct config_admission settings = {.origins = list, .n_origins = 2};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct admission_request request = {
			.connections = &roomy, .origin = rows[i], .host = "here.example"};

		assert_admitted(&request, &settings);
	}
}

static void header_must_be_there(void **state)
{
	struct config_header wanted = {.name = x_key};
	const struct config_admission settings = {.require_headers = &wanted,
						  .n_require_headers = 1};
	const struct admission_field there_empty[] = {FIELD("x-key", "")};
	const struct admission_field other[] = {FIELD("x-other", "secret")};
	struct admission_request request = {.connections = &roomy};

	assert_refused(&request, &settings, 403, "header");
	request.headers = other;
	request.n_headers = 1;
	assert_refused(&request, &settings, 403, "header");
	request.headers = there_empty;
	assert_admitted(&request, &settings);
}

static void header_must_have_the_value(void **state)
{
	static const struct {
		struct admission_field field;
		int status;
	} rows[] = {
		{FIELD("x-key", "secret"), 0},	   {FIELD("x-key", "Secret"), 403},
		{FIELD("x-key", "secre"), 403},	   {FIELD("x-key", "secrets"), 403},
		{FIELD("x-key", ""), 403},	   {FIELD("x-key", "secretsecret"), 403},
		{FIELD("x-key", "secret\0"), 403}, {FIELD("x-other", "secret"), 403},
	};
	struct config_header wanted = {.name = x_key, .value = secret};
	const struct config_admission settings = {.require_headers = &wanted,
						  .n_require_headers = 1};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct admission_request request = {
			.connections = &roomy, .headers = &rows[i].field, .n_headers = 1};

		if (rows[i].status)
			assert_refused(&request, &settings, rows[i].status, "header");
		else
			assert_admitted(&request, &settings);
	}
}

static void names(void **state)
{
	static const struct {
		struct admission_field field;
		int status;
	} rows[] = {
		{FIELD("username", "ann"), 0},
		{FIELD("room", "lobby"), 0},
		{FIELD("room", "\xe2\x82\xac"), 0},
		{FIELD("anything", "\xff"), 0},
		{FIELD("username", ""), 403},
		{FIELD("room", ""), 403},
		{FIELD("username", "__server"), 403},
		{FIELD("room", "__server"), 403},
		{FIELD("username", "a\0b"), 403},
		{FIELD("username", "a\nb"), 403},
		{FIELD("username", "\xc0\xaf"), 403},
		{FIELD("room", "\xe2\x80\xa8"), 403},
		{FIELD("username",
		       "0123456789012345678901234567890123456789012345678901234567890123"),
		 0},
		{FIELD("username",
		       "01234567890123456789012345678901234567890123456789012345678901234"),
		 403},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct admission_request request = {
			.connections = &roomy, .query = &rows[i].field, .n_query = 1};

		if (rows[i].status)
			assert_refused(&request, NULL, rows[i].status, "name");
		else
			assert_admitted(&request, NULL);
	}
}

/* Whatever the config says: what the endpoint can't do without isn't a setting. */
static void endpoint_that_needs_a_username(void **state)
{
	const struct config_admission settings = {0};
	const struct admission_field ann = FIELD("username", "ann");
	struct admission_request request = {.connections = &roomy, .needs_username = true};

	assert_refused(&request, NULL, 403, "name");
	assert_refused(&request, &settings, 403, "name");
	request.query = &ann;
	request.n_query = 1;
	assert_admitted(&request, NULL);
}

/* One request that breaks every rule: as each is met, the next one decides. */
static void bans_of_a_room(void **state)
{
	struct admission_field name = FIELD("username", "cy");
	struct admission_request request = {.query = &name,
					    .n_query = 1,
					    .connections = &roomy,
					    .room = "den",
					    .address = "192.0.2.1",
					    .time = 1000};
	struct ban ban = {BAN_ENTRY, BAN_NAME, "den", "cy", 1001};

	assert_int_equal(bans_create(&request.bans, 10), 0);
	assert_admitted(&request, NULL);
	assert_int_equal(bans_set(request.bans, &ban, 1000), 0);
	assert_refused(&request, NULL, 403, "ban");
	request.room = "lobby";
	assert_admitted(&request, NULL);
	request.room = NULL;
	assert_admitted(&request, NULL);
	request.room = "den";
	request.time = 1001;
	assert_admitted(&request, NULL);
	ban = (struct ban){BAN_SPEECH, BAN_NAME, "den", "cy", 2000};
	assert_int_equal(bans_set(request.bans, &ban, 1001), 0);
	assert_admitted(&request, NULL);
	ban = (struct ban){BAN_ENTRY, BAN_ADDRESS, "den", "192.0.2.1", 2000};
	assert_int_equal(bans_set(request.bans, &ban, 1001), 0);
	assert_refused(&request, NULL, 403, "ban");
	request.address = NULL;
	assert_admitted(&request, NULL);
	bans_destroy(request.bans);
}

static void number_of_rooms(void **state)
{
	const struct admission_request request = {.connections = &roomy, .no_more_rooms = true};

	assert_refused(&request, NULL, 503, "rooms");
}

static void how_much_of_the_past(void **state)
{
	static const char *const good[] = {"0", "1000", "99999999999999999999999"};
	static const char *const bad[] = {"", "-1", "+1", "x", "1x", " 1", "1.0"};
	struct admission_field field = {.name = "history"};
	struct admission_request request = {
		.connections = &roomy, .query = &field, .n_query = 1, .room = "den"};

	for (size_t i = 0; i < LENGTH(good); i++) {
		field.value = good[i];
		field.size = strlen(good[i]);
		assert_admitted(&request, NULL);
	}
	for (size_t i = 0; i < LENGTH(bad); i++) {
		field.value = bad[i];
		field.size = strlen(bad[i]);
		assert_refused(&request, NULL, 400, "past");
	}
	request.room = NULL; /* an endpoint that has none may mean something else */
	assert_admitted(&request, NULL);
}

static void joins_of_an_address(void **state)
{
	const struct config config = {.limits.joins_per_minute = 2};
	struct admission_request request = {
		.connections = &roomy, .room = "den", .address = "192.0.2.1"};

	assert_int_equal(limiter_create(&request.limiter, &config), 0);
	assert_admitted(&request, NULL);
	assert_admitted(&request, NULL);
	assert_refused(&request, NULL, 429, "joins");
	request.address = "192.0.2.2";
	assert_admitted(&request, NULL);
	request.address = "192.0.2.1";
	request.now = 30 * (uint64_t)1000000000;
	assert_admitted(&request, NULL);
	assert_refused(&request, NULL, 429, "joins");
	request.room = NULL;
	assert_admitted(&request, NULL);
	request.room = "den";
	request.address = NULL;
	assert_admitted(&request, NULL);
	limiter_destroy(request.limiter);
}

static void first_rule_that_objects_decides(void **state)
{
	struct quota full = {.max = 1, .used = 1};
	struct config_header wanted = {.name = x_key, .value = secret};
	const struct config_admission settings = {
		.require_query = two_parameters,
		.n_require_query = 2,
		.origins = two_origins,
		.n_origins = 2,
		.require_headers = &wanted,
		.n_require_headers = 1,
	};
	const struct admission_field bad_name[] = {FIELD("username", "__server"),
						   FIELD("token", "1")};
	const struct admission_field good_name[] = {FIELD("username", "ann"), FIELD("token", "1")};
	const struct admission_field header = FIELD("x-key", "secret");
	struct admission_request request = {.connections = &full};

	assert_refused(&request, &settings, 503, "connections");
	request.connections = &roomy;
	assert_refused(&request, &settings, 403, "origin");
	request.origin = here;
	assert_refused(&request, &settings, 403, "query");
	request.query = bad_name;
	request.n_query = 2;
	assert_refused(&request, &settings, 403, "name");
	request.query = good_name;
	assert_refused(&request, &settings, 403, "header");
	request.headers = &header;
	request.n_headers = 1;
	assert_admitted(&request, &settings);
}

static void finds_the_first_query_parameter(void **state)
{
	const struct admission_field fields[] = {FIELD("a", "1"), FIELD("b", "2"), FIELD("b", "3")};
	const struct admission_request request = {.query = fields, .n_query = 3};

	assert_ptr_equal(admission_query(&request, "b"), &fields[1]);
	assert_null(admission_query(&request, "c"));
	assert_null(admission_query(&request, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_asked_nothing_needed),
		cmocka_unit_test(connection_limit),
		cmocka_unit_test(required_query),
		cmocka_unit_test(origins),
		cmocka_unit_test(the_same_origin_without_a_list),
		cmocka_unit_test(any_origin),
		cmocka_unit_test(header_must_be_there),
		cmocka_unit_test(header_must_have_the_value),
		cmocka_unit_test(names),
		cmocka_unit_test(endpoint_that_needs_a_username),
		cmocka_unit_test(bans_of_a_room),
		cmocka_unit_test(number_of_rooms),
		cmocka_unit_test(how_much_of_the_past),
		cmocka_unit_test(joins_of_an_address),
		cmocka_unit_test(first_rule_that_objects_decides),
		cmocka_unit_test(finds_the_first_query_parameter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
