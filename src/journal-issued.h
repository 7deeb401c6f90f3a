#pragma once

#include "journal-database.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the database is as old as the last thing that clients have had of it.
 *
 * A client that comes back names the epoch and the last sequence that it has.
 * Where a backup was restored meanwhile the sequences that come next were given
 * out before, for other messages: it would miss them and never know. So all
 * rooms begin a new epoch then.
 *
 * To know, each run of the daemon is a generation with a random name, and all
 * messages ever written are counted. Both are in the database, in the
 * transactions of the messages, and in a small file beside it, FILE-issued,
 * which backups should leave out: it is written at the start, about each second
 * in which something was said, and at the end. The database is an older one
 * when the file has another generation (a backup of an earlier run), when it
 * has a higher count (one of the same run), or when it is missing though there
 * must be one. The generation is in the file only once it is in the database
 * for good, so that neither a kill nor a power cut looks like a backup.
 *
 * What isn't noticed is when both are restored together, as with an image of
 * the whole machine, or a backup of what was written within the last second
 * before a kill.
 */
#define ISSUED_GENERATION_SIZE 33

struct journal_issued {
	char generation[ISSUED_GENERATION_SIZE];
	uint64_t counter;
	int64_t key_time; /* in the database alone: when it was written last, as sqlite_key_time() */
};

/* What the database has. Returns 0 or -errno. */
int journal_issued_read(struct journal_issued *issued, sqlite3 *sqlite);

/*
 * Whether the log that lies beside the database is of another one, which was
 * there before: with the log the database is of the last generation, and by
 * itself, own, it isn't. SQLite would make one of the two, with messages of
 * both.
 */
bool journal_issued_is_mixed(const struct journal_issued *own, const struct database *database,
			     const char *file);

/*
 * Compares the database with the file, lets all rooms begin a new epoch where
 * that must be, and begins a generation, or goes on with the one before where
 * the disk is full or somebody else reads for long. Returns 0 or -errno.
 */
int journal_issued_begin(struct journal_issued *issued, struct database *database,
			 const char *file);

/* Writes the file; lasting: returns when it is on the disk. Returns 0 or -errno. */
int journal_issued_write(const struct journal_issued *issued, const char *file, bool lasting);
