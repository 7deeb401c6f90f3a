#include "unit.h"

#include "auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* {"alg":"HS256"}, {"sub":"ann","exp":4102444800}, and their signature by the secret. */
#define TOKEN                                                                                      \
	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDB9."                           \
	"pYLz7ZzBYMIejdxASPg_PTkTG4ETkpgOqYJprnBGuGI"

#define NOW 1000000

static char secret[] = "a secret of thirty-two bytes, or more";
static char publish_secret[] = "a-key-to-publish-with-of-some-length";
static char sub[] = "sub", cookie[] = "session", bot[] = "bot";
static struct config_auth_key key = {.algorithm = CONFIG_AUTH_HS256, .secret = secret};
static struct config_publish_key publish_key = {.name = bot, .secret = publish_secret};
static const struct config_auth settings = {
	.keys = &key,
	.n_keys = 1,
	.name_claim = sub,
	.cookie = cookie,
	.publish_keys = &publish_key,
	.n_publish_keys = 1,
};

static struct auth *create(const struct config_auth *auth_settings)
{
	struct auth *auth;

	assert_int_equal(auth_create(&auth, auth_settings), 0);
	return auth;
}

static const char *identify(struct auth *auth, const char *authorization, const char *cookies,
			    const char *ticket)
{
	const struct auth_credentials credentials = {authorization, cookies, ticket};
	const struct identity *identity;
	const char *reason = auth_admit(auth, &credentials, NOW, &identity);

	if (reason)
		assert_null(identity);
	else
		assert_string_equal(identity->name, "ann");
	identity_unref(identity);
	return reason ? reason : "good";
}

static void credentials(void **state)
{
	static const struct {
		const char *authorization, *cookies, *expected;
	} inputs[] = {
		{NULL, NULL, "token_missing"},
		{"", "", "token_missing"},
		{"Bearer " TOKEN, NULL, "good"},
		{"bearer  " TOKEN, NULL, "good"},
		{"Bearer", NULL, "token_missing"},
		{"Bearer ", NULL, "token_malformed"},
		{"Basic " TOKEN, NULL, "token_missing"},
		{"Bearer x.y.z", NULL, "token_malformed"},
		{"Bearer " TOKEN "x", "session=" TOKEN, "token_signature"},
		{NULL, "session=" TOKEN, "good"},
		{NULL, "session=\"" TOKEN "\"", "good"},
		{NULL, "a=b; session=" TOKEN "; c=d", "good"},
		{NULL, "a=b;session=" TOKEN " ", "good"},
		{NULL, "Session=" TOKEN, "token_missing"},
		{NULL, "xsession=" TOKEN, "token_missing"},
		{NULL, "session", "token_missing"},
		{NULL, "session=", "token_malformed"},
		{NULL, "session=\"", "token_malformed"},
		{NULL, ";;; ;", "token_missing"},
	};
	struct auth *auth = create(&settings);

	for (size_t i = 0; i < LENGTH(inputs); i++) {
		const char *found =
			identify(auth, inputs[i].authorization, inputs[i].cookies, NULL);

		if (strcmp(found, inputs[i].expected))
			fail_msg("%zu: expected %s, found %s", i, inputs[i].expected, found);
	}
	auth_destroy(auth);
}

static void tickets(void **state)
{
	struct auth *auth = create(&settings);
	const struct auth_credentials token = {.authorization = "Bearer " TOKEN};
	struct auth_credentials with_ticket = {0};
	struct identity ann, nobody;
	char ticket[TICKET_SIZE];

	assert_null(auth_identify(auth, &token, NOW, &ann));
	assert_int_equal(auth_issue_ticket(auth, &ann, ticket), 0);
	assert_string_equal(identify(auth, "Bearer x", NULL, ticket), "token_malformed");
	/* Which is for connections. */
	with_ticket.ticket = ticket;
	assert_string_equal(auth_identify(auth, &with_ticket, NOW, &nobody), "token_missing");
	assert_string_equal(identify(auth, NULL, NULL, ticket), "good");
	assert_string_equal(identify(auth, NULL, NULL, ticket), "ticket");
	identity_finish(&ann);
	auth_destroy(auth);
}

static void publishers(void **state)
{
	struct auth *auth = create(&settings);

	assert_true(auth_has_publish_keys(auth));
	assert_string_equal(
		auth_publisher(auth, "Bearer a-key-to-publish-with-of-some-length")->name, "bot");
	assert_null(auth_publisher(auth, "Bearer a-key-to-publish-with-of-some-lengt"));
	assert_null(auth_publisher(auth, "Bearer a-key-to-publish-with-of-some-lengthx"));
	assert_null(auth_publisher(auth, "Bearer a-key-to-publish-with-of-some-lengtha-key-to-"
					 "publish-with-of-some-length"));
	assert_null(auth_publisher(auth, "Bearer "));
	assert_null(auth_publisher(auth, NULL));
	auth_destroy(auth);
}

static void without_settings(void **state)
{
	struct auth *auth = create(NULL);

	assert_false(auth_is_needed(auth));
	assert_false(auth_has_publish_keys(auth));
	assert_null(auth_publisher(auth, "Bearer a-key-to-publish-with-of-some-length"));
	assert_string_equal(identify(auth, "Bearer " TOKEN, NULL, NULL), "token_missing");
	auth_destroy(auth);
	auth_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials),
		cmocka_unit_test(tickets),
		cmocka_unit_test(publishers),
		cmocka_unit_test(without_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
