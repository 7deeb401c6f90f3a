#include "unit.h"

#include "identity.h"

#include <stdio.h>
#include <string.h>

static void copies_are_their_own(void **state)
{
	char name[] = "ann", room[] = "lobby", *rooms[] = {room};
	struct identity identity = {
		.name = name, .expires = 7, .rights = RIGHT_WRITE, .rooms = rooms, .n_rooms = 1};
	struct identity copy;

	assert_int_equal(identity_copy(&copy, &identity), 0);
	memset(name, 'x', 3);
	memset(room, 'x', 5);
	assert_string_equal(copy.name, "ann");
	assert_int_equal(copy.expires, 7);
	assert_int_equal(copy.rights, RIGHT_WRITE);
	assert_false(copy.every_room);
	assert_true(identity_may_enter(&copy, "lobby"));
	identity_finish(&copy);
	identity_finish(&copy);
	assert_null(copy.name);
}

static void rooms(void **state)
{
	static const struct {
		const char *pattern, *room;
		int may;
	} rows[] = {
		{"lobby", "lobby", 1},	 {"lobby", "lobb", 0},
		{"lobby", "lobbyx", 0},	 {"lobby", "Lobby", 0},
		{"team-*", "team-a", 1}, {"team-*", "team-", 1},
		{"team-*", "team", 0},	 {"team-*", "xteam-a", 0},
		{"*", "anything", 1},	 {"a*b", "a*b", 1},
		{"a*b", "axb", 0},	 {"a**", "a*b", 1},
		{"a**", "ab", 0},	 {"", "x", 0},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		char pattern[16], *patterns[] = {pattern};
		struct identity identity = {.rooms = patterns, .n_rooms = 1};

		snprintf(pattern, sizeof(pattern), "%s", rows[i].pattern);
		assert_int_equal(identity_may_enter(&identity, rows[i].room), rows[i].may);
		identity.n_rooms = 0;
		assert_false(identity_may_enter(&identity, rows[i].room));
		identity.every_room = true;
		assert_true(identity_may_enter(&identity, rows[i].room));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_their_own),
		cmocka_unit_test(rooms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
