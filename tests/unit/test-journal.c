#include "unit.h"

#include "journal.h"
#include "unit-journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What holds for every journal is tested with each of them. */

/* As many streams are kept by memory after their rooms are gone. */
#define IDLE_STREAMS 1024

struct fixture {
	const char *kind;
	char directory[64];
};

static int setup(void **state, const char *kind)
{
	static struct fixture fixture;

	fixture = (struct fixture){.kind = kind, .directory = "/tmp/test-journal-XXXXXX"};
	*state = &fixture;
	return mkdtemp(fixture.directory) ? 0 : -1;
}

static int setup_memory(void **state)
{
	return setup(state, "memory");
}

static int setup_sqlite(void **state)
{
	return setup(state, "sqlite");
}

static int teardown(void **state)
{
	const struct fixture *fixture = *state;

	return journal_remove_directory(fixture->directory);
}

/* The test's journal, the same one again when it has been destroyed. */
static struct journal *create(void **state, unsigned history)
{
	const struct fixture *fixture = *state;
	struct journal *journal;
	char specification[128];

	snprintf(specification, sizeof(specification),
		 !strcmp(fixture->kind, "memory") ? "memory" : "sqlite:%s/chat.db",
		 fixture->directory);
	assert_int_equal(journal_create(&journal, specification, history), 0);
	return journal;
}

static int64_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

static void knows_its_specifications(void **state)
{
	static const char *const unknown[] = {"",	  "mem",      "memoryx", "Memory",
					      ":memory",  "memory x", "redis",	 "memory:/tmp/x",
					      "memory:x", "sqlite",   "sqlite:", "sqlit:/tmp/x"};
	struct journal *journal;

	assert_true(journal_is_known("memory"));
	assert_true(journal_is_known("sqlite:/var/lib/chat.db"));
	for (size_t i = 0; i < LENGTH(unknown); i++) {
		assert_false(journal_is_known(unknown[i]));
		assert_int_equal(journal_create(&journal, unknown[i], 10), -EINVAL);
	}
	journal_destroy(NULL);
	journal_close(NULL);
}

