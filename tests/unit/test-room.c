#include "unit.h"

#include "rooms.h"

#include <errno.h>
#include <pthread.h>
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
	uint64_t frames;
	enum { TAKE_ALL, TAKE_NOTHING, TAKE_A_FRAME, FAIL } answer; /* of write() */
};

static ssize_t record(struct reader *reader, const void *bytes, size_t size, uint64_t frames)
{
	struct fake *fake = (struct fake *)reader;

	fake->writes++;
	if (fake->answer == FAIL)
		return -1;
	if (fake->answer == TAKE_NOTHING)
		return 0;
	if (fake->answer == TAKE_A_FRAME)
		size = wire_frames_end(bytes, size, 1);
	else
		fake->frames += frames;
	assert_true(fake->size + size <= sizeof(fake->bytes));
	memcpy(fake->bytes + fake->size, bytes, size);
	fake->size += size;
	return (ssize_t)size;
}

static void overrun(struct reader *reader)
{
	assert_false(reader_is_reading(reader));
	((struct fake *)reader)->overruns++;
}

static const struct reader_sink sink = {.write = record, .overrun = overrun};

/* "SEQUENCE:PAYLOAD", which is easy to tell from what was announced. */
static size_t encode(const struct journal_entry *entry, char *buffer, size_t size)
{
	int n = snprintf(buffer, size, "%llu:%.*s", (unsigned long long)entry->sequence,
			 (int)entry->size, (const char *)entry->payload);

	return (size_t)n;
}

struct fixture {
	struct journal *journal;
	struct flushers *flushers;
	struct flusher *flusher;
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
	if (flushers_create(&f->flushers, 1) < 0)
		return -1;
	f->flusher = flushers_at(f->flushers, 0);
	flusher_enter(f->flusher);
	if (rooms_create(&f->rooms, f->journal, f->flushers, encode, RING) < 0)
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
	flushers_destroy(f->flushers);
	journal_destroy(f->journal);
	free(f);
	return 0;
}

static int enter(struct fixture *f, struct room *room, struct fake *fake, const char *name,
		 enum room_kind kind, bool deflated)
{
	const struct room_joining how = {
		.flusher = f->flusher,
		.sink = &sink,
		.name = name,
		.kind = kind,
		.deflated = deflated,
	};

	return room_join(room, &fake->member, &how);
}

static void join(struct fixture *f, struct fake *fake, const char *name)
{
	assert_true(enter(f, f->room, fake, name, ROOM_PLAIN, false) > 0);
}

static void announce(struct fixture *f, const char *text)
{
	assert_int_equal(room_announce(f->room, ROOM_BOTH, text, strlen(text)), 0);
}

static void published(struct journal_publication *publication)
{
	/* With the memory journal that is so when room_publish() returns. */
}

static void publish(struct fixture *f, const char *text)
{
	struct journal_publication publication = {
		.payload = text, .size = strlen(text), .done = published, .result = 1};

	room_publish(f->room, &publication);
	assert_int_equal(publication.result, 0);
	assert_int_equal(publication.sequence, room_head(f->room));
	assert_int_equal(publication.sequence, room_delivered(f->room));
}

/* Announces a frame of that many bytes on the wire, from 130 on. */
static void announce_bytes(struct fixture *f, size_t size)
{
	char text[RING];

	memset(text, 'x', sizeof(text));
	assert_int_equal(room_announce(f->room, ROOM_BOTH, text, size - 4), 0);
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
	assert_false(flusher_run(f->flusher, 0));
	assert_has(&f->ann, "\x81\x02hi\x81\x05"
			    "1:one\x81\x02ho\x81\x05"
			    "2:two");
	assert_received(&f->bob, f->ann.bytes, f->ann.size);
	assert_false(flusher_run(f->flusher, 0));
	assert_int_equal(f->ann.writes, 1);
}

static void many_messages_leave_in_one_write(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	for (int i = 0; i < 100; i++)
		announce(f, "hi");
	assert_int_equal(f->ann.writes, 0);
	assert_false(flusher_run(f->flusher, 0));
	assert_int_equal(f->ann.writes, 1);
	assert_int_equal(f->ann.size, 400);
}

static void raw_bytes_are_not_framed(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	assert_int_equal(room_append(f->room, "data: 1\n\n", 9), 0);
	assert_false(flusher_run(f->flusher, 0));
	assert_has(&f->ann, "data: 1\n\n");
}

