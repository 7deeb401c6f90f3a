#include "unit.h"

#include "room.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING 4096

/* A member that keeps what it is sent, and answers as it is told to. */
struct fake {
	struct member member;
	char bytes[65536];
	size_t size;
	unsigned writes;
	unsigned overruns;
	int answer; /* of write() */
};

static int record(struct member *member, const void *bytes, size_t size)
{
	struct fake *fake = (struct fake *)member;

	assert_true(fake->size + size <= sizeof(fake->bytes));
	memcpy(fake->bytes + fake->size, bytes, size);
	fake->size += size;
	fake->writes++;
	return fake->answer;
}

static void leave(struct member *member)
{
	((struct fake *)member)->overruns++;
	room_leave(member);
}

static const struct member_sink sink = {.write = record, .overrun = leave};

/* "SEQUENCE:PAYLOAD", which is easy to tell from what was announced. */
static size_t encode(const struct journal_entry *entry, char *buffer, size_t size)
{
	int n = snprintf(buffer, size, "%llu:%.*s", (unsigned long long)entry->sequence,
			 (int)entry->size, (const char *)entry->payload);

	return (size_t)n;
}

struct fixture {
	struct journal *journal;
	struct rooms *rooms;
	struct room *room;
	struct fake ann, bob, cy;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (journal_create(&f->journal, "memory", 10) < 0)
		return -1;
	if (rooms_create(&f->rooms, f->journal, encode, RING) < 0)
		return -1;
	return room_open(f->rooms, "lobby", &f->room);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	room_leave(&f->ann.member);
	room_leave(&f->bob.member);
	room_leave(&f->cy.member);
	room_release(f->room);
	rooms_destroy(f->rooms);
	journal_destroy(f->journal);
	free(f);
	return 0;
}

static void join(struct fixture *f, struct fake *fake, const char *name)
{
	assert_int_equal(room_join(f->room, &fake->member, &sink, name), 0);
}

static void announce(struct fixture *f, const char *text)
{
	assert_int_equal(room_announce(f->room, text, strlen(text)), 0);
}

static void publish(struct fixture *f, const char *text)
{
	assert_int_equal(room_publish(f->room, text, strlen(text)), 0);
}

/* Announces a frame of that many bytes on the wire, from 130 on. */
static void announce_bytes(struct fixture *f, size_t size)
{
	char text[RING];

	memset(text, 'x', sizeof(text));
	assert_int_equal(room_announce(f->room, text, size - 4), 0);
}

static void assert_received(const struct fake *fake, const char *bytes, size_t size)
{
	assert_int_equal(fake->size, size);
	assert_memory_equal(fake->bytes, bytes, size);
}

#define assert_has(fake, literal) assert_received(fake, literal, sizeof(literal) - 1)

static void all_members_receive_the_same_in_order(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	join(f, &f->bob, "bob");
	announce(f, "hi");
	publish(f, "one");
	announce(f, "ho");
	publish(f, "two");
	rooms_flush(f->rooms);
	assert_has(&f->ann, "\x81\x02hi\x81\x05"
			    "1:one\x81\x02ho\x81\x05"
			    "2:two");
	assert_received(&f->bob, f->ann.bytes, f->ann.size);
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.writes, 1);
}

static void many_messages_leave_in_one_write(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	for (int i = 0; i < 100; i++)
		announce(f, "hi");
	assert_int_equal(f->ann.writes, 0);
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.writes, 1);
	assert_int_equal(f->ann.size, 400);
}

static void raw_bytes_are_not_framed(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	assert_int_equal(room_append(f->room, "data: 1\n\n", 9), 0);
	rooms_flush(f->rooms);
	assert_has(&f->ann, "data: 1\n\n");
}

static void joins_from_the_next_frame_on(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	announce(f, "a");
	join(f, &f->bob, "bob");
	announce(f, "b");
	rooms_flush(f->rooms);
	assert_has(&f->ann, "\x81\x01"
			    "a\x81\x01"
			    "b");
	assert_has(&f->bob, "\x81\x01"
			    "b");
}

static void leaves_and_hears_no_more(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	join(f, &f->bob, "bob");
	join(f, &f->cy, "cy");
	announce(f, "a");
	room_leave(&f->ann.member);
	room_leave(&f->ann.member);
	announce(f, "b");
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.writes, 0);
	assert_int_equal(f->bob.size, 6);
	assert_int_equal(f->cy.size, 6);
	assert_int_equal(room_size(f->room), 2);
}

static void nobody_there(void **state)
{
	struct fixture *f = *state;

	announce(f, "a");
	publish(f, "b");
	rooms_flush(f->rooms);
	join(f, &f->ann, "ann");
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.writes, 0);
	assert_int_equal(journal_head(room_stream(f->room)), 1);
}

