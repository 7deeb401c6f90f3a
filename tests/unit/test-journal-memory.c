#include "unit.h"

#include "journal.h"
#include "unit-journal.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the memory journal keeps, and what goes first when that is too much. */

#define IDLE_STREAMS 1024
#define MIB ((size_t)1024 * 1024)

static void ignore(void *user, const struct journal_entry *entries, size_t n)
{
}

static void ignore_done(struct journal_publication *publication)
{
}

static struct journal *create(unsigned history, size_t bytes)
{
	struct journal *journal;

	assert_int_equal(journal_create(&journal, "memory", history), 0);
	if (bytes)
		journal_limit_bytes(journal, bytes);
	return journal;
}

static struct journal_stream *open_room(struct journal *journal, const char *name, unsigned n)
{
	struct journal_stream *stream;
	char room[32];

	snprintf(room, sizeof(room), "%s-%u", name, n);
	assert_int_equal(journal_open(journal, room, ignore, NULL, &stream), 0);
	return stream;
}

static void say(struct journal_stream *stream, size_t size, unsigned times, const char *key)
{
	static char text[65536];

	for (unsigned i = 0; i < times; i++) {
		struct journal_publication publication = {
			.payload = text, .size = size, .done = ignore_done};
		char numbered[64];

		if (key) {
			publication.key = numbered;
			publication.key_size =
				(size_t)snprintf(numbered, sizeof(numbered), "%s-%u", key, i);
		}
		journal_publish(stream, &publication);
		assert_int_equal(publication.result, 0);
	}
}

static void ignore_entry(void *user, const struct journal_entry *entry)
{
}

static int count(struct journal_stream *stream)
{
	const struct journal_range all = {.limit = UINT32_MAX};

	return journal_read(stream, &all, ignore_entry, NULL);
}

static size_t bytes(const struct journal *journal)
{
	return journal_metrics(journal)->bytes;
}

static void the_limit_holds_for_open_streams(void **state)
{
	static struct journal_stream *streams[40];
	struct journal *journal = create(100000, 4 * MIB);

	assert_int_equal(journal_bytes_max(journal), 4 * MIB);
	for (unsigned i = 0; i < LENGTH(streams); i++)
		streams[i] = open_room(journal, "room", i);
	for (unsigned turn = 0; turn < 50; turn++)
		for (unsigned i = 0; i < LENGTH(streams); i++) {
			say(streams[i], 1000, 5, NULL);
			assert_true(bytes(journal) <= 4 * MIB);
		}
	/* All of them lost as much as the others, and kept what there was room for. */
	for (unsigned i = 0; i < LENGTH(streams); i++) {
		assert_in_range(count(streams[i]), 60, 120);
		assert_int_equal(journal_head(streams[i]), 250);
		journal_close(streams[i]);
	}
	assert_true(bytes(journal) > 3 * MIB);
	journal_destroy(journal);
}

static void the_largest_loses_its_oldest(void **state)
{
	struct journal *journal = create(100000, 2 * MIB);
	struct journal_stream *idle = open_room(journal, "idle", 0);
	struct journal_stream *small = open_room(journal, "small", 0);
	struct journal_stream *large = open_room(journal, "large", 0);
	struct record record = {0};

	say(idle, 1000, 100, NULL);
	journal_close(idle);
	say(small, 1000, 100, NULL);
	say(large, 1000, 10000, NULL);
	assert_int_equal(count(small), 100);
	assert_in_range(count(large), 1500, 2000);
	read_range(large, 0, 0, UINT32_MAX, false, &record);
	assert_int_equal(record.last_sequence, 10000);
	idle = open_room(journal, "idle", 0);
	assert_int_equal(count(idle), 100);
	journal_close(idle);
	journal_close(small);
	journal_close(large);
	journal_destroy(journal);
}

/* Messages that nobody keeps have keys all the same. */
static void keys_count(void **state)
{
	struct journal *journal = create(0, 1 * MIB);
	struct journal_stream *a = open_room(journal, "a", 0);
	struct journal_stream *b = open_room(journal, "b", 0);
	struct journal_publication again;

	say(b, 10, 10, "kept");
	say(a, 10, 30000, "key");
	assert_true(bytes(journal) <= 1 * MIB);
	again = publish_with_key(a, "x", "key-29999");
	assert_true(again.repeated);
	again = publish_with_key(a, "x", "key-0");
	assert_false(again.repeated);
	again = publish_with_key(b, "x", "kept-0");
	assert_true(again.repeated);
	journal_close(a);
	journal_close(b);
	journal_destroy(journal);
}

/* Nor may rings that were once large, or rooms with little in them but their names. */
static void idle_ones_go_where_there_is_nothing_else_to_take(void **state)
{
	struct journal *journal = create(1, 1 * MIB);
	struct journal_stream *stream;

	for (unsigned i = 0; i < IDLE_STREAMS; i++) {
		stream = open_room(journal, "idle", i);
		say(stream, 1, 1, NULL);
		journal_close(stream);
	}
	assert_true(bytes(journal) > MIB / 4);
	journal_limit_bytes(journal, MIB / 4);
	stream = open_room(journal, "open", 0);
	say(stream, 1, 1, NULL);
	assert_true(bytes(journal) <= MIB / 4);
	journal_close(stream);
	stream = open_room(journal, "idle", 0);
	assert_int_equal(journal_head(stream), 0);
	journal_close(stream);
	stream = open_room(journal, "idle", IDLE_STREAMS - 1);
	assert_int_equal(journal_head(stream), 1);
	journal_close(stream);
	journal_destroy(journal);
}