static void joins_from_the_next_frame_on(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	announce(f, "a");
	join(f, &f->bob, "bob");
	announce(f, "b");
	assert_false(flusher_run(f->flusher, 0));
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
	assert_false(flusher_run(f->flusher, 0));
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
	assert_false(flusher_run(f->flusher, 0));
	join(f, &f->ann, "ann");
	assert_false(flusher_run(f->flusher, 0));
	assert_int_equal(f->ann.writes, 0);
	assert_int_equal(room_head(f->room), 1);
}

static void blocked_member_goes_on_when_writable(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	join(f, &f->bob, "bob");
	f->ann.answer = TAKE_A_FRAME;
	announce(f, "a");
	announce(f, "b");
	flusher_run(f->flusher, 0);
	announce(f, "c");
	flusher_run(f->flusher, 0);
	assert_has(&f->ann, "\x81\x01"
			    "a");
	assert_int_equal(f->ann.writes, 1);
	assert_int_equal(f->bob.writes, 2);
	f->ann.answer = TAKE_ALL;
	reader_writable(&f->ann.member.reader);
	assert_int_equal(f->ann.writes, 2);
	assert_received(&f->ann, f->bob.bytes, f->bob.size);
	announce(f, "d");
	flusher_run(f->flusher, 0);
	assert_int_equal(f->ann.writes, 3);
}

static void still_blocked_member_waits_again(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	f->ann.answer = TAKE_NOTHING;
	announce(f, "a");
	flusher_run(f->flusher, 0);
	reader_writable(&f->ann.member.reader);
	announce(f, "c");
	flusher_run(f->flusher, 0);
	assert_int_equal(f->ann.writes, 2);
}

static void writable_for_who_does_not_wait_does_nothing(void **state)
{
	struct fixture *f = *state;

	reader_writable(&f->ann.member.reader);
	join(f, &f->ann, "ann");
	announce(f, "a");
	reader_writable(&f->ann.member.reader);
	assert_int_equal(f->ann.writes, 0);
}

static void failed_connection_is_not_written_to_again(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	f->ann.answer = FAIL;
	announce(f, "a");
	flusher_run(f->flusher, 0);
	announce(f, "b");
	flusher_run(f->flusher, 0);
	reader_writable(&f->ann.member.reader);
	assert_int_equal(f->ann.writes, 1);
	assert_int_equal(f->ann.overruns, 0);
	assert_false(reader_is_reading(&f->ann.member.reader));
}

