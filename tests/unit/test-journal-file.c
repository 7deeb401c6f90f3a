#include "unit.h"

#include "unit-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whose file it is, who has it, whether it is still there, and whether it is the latest one. */

static char directory[64];

static int setup(void **state)
{
	strcpy(directory, "/tmp/test-file-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	return journal_remove_directory(directory);
}

/* Good until the fourth call after it. */
static const char *path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *out = paths[next++ % 4];

	snprintf(out, sizeof(paths[0]), "%s/%s", directory, name);
	return out;
}

static int create_of(const char *name, struct journal **journal)
{
	char specification[160];

	snprintf(specification, sizeof(specification), "sqlite:%s", path(name));
	return journal_create(journal, specification, 100);
}

static struct journal *create(void)
{
	struct journal *journal;

	assert_int_equal(create_of("chat.db", &journal), 0);
	return journal;
}

static void execute(const char *name, const char *text)
{
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(path(name), &sqlite), SQLITE_OK);
	sqlite3_busy_timeout(sqlite, 5000);
	assert_int_equal(sqlite3_exec(sqlite, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sqlite);
}

static int64_t query(const char *name, const char *text)
{
	sqlite3 *sqlite;
	sqlite3_stmt *statement;
	int64_t value = -1;

	assert_int_equal(sqlite3_open(path(name), &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite, text, -1, &statement, NULL), SQLITE_OK);
	if (sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(sqlite);
	return value;
}

static size_t read_all(const char *name, char *bytes, size_t size)
{
	int fd = open(path(name), O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, bytes, size);

	if (fd >= 0)
		close(fd);
	return (size_t)n;
}

static void copy(const char *from, const char *to)
{
	static char bytes[1 << 20];
	size_t n = read_all(from, bytes, sizeof(bytes));
	int fd = open(path(to), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(n && n < sizeof(bytes));
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

static void assert_refuses(const char *name)
{
	static char before[1 << 17], after[1 << 17];
	size_t size = read_all(name, before, sizeof(before));
	struct journal *journal;

	assert_true(size);
	assert_int_equal(create_of(name, &journal), -EMEDIUMTYPE);
	assert_int_equal(read_all(name, after, sizeof(after)), size);
	assert_memory_equal(before, after, size);
}

static void what_is_somebody_elses_is_left_alone(void **state)
{
	char wal[80];

	execute("users.db", "CREATE TABLE users (id INTEGER); INSERT INTO users VALUES (1)");
	assert_refuses("users.db");
	execute("rooms.db", "CREATE TABLE rooms (id, name, epoch); CREATE TABLE messages (text)");
	assert_refuses("rooms.db");
	execute("marked.db", "PRAGMA application_id = 0x0f055112");
	assert_refuses("marked.db");
	execute("version.db", "PRAGMA user_version = 1");
	assert_refuses("version.db");
	close(open(path("text"), O_WRONLY | O_CREAT, 0600));
	copy("users.db", "text");
	assert_int_equal(truncate(path("text"), 10), 0);
	assert_refuses("text");
	execute("wal.db", "PRAGMA journal_mode = WAL; CREATE TABLE users (id INTEGER)");
	assert_refuses("wal.db");
	snprintf(wal, sizeof(wal), "%s", path("wal.db-wal"));
	assert_int_equal(access(wal, F_OK), -1);
}

/* Another program's, all of it still in the log beside a file without tables. */
static void nor_is_its_log_touched(void **state)
{
	static char before[1 << 17], after[1 << 17];
	struct journal *journal;
	sqlite3 *other;
	size_t size;

	assert_int_equal(sqlite3_open(path("wal.db"), &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other,
				      "PRAGMA journal_mode = WAL; CREATE TABLE users (id INTEGER)",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	copy("wal.db", "copy.db");
	copy("wal.db-wal", "copy.db-wal");
	sqlite3_close(other);
	size = read_all("copy.db-wal", before, sizeof(before));
	assert_int_equal(create_of("copy.db", &journal), -EMEDIUMTYPE);
	assert_int_equal(read_all("copy.db-wal", after, sizeof(after)), size);
	assert_memory_equal(before, after, size);
	assert_int_equal(query("copy.db", "SELECT count(*) FROM users"), 0);
}

static void ours_says_so_from_the_start(void **state)
{
	char head[100];
	struct journal *journal = create();

	assert_int_equal(read_all("chat.db", head, sizeof(head)), sizeof(head));
	assert_memory_equal(head + 68, "Swbd", 4);
	journal_destroy(journal);
	assert_int_equal(query("chat.db", "PRAGMA application_id"), 0x53776264);
}

static void no_one_else_reads_it(void **state)
{
	static const char *const names[] = {"chat.db", "chat.db-wal", "chat.db-shm",
					    "chat.db-issued"};
	struct journal *journal;
	struct stat status;

	close(open(path("chat.db"), O_WRONLY | O_CREAT, 0666));
	assert_int_equal(chmod(path("chat.db"), 0666), 0);
	journal = create();
	for (size_t i = 0; i < LENGTH(names); i++) {
		assert_int_equal(stat(path(names[i]), &status), 0);
		assert_int_equal(status.st_mode & 0777, 0600);
	}
	journal_destroy(journal);
}

/* What another process gets, as its exit status. */
static int create_elsewhere(const char *name)
{
	struct journal *journal;
	pid_t child = fork();
	int status;

	if (!child)
		_exit(-create_of(name, &journal));
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void whatever_its_name_it_is_one_file(void **state)
{
	struct journal *journal = create();

	assert_int_equal(symlink("chat.db", path("symbolic.db")), 0);
	assert_int_equal(link(path("chat.db"), path("hard.db")), 0);
	assert_int_equal(create_elsewhere("chat.db"), EBUSY);
	assert_int_equal(create_elsewhere("symbolic.db"), EBUSY);
	assert_int_equal(create_elsewhere("hard.db"), EBUSY);
	close(open(path("bound.db"), O_WRONLY | O_CREAT, 0600));
	if (!mount(path("chat.db"), path("bound.db"), NULL, MS_BIND, NULL)) {
		int error = create_elsewhere("bound.db");

		umount2(path("bound.db"), MNT_DETACH);
		assert_int_equal(error, EBUSY);
	}
	journal_destroy(journal);
	assert_int_equal(create_elsewhere("symbolic.db"), 0);
}

static void assert_stops(struct journal *journal)
{
	for (int i = 0; i < 500 && journal_keeps(journal); i++)
		usleep(10000);
	assert_false(journal_keeps(journal));
}

static struct journal_stream *open_with_one(struct journal *journal, struct record *record)
{
	struct journal_stream *stream = open_stream(journal, "lobby", record);

	publish(stream, "a");
	return stream;
}

/* Whatever comes after it is told to nobody. */
static void assert_keeps_nothing(struct journal *journal, struct journal_stream *stream,
				 const struct record *record)
{
	assert_int_equal(publish_with_key(stream, "b", NULL).result, -EIO);
	assert_int_equal(publish_with_key(stream, "c", NULL).result, -EIO);
	assert_string_equal(record->text, "1:a ");
	assert_int_equal(journal_head(stream), 1);
	assert_reads(stream, 0, 10, "1:a ");
	assert_stops(journal);
	journal_close(stream);
	journal_destroy(journal);
}

static void a_file_that_is_deleted(void **state)
{
	struct record record = {0};
	struct journal *journal = create();
	struct journal_stream *stream = open_with_one(journal, &record);

	assert_true(journal_keeps(journal));
	assert_int_equal(unlink(path("chat.db")), 0);
	assert_keeps_nothing(journal, stream, &record);
	assert_int_equal(access(path("chat.db-wal"), F_OK), -1);
}

static void it_is_noticed_though_nobody_speaks(void **state)
{
	struct journal *journal = create();

	assert_int_equal(unlink(path("chat.db")), 0);
	assert_stops(journal);
	journal_destroy(journal);
}

/* What was in the log in front of it goes with it, and not into the one that took its place. */
static void a_file_that_is_replaced(void **state)
{
	struct record record = {0};
	struct journal *journal = create();
	struct journal_stream *stream;

	journal_destroy(journal);
	copy("chat.db", "backup.db");
	journal = create();
	stream = open_with_one(journal, &record);
	assert_int_equal(rename(path("chat.db"), path("old.db")), 0);
	assert_int_equal(rename(path("backup.db"), path("chat.db")), 0);
	assert_keeps_nothing(journal, stream, &record);
	assert_int_equal(query("old.db", "SELECT count(*) FROM messages WHERE sequence = 1"), 1);
	assert_int_equal(query("chat.db", "SELECT count(*) FROM messages"), 0);
}

static void a_log_that_is_deleted(void **state)
{
	struct record record = {0};
	struct journal *journal = create();
	struct journal_stream *stream = open_with_one(journal, &record);

	assert_int_equal(unlink(path("chat.db-wal")), 0);
	assert_keeps_nothing(journal, stream, &record);
	assert_int_equal(query("chat.db", "SELECT count(*) FROM messages WHERE sequence = 1"), 1);
}

/* Opens it, says something in it, and notes its epoch. */
static void run(const char *text, char epoch[32])
{
	struct record record = {0};
	struct journal *journal = create();
	struct journal_stream *stream = open_stream(journal, "lobby", &record);

	if (epoch)
		snprintf(epoch, 32, "%s", journal_epoch(stream));
	if (text)
		publish(stream, text);
	journal_close(stream);
	journal_destroy(journal);
}

static void a_restart_changes_nothing(void **state)
{
	char first[32], second[32], third[32];

	run("a", first);
	run("b", second);
	run(NULL, third);
	assert_string_equal(first, second);
	assert_string_equal(first, third);
}

static void a_backup_of_an_earlier_run(void **state)
{
	char first[32], second[32], third[32];

	run("a", first);
	copy("chat.db", "backup.db");
	run("b", NULL);
	assert_int_equal(rename(path("backup.db"), path("chat.db")), 0);
	run("c", second);
	assert_string_not_equal(first, second);
	run("d", third);
	assert_string_equal(second, third);
}

static void a_backup_of_the_same_run(void **state)
{
	char first[32], second[32];
	struct record record = {0};
	struct journal *journal = create();
	struct journal_stream *stream = open_with_one(journal, &record);
	char statement[128];

	snprintf(first, sizeof(first), "%s", journal_epoch(stream));
	snprintf(statement, sizeof(statement), "VACUUM INTO '%s'", path("backup.db"));
	execute("chat.db", statement);
	publish(stream, "b");
	journal_close(stream);
	journal_destroy(journal);
	assert_int_equal(rename(path("backup.db"), path("chat.db")), 0);
	run("c", second);
	assert_string_not_equal(first, second);
}

static void one_that_comes_without_the_file_beside_it(void **state)
{
	char first[32], second[32];

	run("a", first);
	assert_int_equal(unlink(path("chat.db-issued")), 0);
	run("b", second);
	assert_string_not_equal(first, second);
}

/* Runs it in a process that ends without closing anything. */
static void run_and_kill(const char *text)
{
	pid_t child = fork();
	int status;

	if (!child) {
		struct record record = {0};
		struct journal_stream *stream = open_stream(create(), "lobby", &record);

		publish(stream, text);
		usleep(300000); /* the first turn of the writer empties the log */
		publish(stream, text);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_kill_is_no_backup(void **state)
{
	char first[32], second[32];

	run("a", first);
	run_and_kill("b");
	run("c", second);
	assert_string_equal(first, second);
	assert_int_equal(query("chat.db", "SELECT count(*) FROM messages"), 4);
}

/* After a kill the log that is left would be taken for the backup's. */
static void a_backup_beside_the_log_of_what_it_replaces(void **state)
{
	struct stat status;
	char first[32], second[32];

	run("a", first);
	copy("chat.db", "backup.db");
	run("b", NULL);
	run_and_kill("c");
	assert_int_equal(stat(path("chat.db-wal"), &status), 0);
	assert_true(status.st_size > 0);
	assert_int_equal(rename(path("backup.db"), path("chat.db")), 0);
	run("d", second);
	assert_string_not_equal(first, second);
	assert_int_equal(query("chat.db", "SELECT count(*) FROM messages"), 2);
	assert_int_equal(query("chat.db", "SELECT count(*) FROM messages WHERE payload = x'64'"),
			 1);
	assert_int_equal(access(path("chat.db-wal-of-another"), F_OK), 0);
}

/* What was read of it before goes on, what is damaged says so, once. */
static void a_file_that_is_damaged(void **state)
{
	static char text[2000], zeroes[8192];
	struct record record = {0};
	struct journal *journal = create();
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	struct stat status;
	int fd;

	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 60; i++) {
		record.text[0] = '\0';
		publish(stream, text);
	}
	journal_close(stream);
	journal_destroy(journal);
	assert_int_equal(stat(path("chat.db"), &status), 0);
	fd = open(path("chat.db"), O_WRONLY);
	memset(zeroes, 0xde, sizeof(zeroes));
	assert_int_equal(pwrite(fd, zeroes, sizeof(zeroes), status.st_size / 2 / 4096 * 4096),
			 sizeof(zeroes));
	close(fd);
	journal = create();
	assert_true(journal_keeps(journal));
	assert_int_equal(journal_open(journal, "lobby", journal_note_all, &record, &stream), -EIO);
	assert_false(journal_keeps(journal));
	stream = open_stream(journal, "other", &record);
	publish(stream, "x");
	assert_false(journal_keeps(journal));
	journal_close(stream);
	journal_destroy(journal);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_somebody_elses_is_left_alone),
		TEST(nor_is_its_log_touched),
		TEST(ours_says_so_from_the_start),
		TEST(no_one_else_reads_it),
		TEST(whatever_its_name_it_is_one_file),
		TEST(a_file_that_is_deleted),
		TEST(it_is_noticed_though_nobody_speaks),
		TEST(a_file_that_is_replaced),
		TEST(a_log_that_is_deleted),
		TEST(a_restart_changes_nothing),
		TEST(a_backup_of_an_earlier_run),
		TEST(a_backup_of_the_same_run),
		TEST(one_that_comes_without_the_file_beside_it),
		TEST(a_kill_is_no_backup),
		TEST(a_backup_beside_the_log_of_what_it_replaces),
		TEST(a_file_that_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
