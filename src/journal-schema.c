#include "journal-schema.h"

#include "journal-recognise.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>

#define LOG_MODULE "journal"

/* Each brings the schema to the version that is its place, from the one before. */
static const char *const migrations[] = {
	NULL,
	"CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	"  epoch TEXT NOT NULL);"
	"CREATE TABLE messages (room INTEGER NOT NULL, sequence INTEGER NOT NULL,"
	"  time INTEGER NOT NULL, payload BLOB NOT NULL,"
	"  PRIMARY KEY (room, sequence)) WITHOUT ROWID;",
	/* A sequence must outlive the messages, and keys a restart. */
	"ALTER TABLE rooms ADD COLUMN head INTEGER NOT NULL DEFAULT 0;"
	"UPDATE rooms SET head ="
	"  coalesce((SELECT max(sequence) FROM messages WHERE room = rooms.id), 0);"
	"CREATE TABLE keys (room INTEGER NOT NULL, key BLOB NOT NULL, sequence INTEGER NOT NULL,"
	"  time INTEGER NOT NULL, PRIMARY KEY (room, key)) WITHOUT ROWID;"
	"CREATE INDEX keys_by_sequence ON keys (room, sequence, time);",
	"CREATE TABLE marks (room INTEGER NOT NULL, key BLOB NOT NULL, until INTEGER NOT NULL,"
	"  PRIMARY KEY (room, key)) WITHOUT ROWID;"
	"CREATE INDEX marks_by_end ON marks (until);",
	/* As journal_worth() of the messages that are there. */
	"ALTER TABLE rooms ADD COLUMN since INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE rooms ADD COLUMN worth INTEGER NOT NULL DEFAULT 0;"
	"UPDATE rooms SET since ="
	"  coalesce((SELECT min(time) FROM messages WHERE room = rooms.id), 0), worth ="
	"  coalesce((SELECT max(time) FROM messages WHERE room = rooms.id), 0);"
	"UPDATE rooms SET worth = worth + 86400000 *"
	"  (WITH RECURSIVE powers(n) AS (SELECT 2 UNION ALL SELECT n * 2 FROM powers"
	"    WHERE n < 1099511627776)"
	"   SELECT count(*) FROM powers WHERE n <= (worth - since) / 1000 + 1);"
	"CREATE INDEX rooms_by_worth ON rooms (worth);",
	/* See journal-issued.h. */
	"CREATE TABLE issued (generation TEXT NOT NULL, counter INTEGER NOT NULL,"
	"  key_time INTEGER NOT NULL);"
	"INSERT INTO issued SELECT '', coalesce(sum(head), 0),"
	"  (SELECT coalesce(max(time), 0) FROM keys) FROM rooms;",
};

#define VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])) - 1)

int database_error_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	default:
		return -EIO;
	}
}

static int run(sqlite3 *sqlite, const char *text)
{
	return database_error_of(sqlite3_exec(sqlite, text, NULL, NULL, NULL));
}

static int read_number(sqlite3 *sqlite, const char *text, int *number)
{
	sqlite3_stmt *statement;
	int r = database_error_of(sqlite3_prepare_v2(sqlite, text, -1, &statement, NULL));

	if (r < 0)
		return r;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*number = sqlite3_column_int(statement, 0);
	else
		r = -EIO;
	sqlite3_finalize(statement);
	return r;
}

static int mark(sqlite3 *sqlite)
{
	char text[64];

	snprintf(text, sizeof(text), "PRAGMA application_id = %d", JOURNAL_APPLICATION_ID);
	return run(sqlite, text);
}

int schema_claim(sqlite3 *sqlite)
{
	int pages = 0;
	int r = read_number(sqlite, "PRAGMA page_count", &pages);

	return r < 0 || pages ? r : mark(sqlite);
}

static int migrate_to(sqlite3 *sqlite, int version)
{
	char set_version[64];
	int r = run(sqlite, migrations[version]);

	snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d", version);
	return r < 0 ? r : run(sqlite, set_version);
}

static int migrate(sqlite3 *sqlite, const char *file)
{
	int version = 0;
	int r = read_number(sqlite, "PRAGMA user_version", &version);

	if (!r && version > VERSION) {
		log_error("%s: its schema has version %d, expected at most %d", file, version,
			  VERSION);
		return -EPROTO;
	}
	if (!r && version && version < VERSION)
		log_notice("%s: bringing the schema from version %d to %d", file, version, VERSION);
	while (!r && version < VERSION)
		r = migrate_to(sqlite, ++version);
	return r;
}

int schema_prepare(sqlite3 *sqlite, const char *file)
{
	bool is_marked = false;
	int r = run(sqlite, "BEGIN IMMEDIATE");

	if (!r)
		r = recognise_database(sqlite, file, &is_marked);
	if (!r && !is_marked)
		r = mark(sqlite);
	if (!r)
		r = migrate(sqlite, file);
	if (!r)
		r = run(sqlite, "COMMIT");
	if (r < 0 && !sqlite3_get_autocommit(sqlite))
		sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL);
	if (r == -EMEDIUMTYPE) /* the log beside it isn't ours either */
		sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	return r;
}