/* Fills the ring to the last byte behind a member that takes nothing. */
static void block_and_fill(struct fixture *f, struct fake *fake)
{
	announce(f, "a");
	flusher_run(f->flusher, 0);
	fake->answer = TAKE_NOTHING;
	for (int i = 0; i < 4; i++) {
		announce_bytes(f, RING / 4);
		assert_false(flusher_run(f->flusher, 0));
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
	assert_int_equal(room_size(f->room), 2); /* until its connection has closed */
	assert_false(flusher_run(f->flusher, 0));
	assert_int_equal(f->ann.size, 3);
	assert_int_equal(f->bob.size, 3 + RING + 2);
	assert_int_equal(f->bob.overruns, 0);
}

static void who_catches_up_in_time_is_not_dropped(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	block_and_fill(f, &f->ann);
	f->ann.answer = TAKE_ALL;
	reader_writable(&f->ann.member.reader);
	announce_bytes(f, RING);
	assert_false(flusher_run(f->flusher, 0));
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
	f->cy.answer = TAKE_NOTHING;
	announce_bytes(f, 1000);
	assert_false(flusher_run(f->flusher, 0));
	announce_bytes(f, 1000);
	assert_false(flusher_run(f->flusher, 0));
	assert_int_equal(f->ann.overruns, 0);
	assert_int_equal(f->bob.overruns, 1);
	assert_int_equal(f->cy.overruns, 0);
	f->cy.answer = TAKE_ALL;
	reader_writable(&f->cy.member.reader);
	assert_received(&f->cy, f->ann.bytes, f->ann.size);
}

static void drops_several_at_once(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	join(f, &f->bob, "bob");
	join(f, &f->cy, "cy");
	f->ann.answer = TAKE_NOTHING;
	f->cy.answer = TAKE_NOTHING;
	block_and_fill(f, &f->ann);
	announce_bytes(f, RING);
	assert_int_equal(f->ann.overruns, 1);
	assert_int_equal(f->bob.overruns, 0);
	assert_int_equal(f->cy.overruns, 1);
	assert_false(flusher_run(f->flusher, 0));
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
	room_leave(&f->ann.member);
	assert_int_equal(room_size(f->room), 0);
	assert_false(flusher_run(f->flusher, 0));
	join(f, &f->bob, "bob");
	announce(f, "c");
	assert_false(flusher_run(f->flusher, 0));
	assert_has(&f->bob, "\x81\x01"
			    "c");
}

/* Only its member held the room, which lasts until that has left. */
static void a_dropped_member_holds_the_room(void **state)
{
	struct fixture *f = *state;
	struct room *room = f->room;
	char text[RING] = "";

	join(f, &f->ann, "ann");
	block_and_fill(f, &f->ann);
	f->room = NULL;
	room_release(room);
	assert_int_equal(room_announce(room, ROOM_BOTH, text, RING - 4), 0);
	assert_int_equal(f->ann.overruns, 1);
	assert_int_equal(rooms_count(f->rooms), 1);
	room_leave(&f->ann.member);
	assert_int_equal(rooms_count(f->rooms), 0);
}

static void publishing_may_drop_the_last_member_too(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	block_and_fill(f, &f->ann);
	publish(f, "b");
	assert_int_equal(f->ann.overruns, 1);
	assert_int_equal(room_head(f->room), 1);
}

/* Whoever keeps up is flushed in between, however much is said in one turn. */
static void a_busy_turn_overruns_nobody_who_keeps_up(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	join(f, &f->bob, "bob");
	for (int i = 0; i < 40; i++)
		announce_bytes(f, 1000);
	assert_false(flusher_run(f->flusher, 0));
	assert_int_equal(f->ann.overruns, 0);
	assert_int_equal(f->ann.size, 40000);
	assert_received(&f->bob, f->ann.bytes, f->ann.size);
}

static void what_never_fits_is_refused_and_drops_nobody(void **state)
{
	struct fixture *f = *state;
	static char text[RING + 1];

	join(f, &f->ann, "ann");
	f->ann.answer = TAKE_NOTHING;
	announce(f, "a");
	assert_false(flusher_run(f->flusher, 0));
	assert_int_equal(room_announce(f->room, ROOM_BOTH, text, RING - 3), -EMSGSIZE);
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
	room_release(f->room);
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
	assert_int_equal(enter(f, other, &f->bob, "bob", ROOM_PLAIN, false), 1);
	announce(f, "a");
	assert_int_equal(room_announce(other, ROOM_BOTH, "bb", 2), 0);
	assert_false(flusher_run(f->flusher, 0));
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
	room_release(room);
	assert_int_equal(enter(f, room, &f->ann, "ann", ROOM_PLAIN, false), 1);
	room_release(room);
	assert_ptr_equal(rooms_find(f->rooms, "other"), room);
	room_release(room);
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
		assert_int_equal(enter(f, rooms[i], fakes[i], names[i], ROOM_PLAIN, false), 1);
		assert_int_equal(room_announce(rooms[i], ROOM_BOTH, "x", 1), 0);
		room_release(rooms[i]);
	}
	room_leave(&f->bob.member);
	assert_false(flusher_run(f->flusher, 0));
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
	assert_false(flusher_run(f->flusher, 0));
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

static void only_so_many(void **state)
{
	struct fixture *f = *state;
	struct room *room, *second, *again;

	rooms_limit(f->rooms, 2);
	assert_int_equal(room_open(f->rooms, "second", &second), 0);
	assert_int_equal(room_open(f->rooms, "third", &room), -ENOSPC);
	assert_null(rooms_find(f->rooms, "third"));
	assert_int_equal(room_open(f->rooms, "second", &again), 0);
	room_release(again);
	assert_int_equal(room_open_unlisted(f->rooms, "ticker", &room), 0);
	room_release(room);
	room_release(second);
	assert_int_equal(room_open(f->rooms, "third", &room), 0);
	room_release(room);
}

#define CROWD 16

struct crowd {
	struct rooms *rooms;
	pthread_barrier_t start;
	_Atomic unsigned next, opened, refused;
};

static void *open_one(void *user)
{
	struct crowd *crowd = user;
	struct room *room;
	char name[16];
	int r;

	snprintf(name, sizeof(name), "room-%u", crowd->next++);
	pthread_barrier_wait(&crowd->start);
	r = room_open(crowd->rooms, name, &room);
	crowd->opened += !r;
	crowd->refused += r == -ENOSPC;
	pthread_barrier_wait(&crowd->start);
	if (!r)
		room_release(room);
	return NULL;
}

/* Those that are being opened count. */
static void only_so_many_at_once(void **state)
{
	struct fixture *f = *state;
	struct crowd crowd = {.rooms = f->rooms};
	pthread_t threads[CROWD];

	rooms_limit(f->rooms, 5);
	pthread_barrier_init(&crowd.start, NULL, CROWD);
	for (size_t i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, open_one, &crowd);
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&crowd.start);
	assert_int_equal(crowd.opened, 4);
	assert_int_equal(crowd.refused, CROWD - 4);
}

