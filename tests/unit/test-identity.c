#include "unit.h"

#include "identity.h"

#include <stdio.h>
#include <string.h>

static void shared_ones_are_their_own(void **state)
{
	char name[] = "ann", room[] = "lobby", other[] = "", *rooms[] = {room, other};
	struct identity identity = {
		.name = name, .expires = 7, .rights = RIGHT_WRITE, .rooms = rooms, .n_rooms = 2};
	const struct identity *shared = identity_share(&identity);
	const struct identity *again = identity_ref(shared);

	assert_true(identity_is_equal(shared, &identity));
	memset(name, 'x', 3);
	memset(room, 'x', 5);
	identity_unref(shared);
	assert_string_equal(again->name, "ann");
	assert_int_equal(again->expires, 7);
	assert_int_equal(again->rights, RIGHT_WRITE);
	assert_false(again->every_room);
	assert_true(identity_may_enter(again, "lobby"));
	assert_true(identity_may_enter(again, ""));
	assert_int_equal(again->n_rooms, 2);
	identity_unref(again);
	identity_unref(NULL);
}

static void equality(void **state)
{
	char a[] = "a", b[] = "b", *room_a[] = {a}, *room_b[] = {b};
	const struct identity one = {.name = a, .expires = 7, .rooms = room_a, .n_rooms = 1};
	struct identity others[6];

	for (size_t i = 0; i < LENGTH(others); i++)
		others[i] = one;
	others[0].name = b;
	others[1].expires = 8;
	others[2].rights = RIGHT_READ;
	others[3].every_room = true;
	others[4].rooms = room_b;
	others[5].n_rooms = 0;
	assert_true(identity_is_equal(&one, &one));
	for (size_t i = 0; i < LENGTH(others); i++)
		assert_false(identity_is_equal(&one, &others[i]));
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
		cmocka_unit_test(shared_ones_are_their_own),
		cmocka_unit_test(equality),
		cmocka_unit_test(rooms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
