#include "unit.h"

#include "journal-ring.h"
#include "unit-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What only a journal in a file can do: survive the process, a full disk, an old schema. */

static char directory[64];
static char file[80];
static char specification[96];

static int setup(void **state)
{
	strcpy(directory, "/tmp/test-sqlite-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(file, sizeof(file), "%s/chat.db", directory);
	snprintf(specification, sizeof(specification), "sqlite:%s", file);
	return 0;
}

static int teardown(void **state)
{
	umount2(directory, MNT_DETACH); /* where a test that failed has left it */
	return journal_remove_directory(directory);
}

static struct journal *create(unsigned history)
{
	struct journal *journal;

	assert_int_equal(journal_create(&journal, specification, history), 0);
	return journal;
}

/* The first column of the first row. */
static int64_t query(const char *text)
{
	sqlite3 *sqlite;
	sqlite3_stmt *statement;
	int64_t value = -1;

	assert_int_equal(sqlite3_open(file, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite, text, -1, &statement, NULL), SQLITE_OK);
	if (sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(sqlite);
	return value;
}

static void execute(const char *text)
{
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(file, &sqlite), SQLITE_OK);
	sqlite3_busy_timeout(sqlite, 5000); /* the journal may be at it */
	assert_int_equal(sqlite3_exec(sqlite, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sqlite);
}

static void goes_on_after_a_restart(void **state)
{
	struct record record = {0};
	struct journal *journal = create(3);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	char epoch[32];

	publish_numbers(stream, 4);
	publish_with_key(stream, "5", "key");
	snprintf(epoch, sizeof(epoch), "%s", journal_epoch(stream));
	journal_close(stream);
	journal_destroy(journal);

	journal = create(3);
	stream = open_stream(journal, "lobby", &record);
	assert_string_equal(journal_epoch(stream), epoch);
	assert_int_equal(journal_head(stream), 5);
	assert_reads(stream, 0, 10, "3:3 4:4 5:5 ");
	assert_true(publish_with_key(stream, "x", "key").repeated);
	publish(stream, "6");
	assert_reads(stream, 0, 10, "4:4 5:5 6:6 ");
	journal_close(stream);
	journal_destroy(journal);
}

/* Whether or not the message is among the newest, which are in memory. */
static void what_is_redacted_is_gone_for_good(void **state)
{
	struct record record = {0};
	struct journal *journal = create(5000);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	publish(stream, "secret");
	publish_numbers(stream, 1100);
	journal_close(stream);
	journal_destroy(journal);
	journal = create(5000);
	stream = open_stream(journal, "lobby", &record); /* with the newest 1000 */
	assert_int_equal(publish_redacting(stream, "gone", 1, "s", "-"), 0);
	assert_int_equal(publish_redacting(stream, "gone", 1101, "1", "-"), 0);
	assert_reads(stream, 0, 1, "1:- ");
	assert_reads(stream, 1100, 10, "1101:- 1102:gone 1103:gone ");
	journal_close(stream);
	journal_destroy(journal);
	journal = create(5000);
	stream = open_stream(journal, "lobby", &record);
	assert_reads(stream, 0, 1, "1:- ");
	assert_reads(stream, 1100, 1, "1101:- ");
	journal_close(stream);
	journal_destroy(journal);
}

static bool file_has(const char *name, const char *text)
{
	char bytes[65536], path[128];
	size_t length = strlen(text), n;
	bool has = false;
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	in = fopen(path, "rb");
	if (!in)
		return false;
	while (!has && (n = fread(bytes, 1, sizeof(bytes), in)) > length) {
		has = memmem(bytes, n, text, length);
		fseek(in, -(long)length, SEEK_CUR);
	}
	fclose(in);
	return has;
}

/* Whether one of its files has that text. */
static bool is_in_files(const char *text)
{
	return file_has("chat.db", text) || file_has("chat.db-wal", text);
}

/* Neither in the file, nor in the log, whether or not it fits into a page. */
static void nothing_of_it_is_left_in_the_files(void **state)
{
	struct record record = {0};
	struct journal *journal = create(100);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	char large[8000];

	memset(large, 'x', sizeof(large));
	memcpy(large + sizeof(large) - 20, "the end of a secret", 20);
	publish(stream, "a short secret");
	assert_int_equal(publish_with(stream, &(struct journal_publication){.payload = large,
									    .size = sizeof(large)})
				 .result,
			 0);
	assert_true(is_in_files("a short secret"));
	assert_true(is_in_files("the end of a secret"));
	assert_int_equal(publish_redacting(stream, "x", 1, "a", "-"), 0);
	assert_int_equal(publish_redacting(stream, "x", 2, "x", "-"), 0);
	for (int i = 0; i < 500 && (is_in_files("short secret") || is_in_files("end of a")); i++)
		usleep(10000);
	assert_false(is_in_files("short secret"));
	assert_false(is_in_files("end of a"));
	assert_reads(stream, 0, 10, "1:- 2:- 3:x 4:x ");
	journal_close(stream);
	journal_destroy(journal);
}

/* Not even where nothing of the history is kept. */
static void a_sequence_never_comes_again(void **state)
{
	struct record record = {0};

	for (unsigned i = 1; i <= 3; i++) {
		struct journal *journal = create(0);
		struct journal_stream *stream = open_stream(journal, "lobby", &record);

		publish(stream, "x");
		assert_int_equal(journal_head(stream), i);
		assert_reads(stream, 0, 10, "");
		journal_close(stream);
		journal_destroy(journal);
	}
}

static void files_that_are_no_journal(void **state)
{
	struct journal *journal;
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(write(fd, "This is no database at all, and never was.", 42), 42);
	close(fd);
	assert_int_equal(journal_create(&journal, specification, 3), -EMEDIUMTYPE);
	unlink(file);
	journal_destroy(create(3));
	execute("PRAGMA user_version = 99");
	assert_int_equal(journal_create(&journal, specification, 3), -EPROTO);
	assert_int_equal(journal_create(&journal, "sqlite:/nowhere/at/all.db", 3), -ENOENT);
}

struct test_mark {
	struct journal_mark mark;
	int64_t until;
};

static int64_t until(const struct journal_mark *mark)
{
	return ((const struct test_mark *)mark)->until;
}

static int publish_marking(struct journal_stream *stream, const char *text, const char *key,
			   int64_t end)
{
	const struct test_mark mark = {
		.mark = {.key = key, .key_size = strlen(key), .until = until},
		.until = end,
	};

	return publish_with(stream,
			    &(struct journal_publication){
				    .payload = text,
				    .size = strlen(text),
				    .mark = &mark.mark,
			    })
		.result;
}

static void note_mark(void *user, const char *room, const void *key, size_t size, int64_t end)
{
	char *text = user;
	size_t used = strlen(text);

	snprintf(text + used, 200 - used, "%s %.*s %lld\n", room, (int)size, (const char *)key,
		 (long long)end);
}

/* As the first version wrote it: without heads, and without keys. */
static void migrates_version_1(void **state)
{
	struct record record = {0};
	struct journal *journal;
	struct journal_stream *stream;

	execute("CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
		"  epoch TEXT NOT NULL);"
		"CREATE TABLE messages (room INTEGER NOT NULL, sequence INTEGER NOT NULL,"
		"  time INTEGER NOT NULL, payload BLOB NOT NULL,"
		"  PRIMARY KEY (room, sequence)) WITHOUT ROWID;"
		"INSERT INTO rooms VALUES (1, 'lobby', 'old'), (2, 'silent', 'older');"
		"INSERT INTO messages VALUES (1, 7, 1000, 'seven'), (1, 8, 2000, 'eight');"
		"PRAGMA user_version = 1;");
	journal = create(10);
	stream = open_stream(journal, "lobby", &record);
	assert_string_equal(journal_epoch(stream), "old");
	assert_int_equal(journal_head(stream), 8);
	assert_false(publish_with_key(stream, "nine", "key").repeated);
	assert_reads(stream, 0, 10, "7:seven 8:eight 9:nine ");
	journal_close(stream);
	stream = open_stream(journal, "silent", &record);
	assert_string_equal(journal_epoch(stream), "older");
	assert_int_equal(journal_head(stream), 0);
	journal_close(stream);
	journal_destroy(journal);
	assert_int_equal(query("PRAGMA user_version"), 5);
	assert_int_equal(query("PRAGMA application_id"), 0x53776264);
}

/* As the second one did: without marks. */
static void migrates_version_2(void **state)
{
	struct record record = {0};
	struct journal *journal;
	struct journal_stream *stream;
	char marks[200] = "";

	execute("CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
		"  epoch TEXT NOT NULL, head INTEGER NOT NULL DEFAULT 0);"
		"CREATE TABLE messages (room INTEGER NOT NULL, sequence INTEGER NOT NULL,"
		"  time INTEGER NOT NULL, payload BLOB NOT NULL,"
		"  PRIMARY KEY (room, sequence)) WITHOUT ROWID;"
		"CREATE TABLE keys (room INTEGER NOT NULL, key BLOB NOT NULL,"
		"  sequence INTEGER NOT NULL, time INTEGER NOT NULL,"
		"  PRIMARY KEY (room, key)) WITHOUT ROWID;"
		"CREATE INDEX keys_by_sequence ON keys (room, sequence, time);"
		"INSERT INTO rooms VALUES (1, 'lobby', 'old', 8);"
		"INSERT INTO messages VALUES (1, 8, 2000, 'eight');"
		"PRAGMA user_version = 2;");
	journal = create(10);
	stream = open_stream(journal, "lobby", &record);
	assert_int_equal(publish_marking(stream, "nine", "ann", 5000), 0);
	assert_reads(stream, 0, 10, "8:eight 9:nine ");
	assert_int_equal(journal_marks(journal, 4999, note_mark, marks), 0);
	assert_string_equal(marks, "lobby ann 5000\n");
	journal_close(stream);
	journal_destroy(journal);
	assert_int_equal(query("PRAGMA user_version"), 5);
	assert_int_equal(query("PRAGMA application_id"), 0x53776264);
}

static void marks_outlive_messages_and_a_restart(void **state)
{
	struct record record = {0};
	struct journal *journal = create(1);
	struct journal_stream *a = open_stream(journal, "a", &record);
	struct journal_stream *b = open_stream(journal, "b", &record);
	int64_t later = journal_now() / 1000 + 1000;
	char marks[200] = "", expected[200];

	assert_int_equal(publish_marking(a, "x", "ann", later), 0);
	assert_int_equal(publish_marking(b, "x", "ann", later + 1), 0);
	assert_int_equal(publish_marking(a, "x", "bob", later + 2), 0);
	assert_int_equal(publish_marking(a, "x", "ann", later + 3), 0);
	assert_int_equal(publish_marking(a, "x", "bob", 0), 0);
	publish_numbers(a, 600); /* the messages are long gone */
	journal_close(a);
	journal_close(b);
	journal_destroy(journal);
	journal = create(1);
	assert_int_equal(journal_marks(journal, later, note_mark, marks), 0);
	snprintf(expected, sizeof(expected), "a ann %lld\nb ann %lld\n", (long long)later + 3,
		 (long long)later + 1);
	assert_string_equal(marks, expected);
	marks[0] = '\0';
	assert_int_equal(journal_marks(journal, later + 2, note_mark, marks), 0);
	snprintf(expected, sizeof(expected), "a ann %lld\n", (long long)later + 3);
	assert_string_equal(marks, expected);
	journal_destroy(journal);
}

static void marks_that_are_over_are_dropped(void **state)
{
	struct record record = {0};
	struct journal *journal = create(1);
	struct journal_stream *stream = open_stream(journal, "a", &record);

	assert_int_equal(publish_marking(stream, "x", "ann", 1000), 0); /* long ago */
	assert_int_equal(publish_marking(stream, "x", "bob", INT64_MAX), 0);
	journal_close(stream);
	journal_destroy(journal); /* the first batch has had its sweep */
	assert_int_equal(query("SELECT count(*) FROM marks WHERE until = 1000"), 0);
	assert_int_equal(query("SELECT count(*) FROM marks"), 1);
}

/* With a newest part in memory, pages come from there and from the disk, and meet without a seam. */
static void old_pages_come_from_the_disk(void **state)
{
	struct record record = {0}, read = {0};
	struct journal *journal = create(5000);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	const struct journal_metrics *metrics = journal_metrics(journal);
	char text[2048];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 1200; i++) {
		record.text[0] = '\0';
		publish(stream, text);
	}
	assert_int_equal(read_range(stream, 0, 0, 400, true, &read), 400);
	assert_int_equal(read.last_sequence, 1200);
	assert_int_equal(metrics->disk_reads, 0);
	read = (struct record){0};
	assert_int_equal(read_range(stream, 0, 801, 400, true, &read), 400);
	assert_int_equal(read.last_sequence, 800);
	assert_int_equal(read_range(stream, 0, 0, 400, false, &read), 400);
	assert_int_equal(read.last_sequence, 400);
	assert_int_equal(read_range(stream, 100, 0, 2000, false, &read), 1100);
	assert_int_equal(read.last_sequence, 1200);
	assert_int_equal(metrics->disk_reads, 3);
	journal_close(stream);
	journal_destroy(journal);
}

static int read_bytes(struct journal_stream *stream, const struct journal_range *range,
		      struct record *read)
{
	*read = (struct record){0};
	return journal_read(stream, range, journal_note, read);
}

/* Of payloads of 2047 bytes, of which about 500 are in memory. */
static void pages_of_so_many_bytes(void **state)
{
	struct record record = {0}, read;
	struct journal *journal = create(5000);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	const struct journal_metrics *metrics = journal_metrics(journal);
	struct journal_range range = {.limit = 1000, .bytes = 20470, .newest = true};
	char text[2048];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 1200; i++) {
		record.text[0] = '\0';
		publish(stream, text);
	}
	range.at_hand = true; /* though 1000 would not be */
	assert_int_equal(read_bytes(stream, &range, &read), 10);
	assert_int_equal(read.last_sequence, 1200);
	range.before = 101;
	assert_int_equal(read_bytes(stream, &range, &read), -EAGAIN);
	range.at_hand = false;
	assert_int_equal(read_bytes(stream, &range, &read), 10);
	assert_int_equal(read.last_sequence, 100);
	range.limit = 3;
	assert_int_equal(read_bytes(stream, &range, &read), 3);
	assert_int_equal(read.last_sequence, 100);
	range = (struct journal_range){.after = 50, .limit = 1000, .bytes = 20470};
	assert_int_equal(read_bytes(stream, &range, &read), 10);
	assert_int_equal(read.last_sequence, 60);
	range.bytes = 1;
	assert_int_equal(read_bytes(stream, &range, &read), 1);
	range = (struct journal_range){.before = 50, .limit = 9, .bytes = 1, .newest = true};
	assert_int_equal(read_bytes(stream, &range, &read), 1);
	assert_int_equal(read.last_sequence, 49);
	assert_int_equal(metrics->disk_reads, 5);
	journal_close(stream);
	journal_destroy(journal);
}