static void delivers_in_sequence(void **state)
{
	struct record record = {0};
	struct journal *journal = create(state, 10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	assert_int_equal(journal_head(stream), 0);
	publish(stream, "a");
	assert_int_equal(journal_head(stream), 1);
	publish(stream, "");
	publish(stream, "c");
	assert_int_equal(journal_head(stream), 3);
	assert_string_equal(record.text, "1:a 2: 3:c ");
	journal_close(stream);
	journal_destroy(journal);
}

static void each_room_has_its_own_sequence(void **state)
{
	struct record first = {0}, second = {0};
	struct journal *journal = create(state, 10);
	struct journal_stream *a = open_stream(journal, "a", &first);
	struct journal_stream *b = open_stream(journal, "b", &second);

	publish(a, "x");
	publish(b, "y");
	publish(a, "z");
	assert_string_equal(first.text, "1:x 2:z ");
	assert_string_equal(second.text, "1:y ");
	assert_string_not_equal(journal_epoch(a), journal_epoch(b));
	assert_reads(a, 0, 10, "1:x 2:z ");
	assert_reads(b, 0, 10, "1:y ");
	journal_close(a);
	journal_close(b);
	journal_destroy(journal);
}

static void time_is_that_of_publishing(void **state)
{
	struct record record = {0}, read = {0};
	struct journal *journal = create(state, 10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	int64_t before = now();

	publish(stream, "a");
	assert_in_range(record.last_time, before, now());
	read_range(stream, 0, 0, 1, false, &read);
	assert_int_equal(read.last_time, record.last_time);
	journal_close(stream);
	journal_destroy(journal);
}

static void payload_is_copied(void **state)
{
	struct record record = {0};
	struct journal *journal = create(state, 10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	char payload[] = "good";

	publish(stream, payload);
	memset(payload, 'x', 4);
	assert_reads(stream, 0, 10, "1:good ");
	journal_close(stream);
	journal_destroy(journal);
}

static void keeps_the_newest(void **state)
{
	static const struct {
		unsigned history, published;
		const char *kept;
	} rows[] = {
		{0, 5, ""},
		{1, 5, "5:5 "},
		{3, 2, "1:1 2:2 "},
		{3, 3, "1:1 2:2 3:3 "},
		{3, 4, "2:2 3:3 4:4 "},
		{3, 40, "38:38 39:39 40:40 "},
		{16, 17,
		 "2:2 3:3 4:4 5:5 6:6 7:7 8:8 9:9 10:10 11:11 12:12 13:13 14:14 15:15 "
		 "16:16 17:17 "},
		{20, 21,
		 "2:2 3:3 4:4 5:5 6:6 7:7 8:8 9:9 10:10 11:11 12:12 13:13 14:14 15:15 "
		 "16:16 17:17 18:18 19:19 20:20 21:21 "},
		{100, 18,
		 "1:1 2:2 3:3 4:4 5:5 6:6 7:7 8:8 9:9 10:10 11:11 12:12 13:13 14:14 15:15 "
		 "16:16 17:17 18:18 "},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct record record = {0};
		struct journal *journal = create(state, rows[i].history);
		char room[16];
		struct journal_stream *stream;

		snprintf(room, sizeof(room), "room-%zu", i);
		stream = open_stream(journal, room, &record);

		publish_numbers(stream, rows[i].published);
		assert_int_equal(record.count, rows[i].published);
		assert_int_equal(journal_head(stream), rows[i].published);
		assert_reads(stream, 0, 1000, rows[i].kept);
		journal_close(stream);
		journal_destroy(journal);
	}
}

/* As it grows no message moves out of its place. */
static void history_is_whole_at_every_length(void **state)
{
	struct record record = {0};
	struct journal *journal = create(state, 70);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	for (unsigned n = 1; n <= 200; n++) {
		struct record read = {0};
		unsigned kept = n < 70 ? n : 70;

		record.text[0] = '\0';
		publish(stream, "x");
		assert_int_equal(read_range(stream, 0, 0, UINT32_MAX, false, &read), kept);
		assert_int_equal(read.last_sequence, n);
		read = (struct record){0};
		assert_int_equal(read_range(stream, n - kept, 0, 1, false, &read), 1);
		assert_int_equal(read.last_sequence, n - kept + 1);
	}
	journal_close(stream);
	journal_destroy(journal);
}

static void reads_after_and_up_to_a_limit(void **state)
{
	struct record record = {0};
	struct journal *journal = create(state, 5);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	publish_numbers(stream, 8);
	assert_reads(stream, 0, 2, "4:4 5:5 ");
	assert_reads(stream, 3, 2, "4:4 5:5 ");
	assert_reads(stream, 4, 2, "5:5 6:6 ");
	assert_reads(stream, 6, 10, "7:7 8:8 ");
	assert_reads(stream, 6, 0, "");
	assert_reads(stream, 8, 10, "");
	assert_reads(stream, 9, 10, "");
	journal_close(stream);
	journal_destroy(journal);
}

/* Who asks chooses these numbers, the largest there is among them. */
static void reads_nothing_after_the_end_of_numbers(void **state)
{
	static const unsigned histories[] = {0, 1, 5, 100};

	for (size_t i = 0; i < LENGTH(histories); i++) {
		struct record record = {0};
		struct journal *journal = create(state, histories[i]);
		char room[16];
		struct journal_stream *stream;

		snprintf(room, sizeof(room), "room-%zu", i);
		stream = open_stream(journal, room, &record);

		assert_reads(stream, 0, UINT32_MAX, "");
		assert_reads(stream, UINT64_MAX, UINT32_MAX, "");
		publish_numbers(stream, 8);
		assert_reads(stream, UINT64_MAX - 1, UINT32_MAX, "");
		assert_reads(stream, UINT64_MAX, UINT32_MAX, "");
		journal_close(stream);
		journal_destroy(journal);
	}
}

static void reopened_stream_goes_on(void **state)
{
	struct record record = {0}, later = {0};
	struct journal *journal = create(state, 10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	char epoch[32];

	publish(stream, "a");
	snprintf(epoch, sizeof(epoch), "%s", journal_epoch(stream));
	journal_close(stream);
	stream = open_stream(journal, "lobby", &later);
	assert_string_equal(journal_epoch(stream), epoch);
	assert_int_equal(journal_head(stream), 1);
	publish(stream, "b");
	assert_string_equal(record.text, "1:a ");
	assert_string_equal(later.text, "2:b ");
	assert_reads(stream, 0, 10, "1:a 2:b ");
	journal_close(stream);
	journal_destroy(journal);
}

static void a_stream_is_open_once_at_a_time(void **state)
{
	struct record record = {0};
	struct journal *journal = create(state, 10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	struct journal_stream *second;

	assert_int_equal(journal_open(journal, "lobby", journal_note_all, &record, &second),
			 -EBUSY);
	journal_close(stream);
	stream = open_stream(journal, "lobby", &record);
	journal_close(stream);
	journal_destroy(journal);
}

static void each_run_has_its_own_epoch(void **state)
{
	char epoch[32];

	for (int i = 0; i < 2; i++) {
		struct record record = {0};
		struct journal *journal = create(state, 10);
		struct journal_stream *stream = open_stream(journal, "lobby", &record);

		publish(stream, "a");
		assert_true(strlen(journal_epoch(stream)) > 0);
		if (i)
			assert_string_not_equal(journal_epoch(stream), epoch);
		snprintf(epoch, sizeof(epoch), "%s", journal_epoch(stream));
		journal_close(stream);
		journal_destroy(journal);
	}
}

/* Opens the n-th room, publishes there and leaves it. */
static void visit(struct journal *journal, unsigned n)
{
	struct record record = {0};
	struct journal_stream *stream;
	char room[16];

	snprintf(room, sizeof(room), "room-%u", n);
	stream = open_stream(journal, room, &record);
	publish(stream, "x");
	journal_close(stream);
}

static uint64_t head_of(struct journal *journal, const char *room)
{
	struct record record = {0};
	struct journal_stream *stream = open_stream(journal, room, &record);
	uint64_t head = journal_head(stream);

	journal_close(stream);
	return head;
}

/* Of those that are worth the same. */
static void forgets_what_was_left_longest_ago(void **state)
{
	struct record record = {0};
	struct journal *journal = create(state, 10);
	struct journal_stream *held = open_stream(journal, "held", &record);

	publish(held, "x");
	for (unsigned n = 0; n < IDLE_STREAMS; n++)
		visit(journal, n);
	assert_int_equal(head_of(journal, "room-0"), 1); /* which makes it the newest */
	visit(journal, IDLE_STREAMS);
	visit(journal, IDLE_STREAMS + 1);
	assert_int_equal(head_of(journal, "room-1"), 0);
	assert_int_equal(head_of(journal, "room-2"), 0);
	assert_int_equal(head_of(journal, "room-3"), 1);
	assert_int_equal(head_of(journal, "room-0"), 1);
	assert_int_equal(head_of(journal, "room-1025"), 1);
	assert_int_equal(journal_head(held), 1);
	assert_reads(held, 0, 10, "1:x ");
	journal_close(held);
	journal_destroy(journal);
}

/* Rooms in which nobody ever spoke must not push out those that have a history. */
static void keeps_no_stream_without_messages(void **state)
{
	struct journal *journal = create(state, 10);

	visit(journal, 0);
	for (unsigned n = 1; n <= 2 * IDLE_STREAMS; n++) {
		char room[16];

		snprintf(room, sizeof(room), "silent-%u", n);
		assert_int_equal(head_of(journal, room), 0);
	}
	assert_int_equal(head_of(journal, "room-0"), 1);
	journal_destroy(journal);
}

static void many_open_streams_are_all_kept(void **state)
{
	static struct journal_stream *streams[2 * IDLE_STREAMS];
	static struct record record;
	struct journal *journal = create(state, 1);

	for (unsigned n = 0; n < LENGTH(streams); n++) {
		char room[16];

		snprintf(room, sizeof(room), "open-%u", n);
		streams[n] = open_stream(journal, room, &record);
		record.text[0] = '\0';
		publish(streams[n], "x");
	}
	for (unsigned n = 0; n < LENGTH(streams); n++) {
		assert_reads(streams[n], 0, 10, "1:x ");
		journal_close(streams[n]);
	}
	assert_int_equal(head_of(journal, "open-0"), 0);
	assert_int_equal(head_of(journal, "open-2047"), 1);
	journal_destroy(journal);
}

static void assert_range(struct journal_stream *stream, uint64_t after, uint64_t before,
			 unsigned limit, bool newest, const char *expected)
{
	struct record record = {0};
	int count = read_range(stream, after, before, limit, newest, &record);

	assert_string_equal(record.text, expected);
	assert_int_equal(count, record.count);
}

static void reads_pages(void **state)
{
	struct record record = {0};
	struct journal *journal = create(state, 5);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	publish_numbers(stream, 8);
	assert_range(stream, 0, 0, 3, true, "6:6 7:7 8:8 ");
	assert_range(stream, 0, 0, 100, true, "4:4 5:5 6:6 7:7 8:8 ");
	assert_range(stream, 0, 7, 2, true, "5:5 6:6 ");
	assert_range(stream, 0, 7, 2, false, "4:4 5:5 ");
	assert_range(stream, 0, 5, 2, true, "4:4 ");
	assert_range(stream, 0, 4, 2, true, "");
	assert_range(stream, 0, 1, 2, true, "");
	assert_range(stream, 5, 8, 10, false, "6:6 7:7 ");
	assert_range(stream, 5, 6, 10, false, "");
	assert_range(stream, 6, 5, 10, true, "");
	assert_range(stream, 0, 9, 1, true, "8:8 ");
	assert_range(stream, 0, UINT64_MAX, 1, true, "8:8 ");
	assert_range(stream, UINT64_MAX, UINT64_MAX, UINT32_MAX, true, "");
	journal_close(stream);
	journal_destroy(journal);
}

/* Payloads of 10 bytes: 3 of them have 30. */
static void reads_no_more_bytes_than_wanted(void **state)
{
	static const struct {
		size_t bytes;
		unsigned limit;
		bool newest;
		uint64_t after, before, first, last;
	} cases[] = {
		{30, 9, true, 0, 0, 6, 8},  {39, 9, true, 0, 0, 6, 8},	{40, 9, true, 0, 0, 5, 8},
		{30, 2, true, 0, 0, 7, 8},  {30, 9, true, 0, 6, 4, 5},	{1, 9, true, 0, 0, 8, 8},
		{30, 9, false, 0, 0, 4, 6}, {39, 9, false, 5, 0, 6, 8}, {1, 9, false, 6, 0, 7, 7},
		{30, 9, false, 4, 7, 5, 6}, {999, 9, true, 0, 0, 4, 8}, {999, 9, false, 0, 0, 4, 8},
	};
	struct record delivered = {0};
	struct journal *journal = create(state, 5);
	struct journal_stream *stream = open_stream(journal, "lobby", &delivered);

	for (unsigned i = 0; i < 8; i++)
		publish(stream, "ten bytes.");
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct journal_range range = {
			.after = cases[i].after,
			.before = cases[i].before,
			.limit = cases[i].limit,
			.bytes = cases[i].bytes,
			.newest = cases[i].newest,
		};
		struct record record = {0};

		assert_int_equal(journal_read(stream, &range, journal_note, &record),
				 cases[i].last - cases[i].first + 1);
		assert_int_equal(record.last_sequence, cases[i].last);
		assert_int_equal(strtoull(record.text, NULL, 10), cases[i].first);
	}
	journal_close(stream);
	journal_destroy(journal);
}

static void the_same_key_is_the_same_message(void **state)
{
	struct record record = {0}, other_record = {0};
	struct journal *journal = create(state, 2);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	struct journal_stream *other = open_stream(journal, "other", &other_record);
	struct journal_publication publication;

	publication = publish_with_key(stream, "a", "ann c-1");
	assert_int_equal(publication.sequence, 1);
	assert_false(publication.repeated);
	assert_int_equal(publish_with_key(stream, "b", "ann c-2").sequence, 2);
	publish(stream, "c");
	publish(stream, "d"); /* a is in the history no longer */
	publication = publish_with_key(stream, "something else", "ann c-1");
	assert_int_equal(publication.result, 0);
	assert_int_equal(publication.sequence, 1);
	assert_true(publication.repeated);
	/* Another key, a part of one, and the same one in another room. */
	assert_false(publish_with_key(stream, "e", "bob c-1").repeated);
	assert_false(publish_with_key(stream, "f", "ann c-").repeated);
	assert_false(publish_with_key(other, "g", "ann c-1").repeated);
	assert_string_equal(record.text, "1:a 2:b 3:c 4:d 5:e 6:f ");
	assert_string_equal(other_record.text, "1:g ");
	journal_close(stream);
	stream = open_stream(journal, "lobby", &record);
	assert_true(publish_with_key(stream, "h", "ann c-2").repeated);
	journal_close(stream);
	journal_close(other);
	journal_destroy(journal);
}

static void keeps_no_longer_than_told(void **state)
{
	struct record record = {0};
	struct journal *journal = create(state, 10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	journal_limit_age(journal, 1);
	publish(stream, "a");
	publish(stream, "b");
	usleep(600 * 1000);
	publish(stream, "c");
	assert_reads(stream, 0, 10, "1:a 2:b 3:c ");
	usleep(600 * 1000);
	assert_reads(stream, 0, 10, "3:c ");
	assert_range(stream, 0, 3, 10, true, "");
	assert_reads(stream, 0, 1, "3:c ");
	usleep(600 * 1000);
	assert_reads(stream, 0, 10, "");
	publish(stream, "d");
	assert_reads(stream, 0, 10, "4:d ");
	assert_string_equal(record.text, "1:a 2:b 3:c 4:d ");
	assert_int_equal(journal_metrics(journal)->disk_reads, 0); /* it's known to be gone */
	journal_close(stream);
	journal_destroy(journal);
}

/* Payloads with any bytes, none, and many. */
static void what_is_redacted_is_gone(void **state)
{
	struct record record = {0};
	struct journal *journal = create(state, 4);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	publish(stream, "one");
	publish(stream, "two");
	publish(stream, "three");
	assert_int_equal(publish_redacting(stream, "gone", 2, "t", "-"), 0);
	assert_string_equal(record.text, "1:one 2:two 3:three 4:gone ");
	assert_reads(stream, 0, 10, "1:one 2:- 3:three 4:gone ");
	assert_int_equal(publish_redacting(stream, "x", 2, "t", "again"), -ENOENT);
	assert_int_equal(publish_redacting(stream, "x", 1, "ones", "other"), -ENOENT);
	assert_int_equal(publish_redacting(stream, "x", 9, "", "not yet"), -ENOENT);
	assert_int_equal(publish_redacting(stream, "x", 0, "", "never"), -ENOENT);
	assert_int_equal(journal_head(stream), 4);
	assert_int_equal(publish_redacting(stream, "5", 3, "three", ""), 0);
	assert_reads(stream, 0, 10, "2:- 3: 4:gone 5:5 ");
	journal_close(stream);
	stream = open_stream(journal, "lobby", &record);
	assert_reads(stream, 0, 10, "2:- 3: 4:gone 5:5 ");
	journal_close(stream);
	journal_destroy(journal);
}

static void any_payload(void **state)
{
	struct record record = {0};
	struct journal *journal = create(state, 10);
	struct journal_stream *stream =
		open_stream(journal, "r\xc3\xb6om '; DROP TABLE rooms; --", &record);
	char *large = malloc(100001);

	memset(large, 'x', 100000);
	large[100000] = '\0';
	publish(stream, "");
	publish(stream, "\xff\x01'");
	publish(stream, large);
	assert_int_equal(record.count, 3);
	record.text[0] = '\0';
	assert_int_equal(read_range(stream, 0, 3, 10, false, &record), 2);
	assert_string_equal(record.text, "1: 2:\xff\x01' ");
	free(large);
	journal_close(stream);
	journal_destroy(journal);
}

#define ON(function, kind)                                                                         \
	{                                                                                          \
		.name = #function " on " #kind, .test_func = (function),                           \
		.setup_func = setup_##kind, .teardown_func = teardown                              \
	}
#define ON_EACH(function) ON(function, memory), ON(function, sqlite)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_its_specifications),
		ON_EACH(delivers_in_sequence),
		ON_EACH(each_room_has_its_own_sequence),
		ON_EACH(time_is_that_of_publishing),
		ON_EACH(payload_is_copied),
		ON_EACH(keeps_the_newest),
		ON_EACH(history_is_whole_at_every_length),
		ON_EACH(reads_after_and_up_to_a_limit),
		ON_EACH(reads_nothing_after_the_end_of_numbers),
		ON_EACH(reads_pages),
		ON_EACH(reads_no_more_bytes_than_wanted),
		ON_EACH(the_same_key_is_the_same_message),
		ON_EACH(keeps_no_longer_than_told),
		ON_EACH(what_is_redacted_is_gone),
		ON_EACH(any_payload),
		ON_EACH(reopened_stream_goes_on),
		ON_EACH(a_stream_is_open_once_at_a_time),
		ON(each_run_has_its_own_epoch, memory),
		ON(forgets_what_was_left_longest_ago, memory),
		ON_EACH(keeps_no_stream_without_messages),
		ON(many_open_streams_are_all_kept, memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