static void blocked_member_goes_on_when_writable(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	join(f, &f->bob, "bob");
	f->ann.answer = 1;
	announce(f, "a");
	rooms_flush(f->rooms);
	announce(f, "b");
	rooms_flush(f->rooms);
	announce(f, "c");
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.writes, 1); /* what was handed over counts as had */
	assert_int_equal(f->bob.writes, 3);
	f->ann.answer = 0;
	assert_int_equal(member_writable(&f->ann.member), 0);
	assert_int_equal(f->ann.writes, 2);
	assert_received(&f->ann, f->bob.bytes, f->bob.size);
	announce(f, "d");
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.writes, 3);
}

static void still_blocked_member_waits_again(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	f->ann.answer = 1;
	announce(f, "a");
	rooms_flush(f->rooms);
	announce(f, "b");
	assert_int_equal(member_writable(&f->ann.member), 1);
	announce(f, "c");
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.writes, 2);
}

static void writable_for_who_does_not_wait_does_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(member_writable(&f->ann.member), 0);
	join(f, &f->ann, "ann");
	announce(f, "a");
	assert_int_equal(member_writable(&f->ann.member), 0);
	assert_int_equal(f->ann.writes, 0);
}

static void failed_connection_is_not_written_to_again(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	f->ann.answer = -1;
	announce(f, "a");
	rooms_flush(f->rooms);
	announce(f, "b");
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.writes, 1);
	assert_int_equal(member_writable(&f->ann.member), -1);
}

/* Fills the ring to the last byte behind a member that takes nothing. */
static void block_and_fill(struct fixture *f, struct fake *fake)
{
	fake->answer = 1;
	announce(f, "a");
	rooms_flush(f->rooms);
	for (int i = 0; i < 4; i++) {
		announce_bytes(f, RING / 4);
		rooms_flush(f->rooms);
	}
}

static void drops_who_is_overrun_exactly_when_needed(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	join(f, &f->bob, "bob");
	block_and_fill(f, &f->ann);
	assert_int_equal(f->ann.overruns, 0);
	announce(f, "");
	assert_int_equal(f->ann.overruns, 1);
	assert_int_equal(room_size(f->room), 1);
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.size, 3);
	assert_int_equal(f->bob.size, 3 + RING + 2);
	assert_int_equal(f->bob.overruns, 0);
}

static void who_catches_up_in_time_is_not_dropped(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	block_and_fill(f, &f->ann);
	f->ann.answer = 0;
	member_writable(&f->ann.member);
	announce_bytes(f, RING);
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.overruns, 0);
	assert_int_equal(f->ann.size, 3 + 2 * RING);
}

static void drops_only_who_is_too_far_behind(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	join(f, &f->bob, "bob");
	join(f, &f->cy, "cy");
	block_and_fill(f, &f->bob);
	f->cy.answer = 1;
	announce_bytes(f, 1000);
	rooms_flush(f->rooms);
	announce_bytes(f, 1000);
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.overruns, 0);
	assert_int_equal(f->bob.overruns, 1);
	assert_int_equal(f->cy.overruns, 0);
	f->cy.answer = 0;
	member_writable(&f->cy.member);
	assert_received(&f->cy, f->ann.bytes, f->ann.size);
}

static void drops_several_at_once(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	join(f, &f->bob, "bob");
	join(f, &f->cy, "cy");
	f->ann.answer = 1;
	f->cy.answer = 1;
	block_and_fill(f, &f->ann);
	announce_bytes(f, RING);
	assert_int_equal(f->ann.overruns, 1);
	assert_int_equal(f->bob.overruns, 0);
	assert_int_equal(f->cy.overruns, 1);
	rooms_flush(f->rooms);
	assert_int_equal(f->bob.size, 3 + 2 * RING);
}

/* The ring is gone with the last member, and so is what was to be appended to it. */
static void drops_the_last_member(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	block_and_fill(f, &f->ann);
	announce(f, "b");
	assert_int_equal(f->ann.overruns, 1);
	assert_int_equal(room_size(f->room), 0);
	rooms_flush(f->rooms);
	join(f, &f->bob, "bob");
	announce(f, "c");
	rooms_flush(f->rooms);
	assert_has(&f->bob, "\x81\x01"
			    "c");
}

/* Only its member held the room: it goes while something is said in it. */
static void drops_the_last_member_and_with_it_the_room(void **state)
{
	struct fixture *f = *state;
	struct room *room = f->room;
	char text[RING] = "";

	join(f, &f->ann, "ann");
	block_and_fill(f, &f->ann);
	f->room = NULL;
	room_release(room);
	assert_int_equal(room_announce(room, text, RING - 4), 0);
	assert_int_equal(f->ann.overruns, 1);
	assert_null(rooms_find(f->rooms, "lobby"));
	rooms_flush(f->rooms);
}