/* Where those that are too old are still in the file, a page begins behind them. */
static void old_pages_begin_with_what_is_kept(void **state)
{
	struct record record = {0};
	struct journal *journal = create(5000);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	char text[4096];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 500; i++) {
		record.text[0] = '\0';
		publish(stream, text);
	}
	journal_close(stream);
	journal_destroy(journal);
	execute("UPDATE messages SET time = time - 700000 WHERE sequence <= 100");
	journal = create(5000);
	journal_limit_age(journal, 600);
	stream = open_stream(journal, "lobby", &record);
	record = (struct record){0};
	assert_int_equal(read_range(stream, 0, 0, 10, false, &record), 10);
	assert_int_equal(record.last_sequence, 110);
	assert_int_equal(read_range(stream, 0, 103, 10, true, &record), 2);
	assert_int_equal(record.last_sequence, 102);
	assert_int_equal(read_range(stream, 0, 101, 10, false, &record), 0);
	assert_int_equal(journal_metrics(journal)->disk_reads, 3);
	journal_close(stream);
	journal_destroy(journal);
}

/* One that the database won't have takes those of its transaction along, and nobody else. */
static void goes_on_after_a_refusal(void **state)
{
	struct record record = {0};
	struct journal *journal = create(10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	publish(stream, "a");
	execute("CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN NEW.payload = x'62'"
		" BEGIN SELECT raise(FAIL, 'not this one'); END");
	assert_int_equal(publish_with_key(stream, "b", "key").result, -EIO);
	assert_int_equal(publish_with_key(stream, "c", "key").sequence, 2);
	assert_string_equal(record.text, "1:a 2:c ");
	assert_reads(stream, 0, 10, "1:a 2:c ");
	journal_close(stream);
	journal_destroy(journal);
}

static void history_is_cut_in_the_file(void **state)
{
	struct record record = {0};
	struct journal *journal = create(10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	for (unsigned i = 0; i < 1000; i++) {
		record.text[0] = '\0';
		publish(stream, "x");
	}
	journal_close(stream);
	journal_destroy(journal);
	assert_in_range(query("SELECT count(*) FROM messages"), 10, 10 + 2 * 256);
	assert_int_equal(query("SELECT max(sequence) FROM messages"), 1000);
	assert_int_equal(query("SELECT head FROM rooms"), 1000);
}

/* Rooms in which nobody speaks any longer are swept when the writer has nothing to do. */
static void old_messages_leave_the_file(void **state)
{
	struct record record = {0};
	struct journal *journal = create(10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	publish_with_key(stream, "a", "key");
	journal_close(stream);
	journal_destroy(journal);
	execute("UPDATE messages SET time = time - 700000; UPDATE keys SET time = time - 700000;"
		"INSERT INTO keys SELECT 1, x'01', 2, time + 700000 FROM keys");
	journal = create(10);
	journal_limit_age(journal, 600);
	stream = open_stream(journal, "other", &record);
	publish(stream, "b"); /* the first turn of the writer sweeps, too */
	journal_close(stream);
	journal_destroy(journal);
	assert_int_equal(query("SELECT count(*) FROM messages WHERE room = 1"), 0);
	assert_int_equal(query("SELECT count(*) FROM keys WHERE room = 1"), 1);
	assert_int_equal(query("SELECT count(*) FROM messages WHERE room = 2"), 1);
}

static void a_key_is_good_for_ten_minutes(void **state)
{
	struct record record = {0};
	struct journal *journal = create(10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	publish_with_key(stream, "a", "1");
	publish_with_key(stream, "b", "2");
	journal_close(stream);
	journal_destroy(journal);
	execute("UPDATE messages SET time = time - 600100 WHERE sequence = 1;"
		"UPDATE keys SET time = time - 600100 WHERE sequence = 1;"
		"UPDATE keys SET time = time - 590000 WHERE sequence = 2;");
	journal = create(10);
	stream = open_stream(journal, "lobby", &record);
	assert_false(publish_with_key(stream, "c", "1").repeated);
	assert_true(publish_with_key(stream, "d", "2").repeated);
	journal_close(stream);
	journal_destroy(journal);
}

/* Publications that nobody waits for one by one. */
struct crowd {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned done;
	unsigned kept;
	unsigned busy;
	uint64_t last;
	bool in_order;
};

struct member {
	struct journal_publication publication;
	struct crowd *crowd;
	char text[32];
};

static void count(struct journal_publication *publication)
{
	struct member *member = (struct member *)publication;
	struct crowd *crowd = member->crowd;

	pthread_mutex_lock(&crowd->lock);
	crowd->done++;
	crowd->kept += !publication->result;
	crowd->busy += publication->result == -EBUSY;
	if (!publication->result) {
		crowd->in_order &= publication->sequence == crowd->last + 1;
		crowd->last = publication->sequence;
	}
	pthread_cond_signal(&crowd->changed);
	pthread_mutex_unlock(&crowd->lock);
}

static void send(struct journal_stream *stream, struct crowd *crowd, struct member *member,
		 unsigned n)
{
	*member = (struct member){.crowd = crowd};
	snprintf(member->text, sizeof(member->text), "%u", n);
	member->publication.payload = member->text;
	member->publication.size = strlen(member->text);
	member->publication.done = count;
	journal_publish(stream, &member->publication);
}

static void wait_for(struct crowd *crowd, unsigned done)
{
	pthread_mutex_lock(&crowd->lock);
	while (crowd->done < done)
		pthread_cond_wait(&crowd->changed, &crowd->lock);
	pthread_mutex_unlock(&crowd->lock);
}

#define CROWD                                                                                      \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER,            \
		.in_order = true                                                                   \
	}

static void many_share_a_commit(void **state)
{
	static struct member members[5000];
	struct crowd crowd = CROWD;
	struct record record = {0};
	struct journal *journal = create(10000);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	for (unsigned n = 0; n < LENGTH(members); n++)
		send(stream, &crowd, &members[n], n);
	wait_for(&crowd, LENGTH(members));
	assert_int_equal(crowd.kept, LENGTH(members));
	assert_true(crowd.in_order);
	assert_int_equal(record.count, LENGTH(members));
	assert_int_equal(journal_head(stream), LENGTH(members));
	assert_true(journal_metrics(journal)->commits < LENGTH(members) / 2);
	assert_true(record.calls <= journal_metrics(journal)->commits);
	assert_int_equal(journal_metrics(journal)->queue, 0);
	journal_close(stream);
	journal_destroy(journal);
}

/* A writer that is held up, as by a disk that hangs, lets so many wait and no more. */
static void a_full_queue_says_so(void **state)
{
	static struct member members[20000];
	struct crowd crowd = CROWD;
	struct record record = {0};
	struct journal *journal = create(10);
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	sqlite3 *other;

	assert_int_equal(sqlite3_open(file, &other), SQLITE_OK);
	sqlite3_busy_timeout(other, 5000);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	for (unsigned n = 0; n < LENGTH(members); n++)
		send(stream, &crowd, &members[n], n);
	assert_in_range(crowd.busy, LENGTH(members) - 16384 - 1024, LENGTH(members) - 16384);
	assert_in_range(journal_metrics(journal)->queue, 16384 - 1024, 16384);
	assert_int_equal(journal_metrics(journal)->failures, crowd.busy);
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	wait_for(&crowd, LENGTH(members));
	assert_int_equal(crowd.kept + crowd.busy, LENGTH(members));
	assert_true(crowd.in_order);
	assert_int_equal(journal_head(stream), crowd.kept);
	journal_close(stream);
	journal_destroy(journal);
}

/* Each thread has a room of its own, and reads in all of them. */
struct talk {
	struct journal *journal;
	struct journal_stream **streams;
	unsigned n;
	atomic_bool over;
};

static void ignore(void *user, const struct journal_entry *entry)
{
	uint64_t *last = user;

	if (*last && entry->sequence != *last + 1)
		*last = UINT64_MAX / 2; /* a gap: it shows */
	else
		*last = entry->sequence;
}

static void *read_along(void *user)
{
	struct talk *talk = user;
	uintptr_t gaps = 0;

	while (!talk->over)
		for (unsigned i = 0; i < talk->n; i++) {
			const struct journal_range range = {.limit = 50, .newest = i % 2};
			uint64_t last = 0;

			journal_read(talk->streams[i], &range, ignore, &last);
			gaps += last >= UINT64_MAX / 2;
		}
	return (void *)gaps;
}

static void *speak(void *user)
{
	for (int i = 0; i < 200; i++)
		publish_with_key(user, "hello", i % 3 ? NULL : (char[]){(char)i, 'x', 0});
	return NULL;
}

static void threads_speak_and_read(void **state)
{
	static struct record records[4];
	struct journal_stream *streams[4];
	struct talk talk = {.streams = streams, .n = 4};
	pthread_t speakers[4], reader;
	struct journal *journal = create(60);
	void *gaps;

	for (int i = 0; i < 4; i++) {
		char room[16];

		records[i] = (struct record){0};
		snprintf(room, sizeof(room), "room-%d", i);
		streams[i] = open_stream(journal, room, &records[i]);
	}
	pthread_create(&reader, NULL, read_along, &talk);
	for (int i = 0; i < 4; i++)
		pthread_create(&speakers[i], NULL, speak, streams[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(speakers[i], NULL);
	talk.over = true;
	pthread_join(reader, &gaps);
	assert_null(gaps);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(records[i].count, journal_head(streams[i]));
		journal_close(streams[i]);
	}
	journal_destroy(journal);
}

/* Closing a stream in the last done() is what a room does that nobody needs any longer. */
static void close_it(struct journal_publication *publication)
{
	struct member *member = (struct member *)publication;
	struct crowd *crowd = member->crowd;

	journal_close(publication->stream);
	pthread_mutex_lock(&crowd->lock);
	crowd->done++;
	pthread_cond_signal(&crowd->changed);
	pthread_mutex_unlock(&crowd->lock);
}

static void done_may_close_the_stream(void **state)
{
	struct journal *journal = create(10);
	struct record record = {0};

	for (int i = 0; i < 20; i++) {
		struct crowd crowd = CROWD;
		struct member member = {
			.crowd = &crowd,
			.publication = {.payload = "x", .size = 1, .done = close_it}};
		struct journal_stream *stream = open_stream(journal, "lobby", &record);

		journal_publish(stream, &member.publication);
		wait_for(&crowd, 1);
	}
	assert_int_equal(record.count, 20);
	journal_destroy(journal);
}

/* What the child's publications are told goes to the parent, who outlives it. */
struct told {
	uint64_t sequence;
	unsigned n;
};

struct flying {
	struct journal_publication publication;
	unsigned n;
	int fd;
	_Atomic int *in_flight;
	char key[16];
};

static void tell(struct journal_publication *publication)
{
	struct flying *flying = (struct flying *)publication;
	const struct told told = {.sequence = publication->sequence, .n = flying->n};

	if (!publication->result && write(flying->fd, &told, sizeof(told)) < 0)
		_exit(1);
	(*flying->in_flight)--;
	free(flying);
}

static void ignore_all(void *user, const struct journal_entry *entries, size_t n)
{
}

/* Publishes from the n-th on until it is killed, a few at a time, each with its key. */
static void publish_for_ever(unsigned n, int fd)
{
	_Atomic int in_flight = 0;
	struct journal *journal;
	struct journal_stream *stream;

	if (journal_create(&journal, specification, 1000000) < 0 ||
	    journal_open(journal, "lobby", ignore_all, NULL, &stream) < 0)
		_exit(1);
	for (;; n++) {
		struct flying *flying = calloc(1, sizeof(*flying));

		*flying = (struct flying){.n = n, .fd = fd, .in_flight = &in_flight};
		snprintf(flying->key, sizeof(flying->key), "%u", n);
		flying->publication = (struct journal_publication){.payload = flying->key,
								   .size = strlen(flying->key),
								   .key = flying->key,
								   .key_size = strlen(flying->key),
								   .done = tell};
		while (in_flight >= 20)
			usleep(50);
		in_flight++;
		journal_publish(stream, &flying->publication);
	}
}

#define KILLS 10
#define MESSAGES_MAX 200000

struct seen {
	unsigned *numbers; /* by sequence */
	uint64_t last;
	bool gapless;
};

static void look(void *user, const struct journal_entry *entry)
{
	struct seen *seen = user;
	char text[16];

	seen->gapless &= entry->sequence == seen->last + 1;
	seen->last = entry->sequence;
	snprintf(text, sizeof(text), "%.*s", (int)entry->size, (const char *)entry->payload);
	seen->numbers[entry->sequence] = (unsigned)strtoul(text, NULL, 10);
}

/* Sends from n on, kills the sender in the middle, and returns how many it was told are kept. */
static unsigned kill_one(unsigned n, uint64_t *sequences, unsigned milliseconds)
{
	struct told told;
	unsigned kept = 0;
	int fds[2];
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (!child)
		publish_for_ever(n, fds[1]);
	close(fds[1]);
	/* From the first answer on, so that starting up takes nothing off. */
	while (read(fds[0], &told, sizeof(told)) == sizeof(told)) {
		if (!kept++) {
			usleep(milliseconds * 1000);
			kill(child, SIGKILL);
		}
		sequences[told.n] = told.sequence;
	}
	close(fds[0]);
	waitpid(child, NULL, 0);
	return kept;
}

static void a_kill_loses_nothing_acknowledged(void **state)
{
	uint64_t *sequences = calloc(MESSAGES_MAX, sizeof(*sequences));
	struct seen seen = {.numbers = calloc(MESSAGES_MAX, sizeof(unsigned)), .gapless = true};
	struct record record = {0};
	struct journal *journal;
	struct journal_stream *stream;
	const struct journal_range all = {.limit = MESSAGES_MAX};
	unsigned n = 1;

	/* Whoever isn't told sends again: the next one begins with those of the last. */
	for (unsigned i = 0; i < KILLS; i++) {
		unsigned kept = kill_one(n, sequences, 10 + 7 * i);

		assert_true(kept > 0);
		n += kept;
	}
	journal = create(1000000);
	stream = open_stream(journal, "lobby", &record);
	journal_read(stream, &all, look, &seen);
	assert_true(seen.gapless);
	assert_int_equal(seen.last, journal_head(stream));
	assert_true(seen.last >= n - 1);
	for (unsigned i = 1; i < n; i++) {
		assert_int_equal(seen.numbers[sequences[i]], i);
		assert_int_equal(sequences[i], i); /* each exactly once, in the order of sending */
	}
	journal_close(stream);
	journal_destroy(journal);
	free(seen.numbers);
	free(sequences);
}

/* In the child of a test, cmocka's asserts would go on with the next test. */
#define EXPECT(property)                                                                           \
	do {                                                                                       \
		if (!(property)) {                                                                 \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #property);             \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* Publishes until it fails, then gives the disk back, and looks whether it goes on. Ends the process. */
static void fill(int expected, void (*make_room)(void))
{
	struct journal *journal;
	struct journal_stream *stream;
	struct record record = {0};
	struct journal_publication publication;
	uint64_t kept = 0;
	char text[4001];

	memset(text, 'x', 4000);
	text[4000] = '\0';
	journal = create(1000000);
	stream = open_stream(journal, "lobby", &record);
	do {
		record.text[0] = '\0';
		publication = publish_with_key(stream, text, NULL);
		if (!publication.result)
			kept = publication.sequence;
	} while (!publication.result && kept < 5000);
	EXPECT(publication.result == expected);
	EXPECT(publish_with_key(stream, text, "key").result == expected);
	EXPECT(journal_head(stream) == kept);
	EXPECT(record.count == kept);
	EXPECT(journal_metrics(journal)->failures == 2);
	make_room();
	EXPECT(publish_with_key(stream, "more", "key").sequence == kept + 1);
	record = (struct record){0};
	EXPECT(read_range(stream, 0, 0, 10000, false, &record) == (int)kept + 1);
	EXPECT(record.last_sequence == kept + 1);
	journal_close(stream);
	journal_destroy(journal);
	_exit(0);
}

static void lift_limit(void)
{
	const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

	setrlimit(RLIMIT_FSIZE, &none);
}

static void assert_child_is_content(pid_t child)
{
	int status;

	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_disk_that_refuses(void **state)
{
	const struct rlimit limit = {.rlim_cur = 300000, .rlim_max = RLIM_INFINITY};
	pid_t child = fork();

	if (!child) {
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		fill(-EIO, lift_limit);
	}
	assert_child_is_content(child);
}

static void enlarge(void)
{
	mount("tmpfs", directory, "tmpfs", MS_REMOUNT, "size=64m");
}

static void a_disk_that_is_full(void **state)
{
	pid_t child;

	if (mount("tmpfs", directory, "tmpfs", 0, "size=4m") < 0)
		skip();
	child = fork();
	if (!child)
		fill(-ENOSPC, enlarge);
	assert_child_is_content(child);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(goes_on_after_a_restart),
		TEST(what_is_redacted_is_gone_for_good),
		TEST(nothing_of_it_is_left_in_the_files),
		TEST(a_sequence_never_comes_again),
		TEST(files_that_are_no_journal),
		TEST(migrates_version_1),
		TEST(migrates_version_2),
		TEST(marks_outlive_messages_and_a_restart),
		TEST(marks_that_are_over_are_dropped),
		TEST(old_pages_come_from_the_disk),
		TEST(pages_of_so_many_bytes),
		TEST(old_pages_begin_with_what_is_kept),
		TEST(goes_on_after_a_refusal),
		TEST(history_is_cut_in_the_file),
		TEST(old_messages_leave_the_file),
		TEST(a_key_is_good_for_ten_minutes),
		TEST(many_share_a_commit),
		TEST(a_full_queue_says_so),
		TEST(threads_speak_and_read),
		TEST(done_may_close_the_stream),
		TEST(a_kill_loses_nothing_acknowledged),
		TEST(a_disk_that_refuses),
		TEST(a_disk_that_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