static void unlisted_room(void **state)
{
	struct fixture *f = *state;
	struct room *room, *again;

	assert_int_equal(room_open_unlisted(f->rooms, "ticker", &room), 0);
	assert_null(rooms_find(f->rooms, "ticker"));
	assert_int_equal(room_open_unlisted(f->rooms, "ticker", &again), 0);
	assert_ptr_equal(again, room);
	room_release(again);
	assert_int_equal(rooms_count(f->rooms), 1);
	assert_int_equal(enter(f, room, &f->ann, NULL, ROOM_PLAIN, false), 0);
	assert_int_equal(room_append(room, "x", 1), 0);
	assert_false(flusher_run(f->flusher, 0));
	assert_has(&f->ann, "x");
	room_release(room);
}

static void assert_rooms(struct fixture *f, size_t max, const char *names)
{
	size_t n;
	struct room **list = rooms_list(f->rooms, max, &n);
	char text[64] = "";

	assert_non_null(list);
	for (size_t i = 0; i < n; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ",
			 room_name(list[i]));
		room_release(list[i]);
	}
	free(list);
	assert_string_equal(text, names);
}

static void lists_rooms(void **state)
{
	struct fixture *f = *state;
	struct room *other, *unlisted;

	assert_int_equal(room_open(f->rooms, "other", &other), 0);
	assert_int_equal(room_open_unlisted(f->rooms, "unlisted", &unlisted), 0);
	assert_rooms(f, 10, "lobby other ");
	assert_rooms(f, 1, "lobby ");
	assert_rooms(f, 0, "");
	room_release(other);
	room_release(unlisted);
	assert_rooms(f, 10, "lobby ");
}

static void assert_people(struct fixture *f, const char *names, size_t count)
{
	size_t size, people;
	char *list = room_list_people(f->room, &size, &people);

	assert_non_null(list);
	assert_string_equal(list, names);
	assert_int_equal(size, strlen(names));
	free(list);
	assert_int_equal(room_people(f->room), people);
	assert_int_equal(room_size(f->room), count);
}

static void lists_its_people(void **state)
{
	struct fixture *f = *state;

	assert_people(f, "", 0);
	join(f, &f->ann, "a");
	assert_int_equal(enter(f, f->room, &f->bob, "b", ROOM_PLAIN, false), 1);
	assert_int_equal(enter(f, f->room, &f->cy, "a", ROOM_RICH, false), 2);
	assert_people(f, "\"a\",\"b\"", 3);
	assert_int_equal(room_leave(&f->ann.member), 1);
	assert_int_equal(room_leave(&f->ann.member), -ENOENT);
	assert_people(f, "\"a\",\"b\"", 2);
	assert_int_equal(room_leave(&f->cy.member), 0);
	assert_people(f, "\"b\"", 1);
	assert_int_equal(room_leave(&f->bob.member), 0);
	assert_people(f, "", 0);
}

/* Who has entered is there for the others, and hears nothing before it listens. */
static void enters_and_listens_later(void **state)
{
	struct fixture *f = *state;
	const struct room_joining how = {
		.flusher = f->flusher, .sink = &sink, .name = "a", .kind = ROOM_PLAIN};

	assert_int_equal(room_enter(f->room, &f->ann.member, &how), 1);
	assert_people(f, "\"a\"", 1);
	announce(f, "before");
	assert_int_equal(room_listen(&f->ann.member, &how), 0);
	announce(f, "behind");
	flusher_run(f->flusher, 0);
	assert_received(&f->ann,
			"\x81\x06"
			"behind",
			8);
	assert_int_equal(room_leave(&f->ann.member), 0);
	assert_int_equal(room_enter(f->room, &f->ann.member, &how), 1);
	assert_int_equal(room_leave(&f->ann.member), 0); /* without having listened */
	assert_people(f, "", 0);
}