static void all_that_was_counted_is_given_back(void **state)
{
	struct journal *journal = create(1000, 0);
	struct journal_stream *stream = open_room(journal, "lobby", 0);

	assert_true(bytes(journal) > 0);
	say(stream, 100, 3000, "key");
	journal_close(stream);
	for (unsigned i = 0; i < 10; i++)
		journal_close(open_room(journal, "silent", i));
	for (unsigned i = 0; i < 2 * IDLE_STREAMS; i++) {
		stream = open_room(journal, "other", i);
		say(stream, i, 1, NULL);
		journal_close(stream);
	}
	journal_limit_bytes(journal, 1);
	stream = open_room(journal, "last", 0);
	say(stream, 1, 1, NULL);
	journal_close(stream);
	assert_in_range(bytes(journal), 1, 1000); /* of the last one */
	journal_destroy(journal);
}

/* What it says it takes is what malloc() has given. */
static void counts_truly(void **state)
{
	size_t before = mallinfo2().uordblks, taken;
	struct journal_stream *streams[10];
	struct journal *journal;

	if (!before)
		return; /* not the system's malloc() */
	journal = create(1000, 0);
	for (unsigned i = 0; i < LENGTH(streams); i++) {
		streams[i] = open_room(journal, "room", i);
		say(streams[i], 10 + i * 30, 300, i % 2 ? "key" : NULL);
	}
	taken = mallinfo2().uordblks - before;
	assert_in_range(bytes(journal) * 100 / taken, 97, 103);
	for (unsigned i = 0; i < LENGTH(streams); i++)
		journal_close(streams[i]);
	journal_destroy(journal);
}

/* Some seconds of a conversation outlast any number of rooms in which one word was said. */
static void one_word_pushes_out_no_history(void **state)
{
	struct journal *journal = create(10, 0);
	struct journal_stream *stream = open_room(journal, "lobby", 0);

	say(stream, 10, 1, NULL);
	usleep(1100 * 1000);
	say(stream, 10, 1, NULL);
	journal_close(stream);
	for (unsigned i = 0; i < 3 * IDLE_STREAMS; i++) {
		stream = open_room(journal, "stranger", i);
		say(stream, 10, 5, NULL);
		journal_close(stream);
	}
	stream = open_room(journal, "lobby", 0);
	assert_int_equal(count(stream), 2);
	journal_close(stream);
	stream = open_room(journal, "stranger", 0);
	assert_int_equal(journal_head(stream), 0);
	journal_close(stream);
	journal_destroy(journal);
}

struct crowd {
	struct journal_stream *streams[4];
	_Atomic bool done;
	_Atomic unsigned next;
};

static void *publish_much(void *user)
{
	struct crowd *crowd = user;
	struct journal_stream *stream = crowd->streams[crowd->next++];

	for (unsigned i = 0; i < 300; i++) {
		say(stream, 100 + i * 10, 10, i % 2 ? "key" : NULL);
		usleep(1000);
	}
	return NULL;
}

static void *read_much(void *user)
{
	struct crowd *crowd = user;

	while (!crowd->done)
		for (size_t i = 0; i < LENGTH(crowd->streams); i++)
			count(crowd->streams[i]);
	return NULL;
}

/* While messages grow too old, and too many. */
static void reading_beside_publishing(void **state)
{
	struct journal *journal = create(200, 1 * MIB);
	struct crowd crowd = {0};
	pthread_t writers[LENGTH(crowd.streams)], readers[2];

	journal_limit_age(journal, 1);
	for (unsigned i = 0; i < LENGTH(crowd.streams); i++)
		crowd.streams[i] = open_room(journal, "room", i);
	for (size_t i = 0; i < LENGTH(readers); i++)
		pthread_create(&readers[i], NULL, read_much, &crowd);
	for (size_t i = 0; i < LENGTH(writers); i++)
		pthread_create(&writers[i], NULL, publish_much, &crowd);
	for (size_t i = 0; i < LENGTH(writers); i++)
		pthread_join(writers[i], NULL);
	crowd.done = true;
	for (size_t i = 0; i < LENGTH(readers); i++)
		pthread_join(readers[i], NULL);
	assert_true(bytes(journal) <= 1 * MIB);
	for (unsigned i = 0; i < LENGTH(crowd.streams); i++)
		journal_close(crowd.streams[i]);
	journal_limit_bytes(journal, 1);
	journal_close(open_room(journal, "last", 0));
	journal_destroy(journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit_holds_for_open_streams),
		cmocka_unit_test(the_largest_loses_its_oldest),
		cmocka_unit_test(keys_count),
		cmocka_unit_test(idle_ones_go_where_there_is_nothing_else_to_take),
		cmocka_unit_test(all_that_was_counted_is_given_back),
		cmocka_unit_test(counts_truly),
		cmocka_unit_test(one_word_pushes_out_no_history),
		cmocka_unit_test(reading_beside_publishing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
