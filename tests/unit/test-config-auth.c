#include "unit.h"

#include "config.h"
#include "identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "0123456789abcdef0123456789abcdef"
#define KEY "{\"algorithm\": \"HS256\", \"secret\": \"" SECRET "\"}"

static int parse(struct config *config, const char *text, struct config_error *error)
{
	*error = (struct config_error){0};
	assert_int_equal(config_init(config), 0);
	return config_parse(config, "test.json", text, strlen(text), error);
}

static void parse_good(struct config *config, const char *text)
{
	struct config_error error;

	if (parse(config, text, &error) < 0)
		fail_msg("%s", error.text);
}

static void without_it_there_is_none(void **state)
{
	struct config config;

	parse_good(&config, "{}");
	assert_null(config.auth);
	config_finish(&config);
}

static void with_everything(void **state)
{
	struct config config;
	const struct config_auth *auth;

	parse_good(&config,
		   "{\"auth\": {\"keys\": ["
		   "  {\"id\": \"k1\", \"algorithm\": \"HS256\", \"secret\": \"" SECRET "\"},"
		   "  {\"id\": \"k2\", \"algorithm\": \"ES256\", \"public_key\": \"e.pem\"},"
		   "  {\"algorithm\": \"RS256\", \"public_key\": \"r.pem\"}],"
		   " \"issuer\": \"i\", \"audience\": \"a\", \"name_claim\": \"n\","
		   " \"cookie\": \"session\", \"leeway_seconds\": 0,"
		   " \"publish_keys\": [{\"name\": \"bot\", \"secret\": \"" SECRET "+/-._~==\","
		   " \"rights\": [\"moderate\", \"read\"]}, {\"name\": \"b\", \"secret\": \"" SECRET
		   "\"}]}}");
	auth = config.auth;
	assert_int_equal(auth->n_keys, 3);
	assert_string_equal(auth->keys[0].id, "k1");
	assert_int_equal(auth->keys[0].algorithm, CONFIG_AUTH_HS256);
	assert_string_equal(auth->keys[0].secret, SECRET);
	assert_null(auth->keys[0].public_key);
	assert_int_equal(auth->keys[1].algorithm, CONFIG_AUTH_ES256);
	assert_string_equal(auth->keys[1].public_key, "e.pem");
	assert_int_equal(auth->keys[2].algorithm, CONFIG_AUTH_RS256);
	assert_null(auth->keys[2].id);
	assert_string_equal(auth->issuer, "i");
	assert_string_equal(auth->audience, "a");
	assert_string_equal(auth->name_claim, "n");
	assert_string_equal(auth->cookie, "session");
	assert_int_equal(auth->leeway_seconds, 0);
	assert_int_equal(auth->n_publish_keys, 2);
	assert_string_equal(auth->publish_keys[0].name, "bot");
	assert_string_equal(auth->publish_keys[0].secret, SECRET "+/-._~==");
	assert_int_equal(auth->publish_keys[0].rights, RIGHT_READ | RIGHT_MODERATE);
	assert_int_equal(auth->publish_keys[1].rights, RIGHT_READ | RIGHT_WRITE);
	config_finish(&config);
}

static void defaults(void **state)
{
	struct config config;

	parse_good(&config, "{\"auth\": {\"keys\": [" KEY "]}}");
	assert_null(config.auth->issuer);
	assert_null(config.auth->audience);
	assert_null(config.auth->cookie);
	assert_string_equal(config.auth->name_claim, "sub");
	assert_int_equal(config.auth->leeway_seconds, 30);
	assert_int_equal(config.auth->n_publish_keys, 0);
	config_finish(&config);
}

static void a_later_one_replaces_it(void **state)
{
	struct config config;
	struct config_error error;
	static const char later[] = "{\"auth\": {\"publish_keys\": [{\"name\": \"bot\","
				    " \"secret\": \"" SECRET "\"}]}}";

	parse_good(&config, "{\"auth\": {\"issuer\": \"i\", \"keys\": [" KEY "]}}");
	assert_int_equal(config_parse(&config, "test.json", later, sizeof(later) - 1, &error), 0);
	assert_int_equal(config.auth->n_keys, 0);
	assert_null(config.auth->issuer);
	config_finish(&config);
}

