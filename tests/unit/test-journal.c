#include "unit.h"

#include "journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As many streams are kept after their rooms are gone. */
#define IDLE_STREAMS 1024

/* What a journal delivered or read: each payload with its sequence, such as "1:a 2:b ". */
struct record {
	char text[4096];
	size_t count;
	int64_t last_time;
	uint64_t last_sequence;
};

static void note(void *user, const struct journal_entry *entry)
{
	struct record *record = user;
	size_t used = strlen(record->text);

	snprintf(record->text + used, sizeof(record->text) - used, "%llu:%.*s ",
		 (unsigned long long)entry->sequence, (int)entry->size,
		 (const char *)entry->payload);
	record->count++;
	record->last_time = entry->time;
	record->last_sequence = entry->sequence;
}

static struct journal *create(unsigned history)
{
	struct journal *journal;

	assert_int_equal(journal_create(&journal, "memory", history), 0);
	return journal;
}

static struct journal_stream *open_stream(struct journal *journal, const char *room,
					  struct record *record)
{
	struct journal_stream *stream;

	assert_int_equal(journal_open(journal, room, note, record, &stream), 0);
	return stream;
}

static void publish(struct journal_stream *stream, const char *text)
{
	assert_int_equal(journal_publish(stream, text, strlen(text)), 0);
}

/* Publishes the numbers 1 to n as text. */
static void publish_numbers(struct journal_stream *stream, unsigned n)
{
	char text[16];

	for (unsigned i = 1; i <= n; i++) {
		snprintf(text, sizeof(text), "%u", i);
		publish(stream, text);
	}
}

static void assert_reads(struct journal_stream *stream, uint64_t after, unsigned limit,
			 const char *expected)
{
	struct record record = {0};
	int count = journal_read(stream, after, limit, note, &record);

	assert_string_equal(record.text, expected);
	assert_int_equal(count, record.count);
}

static int64_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

static void knows_its_specifications(void **state)
{
	static const char *const unknown[] = {"",	 "mem",	     "memoryx", "Memory",
					      ":memory", "memory x", "redis"};
	struct journal *journal;

	assert_true(journal_is_known("memory"));
	for (size_t i = 0; i < LENGTH(unknown); i++) {
		assert_false(journal_is_known(unknown[i]));
		assert_int_equal(journal_create(&journal, unknown[i], 10), -EINVAL);
	}
	/* Memory is nowhere. */
	assert_int_equal(journal_create(&journal, "memory:/tmp/x", 10), -EINVAL);
	journal_destroy(NULL);
	journal_close(NULL);
}

static void delivers_in_sequence(void **state)
{
	struct record record = {0};
	struct journal *journal = create(10);
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
	struct journal *journal = create(10);
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
	struct journal *journal = create(10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	int64_t before = now();

	publish(stream, "a");
	assert_in_range(record.last_time, before, now());
	journal_read(stream, 0, 1, note, &read);
	assert_int_equal(read.last_time, record.last_time);
	journal_close(stream);
	journal_destroy(journal);
}

static void payload_is_copied(void **state)
{
	struct record record = {0};
	struct journal *journal = create(10);
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
		struct journal *journal = create(rows[i].history);
		struct journal_stream *stream = open_stream(journal, "lobby", &record);

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
	struct journal *journal = create(70);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	for (unsigned n = 1; n <= 200; n++) {
		struct record read = {0};
		unsigned kept = n < 70 ? n : 70;

		record.text[0] = '\0';
		publish(stream, "x");
		assert_int_equal(journal_read(stream, 0, UINT32_MAX, note, &read), kept);
		assert_int_equal(read.last_sequence, n);
		read = (struct record){0};
		assert_int_equal(journal_read(stream, n - kept, 1, note, &read), 1);
		assert_int_equal(read.last_sequence, n - kept + 1);
	}
	journal_close(stream);
	journal_destroy(journal);
}

static void reads_after_and_up_to_a_limit(void **state)
{
	struct record record = {0};
	struct journal *journal = create(5);
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
		struct journal *journal = create(histories[i]);
		struct journal_stream *stream = open_stream(journal, "lobby", &record);

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
	struct journal *journal = create(10);
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
	struct journal *journal = create(10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	struct journal_stream *second;

	assert_int_equal(journal_open(journal, "lobby", note, &record, &second), -EBUSY);
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
		struct journal *journal = create(10);
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

static void forgets_what_was_left_longest_ago(void **state)
{
	struct record record = {0};
	struct journal *journal = create(10);
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
	struct journal *journal = create(10);

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
	struct journal *journal = create(1);

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_its_specifications),
		cmocka_unit_test(delivers_in_sequence),
		cmocka_unit_test(each_room_has_its_own_sequence),
		cmocka_unit_test(time_is_that_of_publishing),
		cmocka_unit_test(payload_is_copied),
		cmocka_unit_test(keeps_the_newest),
		cmocka_unit_test(history_is_whole_at_every_length),
		cmocka_unit_test(reads_after_and_up_to_a_limit),
		cmocka_unit_test(reads_nothing_after_the_end_of_numbers),
		cmocka_unit_test(reopened_stream_goes_on),
		cmocka_unit_test(a_stream_is_open_once_at_a_time),
		cmocka_unit_test(each_run_has_its_own_epoch),
		cmocka_unit_test(forgets_what_was_left_longest_ago),
		cmocka_unit_test(keeps_no_stream_without_messages),
		cmocka_unit_test(many_open_streams_are_all_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
