#include "unit.h"

#include "config.h"
#include "cors.h"

#include <stdlib.h>
#include <string.h>

static char shop[] = "https://shop.example", nowhere[] = "null", all[] = "*";
static char *some[] = {shop, nowhere};
static char *any[] = {shop, all};

static const struct config_admission listed = {.origins = some, .n_origins = 2};
static const struct config_admission open = {.origins = any, .n_origins = 2};
static const struct config_admission empty = {0};

static void judges(void **state)
{
	static const struct {
		const struct config_admission *settings;
		const char *origin;
		enum cors page;
		bool allows, allows_cookies;
	} rows[] = {
		{&listed, NULL, CORS_NO_PAGE, false, true},
		{&listed, "https://shop.example", CORS_LISTED, true, true},
		{&listed, "https://shop.example.evil", CORS_FOREIGN, false, false},
		{&listed, "http://shop.example", CORS_FOREIGN, false, false},
		{&listed, "http://here.example", CORS_SAME, false, true},
		{&listed, "null", CORS_LISTED, true, true},
		{&open, "https://shop.example", CORS_LISTED, true, true},
		{&open, "https://evil.example", CORS_ANY, true, false},
		{&open, "null", CORS_ANY, true, false},
		{&open, "*", CORS_ANY, true, false},
		{&open, "http://here.example", CORS_SAME, false, true},
		{&empty, "https://shop.example", CORS_FOREIGN, false, false},
		{NULL, "https://shop.example", CORS_FOREIGN, false, false},
		{NULL, "null", CORS_FOREIGN, false, false},
		{NULL, "http://here.example", CORS_SAME, false, true},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		enum cors page =
			cors_judge(rows[i].settings, rows[i].origin, "here.example", false);

		if (page != rows[i].page || cors_allows(page) != rows[i].allows ||
		    cors_allows_cookies(page) != rows[i].allows_cookies)
			fail_msg("row %zu: %d", i, page);
	}
}

static void too_long(void **state)
{
	char origin[CORS_ORIGIN_MAX + 2];

	memset(origin, 'a', sizeof(origin) - 1);
	origin[sizeof(origin) - 1] = '\0';
	assert_int_equal(cors_judge(&open, origin, NULL, false), CORS_FOREIGN);
	assert_int_equal(cors_judge(&open, origin + 1, NULL, false), CORS_ANY);
}

static void lines(void **state)
{
	char out[CORS_LINES_SIZE];

	cors_format(out, CORS_LISTED, "https://shop.example");
	assert_string_equal(out,
			    "Vary: Origin\r\n"
			    "Access-Control-Allow-Origin: https://shop.example\r\n"
			    "Access-Control-Allow-Credentials: true\r\n"
			    "Access-Control-Expose-Headers: Link, ETag, Location, Retry-After\r\n");
	cors_format(out, CORS_ANY, "null");
	assert_string_equal(out,
			    "Vary: Origin\r\nAccess-Control-Allow-Origin: null\r\n"
			    "Access-Control-Expose-Headers: Link, ETag, Location, Retry-After\r\n");
	cors_format(out, CORS_NO_PAGE, NULL);
	assert_string_equal(out, "Vary: Origin\r\n");
	cors_format(out, CORS_SAME, "http://here.example");
	assert_string_equal(out, "Vary: Origin\r\n");
	cors_format_preflight(out, CORS_FOREIGN, "https://evil.example");
	assert_string_equal(out, "Vary: Origin\r\n");
	cors_format_preflight(out, CORS_ANY, "https://a.example");
	assert_string_equal(out,
			    "Vary: Origin\r\nAccess-Control-Allow-Origin: https://a.example\r\n"
			    "Access-Control-Allow-Methods: GET, HEAD, POST, DELETE\r\n"
			    "Access-Control-Allow-Headers: Authorization, Content-Type, "
			    "Last-Event-ID, If-None-Match\r\n"
			    "Access-Control-Max-Age: 7200\r\n");
}

static void longest_lines_fit(void **state)
{
	char origin[CORS_ORIGIN_MAX + 1], out[CORS_LINES_SIZE];

	memset(origin, 'a', CORS_ORIGIN_MAX);
	origin[CORS_ORIGIN_MAX] = '\0';
	cors_format_preflight(out, CORS_LISTED, origin);
	assert_non_null(strstr(out, "Access-Control-Max-Age: 7200\r\n"));
}

static void assert_ancestors(const struct config_admission *settings, const char *expected)
{
	char *text = cors_frame_ancestors(settings);

	assert_string_equal(text, expected);
	free(text);
}

static void frames(void **state)
{
	assert_ancestors(NULL, "'none'");
	assert_ancestors(&empty, "'none'");
	assert_ancestors(&open, "*");
	assert_ancestors(&listed, "'self' https://shop.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges), cmocka_unit_test(too_long),
		cmocka_unit_test(lines),  cmocka_unit_test(longest_lines_fit),
		cmocka_unit_test(frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