#define NOT_A_STRING "expected a string that is not empty"
#define NOT_A_SECRET "expected a string of at least 32 bytes"
#define NOT_AN_ARRAY "expected an array with at least one entry"
#define NOT_A_LEEWAY "expected a whole number from 0 to 3600"
#define KEYS(key) "{\"auth\": {\"keys\": [" key "]}}"
#define WITH(more) "{\"auth\": {\"keys\": [" KEY "], " more "}}"

static const struct {
	const char *text;
	const char *error; /* behind "test.json: " */
} wrong[] = {
	{"{\"auth\": null}", "auth: found null, expected an object"},
	{"{\"auth\": []}", "auth: found an array, expected an object"},
	{"{\"auth\": {}}", "auth: expected keys, publish_keys or both"},
	{"{\"auth\": {\"issuer\": \"x\"}}", "auth: expected keys, publish_keys or both"},
	{WITH("\"key\": 1"),
	 "auth.key: unknown key, expected one of keys, issuer, audience, name_claim, cookie, "
	 "leeway_seconds, publish_keys"},
	{WITH("\"issuer\": 5"), "auth.issuer: found 5 (a number), " NOT_A_STRING},
	{WITH("\"audience\": []"), "auth.audience: found an array, " NOT_A_STRING},
	{WITH("\"name_claim\": \"\""), "auth.name_claim: found \"\" (a string), " NOT_A_STRING},
	{WITH("\"cookie\": true"), "auth.cookie: found true (a boolean), " NOT_A_STRING},
	{WITH("\"cookie\": \"a b\""),
	 "auth.cookie: found \"a b\" (a string), expected the name of a cookie: letters, digits, - "
	 "and _"},
	{WITH("\"cookie\": \"a=\""),
	 "auth.cookie: found \"a=\" (a string), expected the name of a cookie: letters, digits, - "
	 "and _"},
	{WITH("\"leeway_seconds\": -1"), "auth.leeway_seconds: found -1 (a number), " NOT_A_LEEWAY},
	{WITH("\"leeway_seconds\": 3601"),
	 "auth.leeway_seconds: found 3601 (a number), " NOT_A_LEEWAY},
	{WITH("\"leeway_seconds\": \"1\""),
	 "auth.leeway_seconds: found \"1\" (a string), " NOT_A_LEEWAY},

	{"{\"auth\": {\"keys\": {}}}", "auth.keys: found an object, " NOT_AN_ARRAY},
	{KEYS(""), "auth.keys: found an array, " NOT_AN_ARRAY},
	{KEYS("\"x\""), "auth.keys[0]: found \"x\" (a string), expected an object"},
	{KEYS("{}"), "auth.keys[0]: expected an algorithm"},
	{KEYS("{\"kid\": \"x\"}"),
	 "auth.keys[0].kid: unknown key, expected one of id, algorithm, secret, public_key"},
	{KEYS("{\"id\": \"\"}"), "auth.keys[0].id: found \"\" (a string), " NOT_A_STRING},
	{KEYS("{\"secret\": \"" SECRET "\"}"), "auth.keys[0]: expected an algorithm"},
	{KEYS("{\"algorithm\": \"none\"}"),
	 "auth.keys[0].algorithm: found \"none\" (a string), expected one of \"HS256\", \"ES256\", "
	 "\"RS256\""},
	{KEYS("{\"algorithm\": 256}"),
	 "auth.keys[0].algorithm: found 256 (a number), expected one of \"HS256\", \"ES256\", "
	 "\"RS256\""},
	{KEYS(KEY ", {\"algorithm\": \"HS256\"}"),
	 "auth.keys[1]: expected a secret and no public_key, as HS256 has it"},
	{KEYS("{\"algorithm\": \"HS256\", \"public_key\": \"x\"}"),
	 "auth.keys[0]: expected a secret and no public_key, as HS256 has it"},
	{KEYS("{\"algorithm\": \"HS256\", \"public_key\": \"x\", \"secret\": \"" SECRET "\"}"),
	 "auth.keys[0]: expected a secret and no public_key, as HS256 has it"},
	{KEYS("{\"algorithm\": \"ES256\"}"),
	 "auth.keys[0]: expected a public_key and no secret, as ES256 has it"},
	{KEYS("{\"algorithm\": \"RS256\", \"secret\": \"" SECRET "\"}"),
	 "auth.keys[0]: expected a public_key and no secret, as RS256 has it"},
	{KEYS("{\"algorithm\": \"RS256\", \"public_key\": \"x\", \"secret\": \"" SECRET "\"}"),
	 "auth.keys[0]: expected a public_key and no secret, as RS256 has it"},
	{KEYS("{\"algorithm\": \"RS256\", \"public_key\": 1}"),
	 "auth.keys[0].public_key: found 1 (a number), " NOT_A_STRING},
	/* What was found may be a secret with a slip in it, so it isn't shown. */
	{KEYS("{\"algorithm\": \"HS256\", \"secret\": \"0123456789abcdef0123456789abcde\"}"),
	 "auth.keys[0].secret: " NOT_A_SECRET},
	{KEYS("{\"algorithm\": \"HS256\", \"secret\": \"" SECRET "\\u0000\"}"),
	 "auth.keys[0].secret: " NOT_A_SECRET},
	{KEYS("{\"algorithm\": \"HS256\", \"secret\": 12345678901234567}"),
	 "auth.keys[0].secret: " NOT_A_SECRET},
	{KEYS("{\"algorithm\": \"HS256\", \"secret\": null}"),
	 "auth.keys[0].secret: " NOT_A_SECRET},
	{KEYS("{\"id\": \"a\", \"algorithm\": \"HS256\", \"secret\": \"" SECRET "\"},"
	      "{\"id\": \"a\", \"algorithm\": \"ES256\", \"public_key\": \"x\"}"),
	 "auth.keys[1]: found an id that another key has, expected its own"},

	{WITH("\"publish_keys\": {}"), "auth.publish_keys: found an object, " NOT_AN_ARRAY},
	{WITH("\"publish_keys\": []"), "auth.publish_keys: found an array, " NOT_AN_ARRAY},
	{WITH("\"publish_keys\": [7]"),
	 "auth.publish_keys[0]: found 7 (a number), expected an object"},
	{WITH("\"publish_keys\": [{}]"), "auth.publish_keys[0]: expected both a name and a secret"},
	{WITH("\"publish_keys\": [{\"name\": \"bot\"}]"),
	 "auth.publish_keys[0]: expected both a name and a secret"},
	{WITH("\"publish_keys\": [{\"secret\": \"" SECRET "\"}]"),
	 "auth.publish_keys[0]: expected both a name and a secret"},
	{WITH("\"publish_keys\": [{\"id\": \"bot\"}]"),
	 "auth.publish_keys[0].id: unknown key, expected one of name, secret, rights"},
	{WITH("\"publish_keys\": [{\"rights\": \"read\"}]"),
	 "auth.publish_keys[0].rights: found \"read\" (a string), " NOT_AN_ARRAY},
	{WITH("\"publish_keys\": [{\"rights\": []}]"),
	 "auth.publish_keys[0].rights: found an array, " NOT_AN_ARRAY},
	{WITH("\"publish_keys\": [{\"rights\": [\"read\", \"sing\"]}]"),
	 "auth.publish_keys[0].rights[1]: found \"sing\" (a string), expected one of \"read\", \"write\", "
	 "\"moderate\""},
	{WITH("\"publish_keys\": [{\"name\": \"__server\"}]"),
	 "auth.publish_keys[0].name: found \"__server\" (a string), expected a name of at most 64 "
	 "characters"},
	{WITH("\"publish_keys\": [{\"name\": \"\"}]"),
	 "auth.publish_keys[0].name: found \"\" (a string), " NOT_A_STRING},
	{WITH("\"publish_keys\": [{\"name\": \"bot\", \"secret\": \"short\"}]"),
	 "auth.publish_keys[0].secret: " NOT_A_SECRET},
	{WITH("\"publish_keys\": [{\"name\": \"bot\", \"secret\": \"" SECRET " x\"}]"),
	 "auth.publish_keys[0].secret: expected letters, digits and -._~+/ alone"},
	{WITH("\"publish_keys\": [{\"name\": \"bot\", \"secret\": \"=" SECRET "\"}]"),
	 "auth.publish_keys[0].secret: expected letters, digits and -._~+/ alone"},
};

static void says_what_is_wrong(void **state)
{
	for (size_t i = 0; i < LENGTH(wrong); i++) {
		struct config_error error;
		struct config config;
		char expected[sizeof(error.text)];

		snprintf(expected, sizeof(expected), "test.json: %s", wrong[i].error);
		if (parse(&config, wrong[i].text, &error) != -EINVAL)
			fail_msg("accepted: %s", wrong[i].text);
		config_finish(&config);
		assert_string_equal(error.text, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_it_there_is_none),
		cmocka_unit_test(with_everything),
		cmocka_unit_test(defaults),
		cmocka_unit_test(a_later_one_replaces_it),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