static void publishing_may_drop_the_last_member_too(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	block_and_fill(f, &f->ann);
	publish(f, "b");
	assert_int_equal(f->ann.overruns, 1);
	assert_int_equal(journal_head(room_stream(f->room)), 1);
}

/* Whoever keeps up is flushed in between, however much is said in one turn. */
static void a_busy_turn_overruns_nobody_who_keeps_up(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	join(f, &f->bob, "bob");
	for (int i = 0; i < 40; i++)
		announce_bytes(f, 1000);
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.overruns, 0);
	assert_int_equal(f->ann.size, 40000);
	assert_received(&f->bob, f->ann.bytes, f->ann.size);
}

static void what_never_fits_is_refused_and_drops_nobody(void **state)
{
	struct fixture *f = *state;
	static char text[RING + 1];

	join(f, &f->ann, "ann");
	f->ann.answer = 1;
	announce(f, "a");
	rooms_flush(f->rooms);
	assert_int_equal(room_announce(f->room, text, RING - 3), -EMSGSIZE);
	assert_int_equal(room_append(f->room, text, RING + 1), -EMSGSIZE);
	assert_int_equal(f->ann.overruns, 0);
}

static void one_room_for_one_name(void **state)
{
	struct fixture *f = *state;
	struct room *again, *other;

	assert_int_equal(room_open(f->rooms, "lobby", &again), 0);
	assert_int_equal(room_open(f->rooms, "other", &other), 0);
	assert_ptr_equal(again, f->room);
	assert_ptr_not_equal(other, f->room);
	assert_ptr_equal(rooms_find(f->rooms, "lobby"), f->room);
	assert_null(rooms_find(f->rooms, "lobb"));
	assert_string_equal(room_name(other), "other");
	assert_int_equal(rooms_count(f->rooms), 2);
	room_release(again);
	assert_int_equal(rooms_count(f->rooms), 2);
	room_release(other);
	assert_int_equal(rooms_count(f->rooms), 1);
	assert_null(rooms_find(f->rooms, "other"));
}

static void rooms_do_not_hear_each_other(void **state)
{
	struct fixture *f = *state;
	struct room *other;

	assert_int_equal(room_open(f->rooms, "other", &other), 0);
	join(f, &f->ann, "ann");
	assert_int_equal(room_join(other, &f->bob.member, &sink, "bob"), 0);
	announce(f, "a");
	assert_int_equal(room_announce(other, "bb", 2), 0);
	rooms_flush(f->rooms);
	assert_has(&f->ann, "\x81\x01"
			    "a");
	assert_has(&f->bob, "\x81\x02"
			    "bb");
	room_release(other);
}

static void a_room_lasts_while_it_is_held(void **state)
{
	struct fixture *f = *state;
	struct room *room;

	assert_int_equal(room_open(f->rooms, "other", &room), 0);
	room_hold(room);
	room_release(room);
	assert_ptr_equal(rooms_find(f->rooms, "other"), room);
	assert_int_equal(room_join(room, &f->ann.member, &sink, "ann"), 0);
	room_release(room);
	assert_ptr_equal(rooms_find(f->rooms, "other"), room);
	room_leave(&f->ann.member);
	assert_null(rooms_find(f->rooms, "other"));
	room_release(NULL);
}

static void a_room_that_goes_before_the_flush(void **state)
{
	struct fixture *f = *state;
	struct room *rooms[3];
	struct fake *fakes[] = {&f->ann, &f->bob, &f->cy};
	static const char *const names[] = {"a", "b", "c"};

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(room_open(f->rooms, names[i], &rooms[i]), 0);
		assert_int_equal(room_join(rooms[i], &fakes[i]->member, &sink, names[i]), 0);
		assert_int_equal(room_announce(rooms[i], "x", 1), 0);
		room_release(rooms[i]);
	}
	room_leave(&f->bob.member);
	rooms_flush(f->rooms);
	assert_int_equal(f->ann.writes, 1);
	assert_int_equal(f->bob.writes, 0);
	assert_int_equal(f->cy.writes, 1);
}

static void history_outlives_the_room(void **state)
{
	struct fixture *f = *state;

	publish(f, "one");
	room_release(f->room);
	assert_int_equal(rooms_count(f->rooms), 0);
	assert_int_equal(room_open(f->rooms, "lobby", &f->room), 0);
	join(f, &f->ann, "ann");
	publish(f, "two");
	rooms_flush(f->rooms);
	assert_has(&f->ann, "\x81\x05"
			    "2:two");
}

static void ignore(void *user, const struct journal_entry *entries, size_t n)
{
}

static void a_room_whose_journal_fails_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct journal_stream *stream;
	struct room *room;

	assert_int_equal(journal_open(f->journal, "taken", ignore, NULL, &stream), 0);
	assert_int_equal(room_open(f->rooms, "taken", &room), -EBUSY);
	assert_null(rooms_find(f->rooms, "taken"));
	assert_int_equal(rooms_count(f->rooms), 1);
	journal_close(stream);
}

