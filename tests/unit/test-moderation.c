#include "unit.h"

#include "moderation.h"

#include <string.h>

static void actions_by_their_words(void **state)
{
	enum moderation_action action;

	for (int i = 0; i < MODERATION_ACTIONS; i++) {
		assert_int_equal(
			moderation_find(moderation_word((enum moderation_action)i), &action), 0);
		assert_int_equal(action, i);
	}
	assert_true(moderation_find("", &action) < 0);
	assert_true(moderation_find("Mute", &action) < 0);
}

static void what_is_read(void **state)
{
	static const struct {
		const char *action, *json, *problem;
	} inputs[] = {
		{"delete", "{\"seq\":42}", NULL},
		{"delete", "{\"seq\":0}", "seq"},
		{"delete", "{\"seq\":-1}", "seq"},
		{"delete", "{\"seq\":\"42\"}", "seq"},
		{"delete", "{\"seq\":4.2}", "seq"},
		{"delete", "{}", "seq"},
		{"mute", "{\"user\":\"cy\",\"seconds\":600}", NULL},
		{"mute", "{\"address\":\"192.0.2.1\",\"seconds\":1}", NULL},
		{"mute", "{\"address\":\"2001:db8::1\",\"seconds\":31536000}", NULL},
		{"mute", "{\"user\":\"cy\"}", "seconds"},
		{"mute", "{\"user\":\"cy\",\"seconds\":0}", "seconds"},
		{"mute", "{\"user\":\"cy\",\"seconds\":31536001}", "seconds"},
		{"mute", "{\"user\":\"cy\",\"seconds\":\"600\"}", "seconds"},
		{"ban", "{\"user\":\"cy\",\"seconds\":99999999999999999999}", "seconds"},
		{"ban", "{\"seconds\":600}", "a user or an address"},
		{"ban", "{\"user\":\"cy\",\"address\":\"::1\",\"seconds\":600}",
		 "a user or an address"},
		{"ban", "{\"user\":\"\",\"seconds\":600}", "name"},
		{"ban", "{\"user\":\"__server\",\"seconds\":600}", "name"},
		{"ban", "{\"user\":\"a\\u0000b\",\"seconds\":600}", "name"},
		{"ban", "{\"user\":7,\"seconds\":600}", "name"},
		{"ban", "{\"address\":\"cy\",\"seconds\":600}", "address"},
		{"ban", "{\"address\":7,\"seconds\":600}", "address"},
		{"kick", "{\"user\":\"cy\"}", NULL},
		{"unmute", "{\"user\":\"cy\"}", NULL},
		{"unban", "{\"address\":\"::1\"}", NULL},
		{"unban", "{}", "a user or an address"},
	};

	for (size_t i = 0; i < LENGTH(inputs); i++) {
		struct json_object *object = json_tokener_parse(inputs[i].json);
		enum moderation_action action;
		struct moderation moderation;
		const char *problem;

		assert_int_equal(moderation_find(inputs[i].action, &action), 0);
		problem = moderation_read(object, action, &moderation);
		if (!problem != !inputs[i].problem ||
		    (problem && !strstr(problem, inputs[i].problem)))
			fail_msg("%s %s: found %s", inputs[i].action, inputs[i].json,
				 problem ? problem : "nothing wrong");
		json_object_put(object);
	}
}

static void an_address_stands_for_its_network(void **state)
{
	struct json_object *object =
		json_tokener_parse("{\"address\":\"2001:DB8::7\",\"seconds\":5}");
	struct moderation moderation;

	assert_null(moderation_read(object, MODERATION_BAN, &moderation));
	assert_null(moderation.user);
	assert_string_equal(moderation.address, "2001:db8::");
	json_object_put(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_by_their_words),
		cmocka_unit_test(what_is_read),
		cmocka_unit_test(an_address_stands_for_its_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