static void tells_kinds_different_things(void **state)
{
	struct fixture *f = *state;

	join(f, &f->ann, "ann");
	assert_int_equal(enter(f, f->room, &f->bob, "bob", ROOM_RICH, false), 1);
	room_announce(f->room, ROOM_PLAIN, "a", 1);
	room_announce(f->room, ROOM_RICH, "bb", 2);
	room_announce(f->room, ROOM_BOTH, "c", 1);
	flusher_run(f->flusher, 0);
	assert_has(&f->ann, "\x81\x01"
			    "a\x81\x01"
			    "c");
	assert_has(&f->bob, "\x81\x02"
			    "bb\x81\x01"
			    "c");
}

static void read_one(void *user, const struct journal_entry *entry)
{
	*(uint64_t *)user = entry->sequence;
}

static void reads_what_it_has_delivered(void **state)
{
	struct fixture *f = *state;
	const struct journal_range range = {.after = 1, .limit = 10};
	uint64_t last = 0;

	publish(f, "one");
	publish(f, "two");
	room_lock(f->room);
	assert_int_equal(room_read(f->room, &range, read_one, &last), 1);
	assert_int_equal(last, room_delivered(f->room));
	room_unlock(f->room);
	assert_int_equal(strlen(room_epoch(f->room)), 8);
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
	assert_false(flusher_run(f->flusher, 0));
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
	flusher_run(f->flusher, 0);
	assert_int_equal(f->ann.frames, 3);
	assert_int_equal(f->bob.frames, 1);
	f->ann.answer = TAKE_A_FRAME;
	announce(f, "d");
	announce(f, "e");
	flusher_run(f->flusher, 0);
	assert_int_equal(f->ann.frames, 3);
	f->ann.answer = TAKE_ALL;
	reader_writable(&f->ann.member.reader);
	assert_int_equal(f->ann.frames, 5);
}

/* A message that is worth it is compressed, once, for those who take that; the others get it as it is. */
static void compresses_once_for_all_who_take_it(void **state)
{
	struct fixture *f = *state;
	char text[201];

	memset(text, 'x', 200);
	text[200] = '\0';
	join(f, &f->ann, "ann");
	assert_int_equal(enter(f, f->room, &f->bob, "bob", ROOM_PLAIN, true), 1);
	assert_int_equal(enter(f, f->room, &f->cy, "cy", ROOM_PLAIN, true), 1);
	publish(f, text);
	announce(f, "short");
	flusher_run(f->flusher, 0);
	assert_int_equal(f->ann.size, 4 + 202 + 7);
	assert_true(f->bob.size < 40);
	assert_int_equal((unsigned char)f->bob.bytes[0], 0xc1);
	assert_memory_equal(f->bob.bytes + f->bob.size - 7, "\x81\x05short", 7);
	assert_received(&f->cy, f->bob.bytes, f->bob.size);
	room_leave(&f->bob.member);
	room_leave(&f->cy.member);
	assert_int_equal(enter(f, f->room, &f->cy, "cy", ROOM_PLAIN, true), 1);
	f->cy.size = 0;
	publish(f, text);
	flusher_run(f->flusher, 0);
	assert_true(f->cy.size < 40);
}

static void destroys_nothing(void **state)
{
	rooms_destroy(NULL);
	flushers_destroy(NULL);
	fanout_destroy(NULL);
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
		TEST(a_dropped_member_holds_the_room),
		TEST(publishing_may_drop_the_last_member_too),
		TEST(a_busy_turn_overruns_nobody_who_keeps_up),
		TEST(what_never_fits_is_refused_and_drops_nobody),
		TEST(one_room_for_one_name),
		TEST(rooms_do_not_hear_each_other),
		TEST(a_room_lasts_while_it_is_held),
		TEST(a_room_that_goes_before_the_flush),
		TEST(history_outlives_the_room),
		TEST(a_room_whose_journal_fails_is_not_there),
		TEST(only_so_many),
		TEST(only_so_many_at_once),
		TEST(unlisted_room),
		TEST(lists_rooms),
		TEST(lists_its_people),
		TEST(enters_and_listens_later),
		TEST(tells_kinds_different_things),
		TEST(reads_what_it_has_delivered),
		TEST(many_members_come_and_go),
		TEST(counts_frames),
		TEST(compresses_once_for_all_who_take_it),
		cmocka_unit_test(destroys_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
