#include "unit.h"

#include "unit-journal.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Which rooms SQLite forgets, when it is told to keep only so many. */

static char directory[64];
static char file[80];

static int setup(void **state)
{
	strcpy(directory, "/tmp/test-rooms-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(file, sizeof(file), "%s/chat.db", directory);
	return 0;
}

static int teardown(void **state)
{
	return journal_remove_directory(directory);
}

static struct journal *create(size_t max)
{
	struct journal *journal;
	char specification[96];

	snprintf(specification, sizeof(specification), "sqlite:%s", file);
	assert_int_equal(journal_create(&journal, specification, 10000), 0);
	journal_limit_rooms(journal, max);
	return journal;
}

/* The first column of the first row. */
static int64_t query(const char *text)
{
	sqlite3 *sqlite;
	sqlite3_stmt *statement;
	int64_t value;

	assert_int_equal(sqlite3_open(file, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite, text, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(sqlite);
	return value;
}

static void ignore(void *user, const struct journal_entry *entries, size_t n)
{
}

static struct journal_stream *open_room(struct journal *journal, const char *name, unsigned n)
{
	struct journal_stream *stream;
	char room[32];

	snprintf(room, sizeof(room), "%s-%u", name, n);
	assert_int_equal(journal_open(journal, room, ignore, NULL, &stream), 0);
	return stream;
}

static void visit(struct journal *journal, const char *name, unsigned n)
{
	struct journal_stream *stream = open_room(journal, name, n);

	assert_false(publish_with_key(stream, "x", "key").repeated);
	journal_close(stream);
}

static uint64_t head_of(struct journal *journal, const char *name, unsigned n)
{
	struct journal_stream *stream = open_room(journal, name, n);
	uint64_t head = journal_head(stream);

	journal_close(stream);
	return head;
}

/* Waits until it keeps so many. */
static void assert_keeps(struct journal *journal, uint64_t rooms)
{
	for (int i = 0; i < 1000 && journal_metrics(journal)->rooms != rooms; i++)
		usleep(10000);
	assert_int_equal(journal_metrics(journal)->rooms, rooms);
	assert_int_equal(query("SELECT count(*) FROM rooms"), rooms);
}

static void assert_nothing_is_left_behind(void)
{
	assert_int_equal(
		query("SELECT count(*) FROM messages WHERE room NOT IN (SELECT id FROM rooms)"), 0);
	assert_int_equal(
		query("SELECT count(*) FROM keys WHERE room NOT IN (SELECT id FROM rooms)"), 0);
}

static void those_that_were_in_use_longest_stay(void **state)
{
	struct journal *journal = create(5);

	visit(journal, "lobby", 0);
	usleep(1100 * 1000);
	visit(journal, "stranger", 0);
	{
		struct journal_stream *lobby = open_room(journal, "lobby", 0);

		publish(lobby, "y");
		journal_close(lobby);
	}
	for (unsigned i = 1; i < 200; i++)
		visit(journal, "stranger", i);
	assert_keeps(journal, 5);
	assert_nothing_is_left_behind();
	assert_int_equal(journal_metrics(journal)->rooms_forgotten, 196);
	assert_int_equal(head_of(journal, "lobby", 0), 2);
	assert_int_equal(head_of(journal, "stranger", 0), 0);
	assert_int_equal(head_of(journal, "stranger", 195), 0);
	for (unsigned i = 196; i < 200; i++)
		assert_int_equal(head_of(journal, "stranger", i), 1);
	journal_destroy(journal);
	/* It counts those that are there. */
	journal = create(3);
	assert_keeps(journal, 3);
	assert_int_equal(head_of(journal, "lobby", 0), 2);
	visit(journal, "stranger", 0);
	assert_keeps(journal, 3);
	assert_int_equal(head_of(journal, "stranger", 0), 1);
	journal_destroy(journal);
}

static int64_t for_ever(const struct journal_mark *mark)
{
	return INT64_MAX;
}

static void open_ones_stay_and_those_with_marks(void **state)
{
	const struct journal_mark mark = {.key = "ban", .key_size = 3, .until = for_ever};
	struct journal *journal = create(2);
	struct journal_stream *marked = open_room(journal, "marked", 0);
	struct journal_stream *open = open_room(journal, "open", 0);

	publish_with(marked,
		     &(struct journal_publication){.payload = "x", .size = 1, .mark = &mark});
	journal_close(marked);
	publish(open, "x");
	for (unsigned i = 0; i < 10; i++)
		visit(journal, "stranger", i);
	assert_keeps(journal, 2);
	publish(open, "y");
	assert_reads(open, 0, 10, "1:x 2:y ");
	journal_close(open);
	assert_int_equal(head_of(journal, "marked", 0), 1);
	assert_int_equal(head_of(journal, "open", 0), 2);
	journal_destroy(journal);
}

static void execute(const char *text)
{
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(file, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sqlite);
}

static void a_large_one_goes_bit_by_bit(void **state)
{
	struct journal *journal = create(100);
	struct journal_stream *stream;

	visit(journal, "large", 0);
	journal_destroy(journal);
	execute("WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers"
		"  WHERE n < 10000)"
		"INSERT INTO messages SELECT room, n, time, 'x' FROM messages, numbers;"
		"UPDATE rooms SET head = 10000");
	journal = create(100);
	usleep(1100 * 1000);
	visit(journal, "other", 0);
	stream = open_room(journal, "large", 0);
	visit(journal, "another", 0);
	journal_limit_rooms(journal, 2);
	visit(journal, "another", 1);
	assert_keeps(journal, 2);
	journal_close(stream);
	assert_int_equal(head_of(journal, "large", 0), 10000);
	journal_limit_rooms(journal, 1);
	visit(journal, "last", 0);
	assert_keeps(journal, 1);
	assert_int_equal(head_of(journal, "last", 0), 1);
	assert_nothing_is_left_behind();
	journal_destroy(journal);
}

struct crowd {
	struct journal *journal;
	_Atomic unsigned seed;
};

static void *visit_many(void *user)
{
	struct crowd *crowd = user;
	unsigned seed = ++crowd->seed;
	char name[16];

	snprintf(name, sizeof(name), "of-%u", seed);
	for (unsigned i = 0; i < 100; i++) {
		struct journal_stream *stream =
			open_room(crowd->journal, name, (unsigned)rand_r(&seed) % 8);
		uint64_t head = journal_head(stream);

		assert_int_equal(publish_with_key(stream, "x", NULL).sequence, head + 1);
		assert_int_equal(publish_with_key(stream, "x", NULL).sequence, head + 2);
		journal_close(stream);
	}
	return NULL;
}

/* Who opens a room that is just being forgotten finds all of it or nothing. */
static void while_they_are_opened(void **state)
{
	struct crowd crowd = {.journal = create(4)};
	pthread_t threads[4];

	for (size_t i = 0; i < LENGTH(threads); i++)
		pthread_create(&threads[i], NULL, visit_many, &crowd);
	for (size_t i = 0; i < LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
	assert_keeps(crowd.journal, 4);
	assert_nothing_is_left_behind();
	assert_int_equal(query("SELECT count(*) FROM rooms WHERE head != (SELECT max(sequence)"
			       " FROM messages WHERE room = id)"),
			 0);
	assert_true(journal_metrics(crowd.journal)->rooms_forgotten > 28);
	journal_destroy(crowd.journal);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(those_that_were_in_use_longest_stay),
		TEST(open_ones_stay_and_those_with_marks),
		TEST(a_large_one_goes_bit_by_bit),
		TEST(while_they_are_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
