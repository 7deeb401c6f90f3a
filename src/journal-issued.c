#include "journal-issued.h"

#include "journal-schema.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define LOG_MODULE "journal"

/* All of one size, so that one write replaces it all. */
#define TITLE "switchboard issued "
#define FORMAT TITLE "%-32s %020" PRIu64 "\n"
#define TITLE_SIZE (sizeof(TITLE) - 1)
#define SIZE (TITLE_SIZE + ISSUED_GENERATION_SIZE - 1 + 1 + 20 + 1)

/* -ENOENT: there is none, or nothing that could be it. */
static int read_file(struct journal_issued *issued, const char *file)
{
	char text[SIZE + 2] = "", *end;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -errno;
	n = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	if (n < 0)
		return -errno;
	if (n != SIZE || memcmp(text, TITLE, TITLE_SIZE) || text[TITLE_SIZE] == ' ')
		return -ENOENT;
	memcpy(issued->generation, text + TITLE_SIZE, ISSUED_GENERATION_SIZE - 1);
	issued->generation[ISSUED_GENERATION_SIZE - 1] = '\0';
	issued->counter = strtoull(text + TITLE_SIZE + ISSUED_GENERATION_SIZE, &end, 10);
	return end == text + SIZE - 1 ? 0 : -ENOENT;
}

static int sync_folder(const char *file)
{
	char *copy = strdup(file);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return r;
}

int journal_issued_write(const struct journal_issued *issued, const char *file, bool lasting)
{
	char text[SIZE + 1];
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = 0;

	if (fd < 0)
		return -errno;
	errno = 0;
	snprintf(text, sizeof(text), FORMAT, issued->generation, issued->counter);
	if (pwrite(fd, text, SIZE, 0) != SIZE || (lasting && fdatasync(fd) < 0))
		r = errno ? -errno : -ENOSPC;
	close(fd);
	return r || !lasting ? r : sync_folder(file);
}

/* Why the database must be an older one, or NULL. */
static const char *find_reason(const struct journal_issued *kept, const char *file, int *error)
{
	struct journal_issued seen = {0};
	int r = read_file(&seen, file);

	*error = r == -ENOENT ? 0 : r;
	if (r == -ENOENT)
		return kept->generation[0] ? "the file that must lie beside it is missing" : NULL;
	if (r < 0)
		return NULL;
	if (strcmp(seen.generation, kept->generation) != 0)
		return "it was written last by an earlier run than the last one";
	return seen.counter > kept->counter ? "messages are missing in it" : NULL;
}

static int run(struct database *database, const char *text)
{
	return database_error_of(sqlite3_exec(database_handle(database), text, NULL, NULL, NULL));
}

static int choose_generation(char generation[ISSUED_GENERATION_SIZE])
{
	uint64_t random[2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	snprintf(generation, ISSUED_GENERATION_SIZE, "%016" PRIx64 "%016" PRIx64, random[0],
		 random[1]);
	return 0;
}

int journal_issued_read(struct journal_issued *issued, sqlite3 *sqlite)
{
	sqlite3_stmt *statement;
	int r = database_error_of(sqlite3_prepare_v2(
		sqlite, "SELECT generation, counter, key_time FROM issued", -1, &statement, NULL));

	if (r < 0)
		return r;
	*issued = (struct journal_issued){0};
	r = sqlite3_step(statement);
	if (r == SQLITE_ROW) {
		const char *generation = (const char *)sqlite3_column_text(statement, 0);

		snprintf(issued->generation, sizeof(issued->generation), "%s",
			 generation ? generation : "");
		issued->counter = (uint64_t)sqlite3_column_int64(statement, 1);
		issued->key_time = sqlite3_column_int64(statement, 2);
	}
	sqlite3_finalize(statement);
	return r == SQLITE_DONE ? -EUCLEAN : database_error_of(r);
}

bool journal_issued_is_mixed(const struct journal_issued *own, const struct database *database,
			     const char *file)
{
	struct journal_issued both, last;

	return own->generation[0] && !journal_issued_read(&both, database_handle(database)) &&
	       strcmp(both.generation, own->generation) != 0 && !read_file(&last, file) &&
	       !strcmp(both.generation, last.generation);
}

static int store(struct database *database, const char *generation, bool new_epochs)
{
	static const char renew[] = "UPDATE rooms SET epoch = lower(hex(randomblob(4)))";
	char set[100];
	int r = database_begin(database);

	snprintf(set, sizeof(set), "UPDATE issued SET generation = '%s'", generation);
	if (!r && new_epochs)
		r = run(database, renew);
	if (!r)
		r = run(database, set);
	if (!r)
		r = database_commit(database);
	if (r < 0)
		database_rollback(database);
	return r;
}

/* The file may have it only once the database has it without its log: see journal_issued_is_mixed(). */
static int begin_generation(struct journal_issued *issued, struct database *database,
			    const char *file, bool new_epochs)
{
	struct journal_issued next = *issued;
	int r = choose_generation(next.generation);

	if (!r)
		r = store(database, next.generation, new_epochs);
	if (r < 0)
		return r;
	r = database_empty_log(database);
	if (!r) {
		*issued = next;
		return journal_issued_write(issued, file, true);
	}
	if (r == -EBUSY || r == -ENOSPC)
		r = store(database, issued->generation, false);
	return r;
}

int journal_issued_begin(struct journal_issued *issued, struct database *database, const char *file)
{
	const char *reason;
	int r = journal_issued_read(issued, database_handle(database));

	if (r < 0)
		return r;
	reason = find_reason(issued, file, &r);
	if (r < 0) {
		log_error("%s: %s", file, strerror(-r));
		return r;
	}
	if (reason)
		log_warning("%s: the database is older than the last one here, as from a backup:"
			    " %s; all rooms begin a new epoch",
			    file, reason);
	r = begin_generation(issued, database, file, reason != NULL);
	return r == -ENOSPC && !reason ? 0 : r;
}