static void unlisted_room(void **state)
{
	struct fixture *f = *state;
	struct room *room;

	assert_int_equal(room_open_unlisted(f->rooms, &room), 0);
	assert_null(room_name(room));
	assert_int_equal(rooms_count(f->rooms), 1);
	assert_int_equal(room_join(room, &f->ann.member, &sink, NULL), 0);
	assert_int_equal(room_append(room, "x", 1), 0);
	rooms_flush(f->rooms);
	assert_has(&f->ann, "x");
	room_release(room);
}

struct visit {
	size_t count;
	size_t most;
	char names[64];
	int end; /* of the names */
};

static bool visit(void *user, struct room *room)
{
	struct visit *seen = user;

	seen->end += snprintf(seen->names + seen->end, sizeof(seen->names) - (size_t)seen->end,
			      "%s ", room_name(room));
	return ++seen->count < seen->most;
}

static void visits_each_room(void **state)
{
	struct fixture *f = *state;
	struct visit all = {.most = 10}, first = {.most = 1};
	struct room *other, *unlisted;

	assert_int_equal(room_open(f->rooms, "other", &other), 0);
	assert_int_equal(room_open_unlisted(f->rooms, &unlisted), 0);
	rooms_each(f->rooms, visit, &all);
	assert_string_equal(all.names, "lobby other ");
	rooms_each(f->rooms, visit, &first);
	assert_int_equal(first.count, 1);
	room_release(other);
	room_release(unlisted);
}

static void lists_its_members(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(room_size(f->room), 0);
	join(f, &f->ann, "ann");
	join(f, &f->bob, "bob");
	join(f, &f->cy, "cy");
	assert_string_equal(room_member_name(f->room, 0), "ann");
	room_leave(&f->ann.member);
	assert_int_equal(room_size(f->room), 2);
	assert_string_equal(room_member_name(f->room, 0), "cy");
	assert_string_equal(room_member_name(f->room, 1), "bob");
	room_leave(&f->cy.member);
	assert_string_equal(room_member_name(f->room, 0), "bob");
}

static void many_members_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct fake *many = calloc(50, sizeof(*many));

	for (int i = 0; i < 50; i++)
		join(f, &many[i], "many");
	for (int i = 0; i < 50; i += 2)
		room_leave(&many[i].member);
	announce(f, "a");
	rooms_flush(f->rooms);
	for (int i = 0; i < 50; i++)
		assert_int_equal(many[i].writes, i % 2);
	for (int i = 1; i < 50; i += 2)
		room_leave(&many[i].member);
	assert_int_equal(room_size(f->room), 0);
	free(many);
}

static void counts_frames(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	announce(f, "a");
	publish(f, "b");
	join(f, &f->bob, "bob");
	assert_int_equal(room_append(f->room, "c", 1), 0);
	assert_int_equal(member_count_frames(&f->ann.member), 3);
	assert_int_equal(member_count_frames(&f->ann.member), 0);
	assert_int_equal(member_count_frames(&f->bob.member), 1);
	announce(f, "d");
	assert_int_equal(member_count_frames(&f->ann.member), 1);
}

static void destroys_nothing(void **state)
{
	rooms_destroy(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_members_receive_the_same_in_order),
		TEST(many_messages_leave_in_one_write),
		TEST(raw_bytes_are_not_framed),
		TEST(joins_from_the_next_frame_on),
		TEST(leaves_and_hears_no_more),
		TEST(nobody_there),
		TEST(blocked_member_goes_on_when_writable),
		TEST(still_blocked_member_waits_again),
		TEST(writable_for_who_does_not_wait_does_nothing),
		TEST(failed_connection_is_not_written_to_again),
		TEST(drops_who_is_overrun_exactly_when_needed),
		TEST(who_catches_up_in_time_is_not_dropped),
		TEST(drops_only_who_is_too_far_behind),
		TEST(drops_several_at_once),
		TEST(drops_the_last_member),
		TEST(drops_the_last_member_and_with_it_the_room),
		TEST(publishing_may_drop_the_last_member_too),
		TEST(a_busy_turn_overruns_nobody_who_keeps_up),
		TEST(what_never_fits_is_refused_and_drops_nobody),
		TEST(one_room_for_one_name),
		TEST(rooms_do_not_hear_each_other),
		TEST(a_room_lasts_while_it_is_held),
		TEST(a_room_that_goes_before_the_flush),
		TEST(history_outlives_the_room),
		TEST(a_room_whose_journal_fails_is_not_there),
		TEST(unlisted_room),
		TEST(visits_each_room),
		TEST(lists_its_members),
		TEST(many_members_come_and_go),
		TEST(counts_frames),
		cmocka_unit_test(destroys_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
