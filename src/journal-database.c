#include "journal-database.h"

#include "journal-schema.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MODULE "journal"

/* So many are deleted at a time, so that nobody waits long for it. */
#define TRIM_MAX 4096

#define BUSY_MILLISECONDS 5000

/*
 * synchronous=FULL: the log is on the disk before a commit returns, so that
 * what is acknowledged survives the power as well as the process. Commits are
 * grouped, which is what makes that cheap.
 *
 * secure_delete=ON: what was deleted is overwritten with zeroes. FAST would
 * leave long messages in the pages that are set free. It costs a few per cent
 * of what the journal can take.
 */
static const char pragmas[] = "PRAGMA journal_mode = WAL;"
			      "PRAGMA synchronous = FULL;"
			      "PRAGMA secure_delete = ON;"
			      "PRAGMA journal_size_limit = 67108864;";

enum statement {
	BEGIN,
	COMMIT,
	FIND_ROOM,
	ADD_ROOM,
	COUNT_ROOMS,
	LEAST_ROOMS,
	DROP_ROOM,
	NEXT_ROOM,
	SET_HEAD,
	ADD_MESSAGE,
	REDACT,
	FIND_KEY,
	ADD_KEY,
	TRIM_MESSAGES,
	TRIM_KEYS,
	SET_MARK,
	DROP_MARKS,
	READ_MARKS,
	READ,
	READ_NEWEST,
	SET_ISSUED,
	STATEMENTS,
};

/* Times never go back, so what is too old is all in front. */
#define TRIM(table)                                                                                \
	"DELETE FROM " table " WHERE room = ?1 AND sequence <= min("                               \
	" (SELECT min(sequence) FROM " table " WHERE room = ?1) + ?4,"                             \
	" max(?2, coalesce((SELECT sequence FROM " table " WHERE room = ?1 AND time >= ?3"         \
	"  ORDER BY sequence LIMIT 1) - 1, 9223372036854775807)))"

#define READ_RANGE(from)                                                                           \
	"SELECT sequence, time, payload FROM messages WHERE room = ?1 AND sequence BETWEEN " from  \
	" AND ?3 AND time >= ?4 ORDER BY sequence LIMIT ?5"

static const char *const texts[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[FIND_ROOM] = "SELECT id, epoch, head,"
		      " coalesce((SELECT min(sequence) FROM messages WHERE room = id), head + 1),"
		      " coalesce((SELECT time FROM messages WHERE room = id"
		      "  ORDER BY sequence DESC LIMIT 1), 0), since FROM rooms WHERE name = ?1",
	[ADD_ROOM] = "INSERT INTO rooms (name, epoch) VALUES (?1, ?2)",
	[COUNT_ROOMS] = "SELECT count(*) FROM rooms",
	[LEAST_ROOMS] = "SELECT id, name FROM rooms WHERE NOT EXISTS"
			" (SELECT 1 FROM marks WHERE room = rooms.id) ORDER BY worth",
	[DROP_ROOM] = "DELETE FROM rooms WHERE id = ?1"
		      " AND NOT EXISTS (SELECT 1 FROM messages WHERE room = ?1)"
		      " AND NOT EXISTS (SELECT 1 FROM keys WHERE room = ?1)",
	[NEXT_ROOM] = "SELECT id, head FROM rooms WHERE id > ?1 ORDER BY id LIMIT 1",
	[SET_HEAD] = "UPDATE rooms SET head = ?2, since = ?3, worth = ?4 WHERE id = ?1",
	[ADD_MESSAGE] = "INSERT INTO messages (room, sequence, time, payload)"
			" VALUES (?1, ?2, ?3, ?4)",
	[REDACT] = "UPDATE messages SET payload = ?3 WHERE room = ?1 AND sequence = ?2"
		   " AND substr(payload, 1, length(?4)) = ?4",
	[FIND_KEY] = "SELECT sequence FROM keys WHERE room = ?1 AND key = ?2 AND time > ?3",
	[ADD_KEY] = "INSERT OR REPLACE INTO keys (room, key, sequence, time)"
		    " VALUES (?1, ?2, ?3, ?4)",
	[TRIM_MESSAGES] = TRIM("messages"),
	[TRIM_KEYS] = TRIM("keys"),
	[SET_MARK] = "INSERT OR REPLACE INTO marks (room, key, until) VALUES (?1, ?2, ?3)",
	[DROP_MARKS] = "DELETE FROM marks WHERE until <= ?1",
	[READ_MARKS] = "SELECT rooms.name, marks.key, marks.until FROM marks"
		       " JOIN rooms ON rooms.id = marks.room WHERE marks.until > ?1"
		       " ORDER BY marks.until DESC",
	[READ] = READ_RANGE("?2"),
	[READ_NEWEST] = READ_RANGE(
		"coalesce((SELECT min(sequence) FROM (SELECT sequence, sum(length(payload))"
		"  OVER (ORDER BY sequence DESC) AS bytes FROM messages WHERE room = ?1"
		"  AND sequence BETWEEN ?2 AND ?3 AND time >= ?4 ORDER BY sequence DESC LIMIT ?5)"
		" WHERE bytes <= ?6), ?3)"),
	[SET_ISSUED] = "UPDATE issued SET counter = ?1, key_time = ?2",
};

struct database {
	sqlite3 *sqlite;
	sqlite3_stmt *statements[STATEMENTS];
};

const char *database_error(const struct database *database)
{
	return sqlite3_errmsg(database->sqlite);
}

sqlite3 *database_handle(const struct database *database)
{
	return database->sqlite;
}

static int run(struct database *database, const char *text)
{
	return database_error_of(sqlite3_exec(database->sqlite, text, NULL, NULL, NULL));
}

/* Steps once, and keeps the statement for the next time unless there is a row to look at. */
static int step(struct database *database, enum statement which)
{
	sqlite3_stmt *statement = database->statements[which];
	int code = sqlite3_step(statement);

	if (code != SQLITE_ROW)
		sqlite3_reset(statement);
	return code;
}

static int run_statement(struct database *database, enum statement which)
{
	return database_error_of(step(database, which));
}

static void bind_blob(sqlite3_stmt *statement, int place, const void *bytes, size_t size)
{
	/* A NULL pointer would be a NULL value. */
	sqlite3_bind_blob64(statement, place, size ? bytes : "", size, SQLITE_STATIC);
}

static int prepare_statements(struct database *database)
{
	for (int i = 0; i < STATEMENTS; i++) {
		int r = database_error_of(sqlite3_prepare_v3(database->sqlite, texts[i], -1,
							     SQLITE_PREPARE_PERSISTENT,
							     &database->statements[i], NULL));

		if (r < 0)
			return r;
	}
	return 0;
}

int database_open(struct database **databasep, const char *file, bool prepare)
{
	struct database *database = calloc(1, sizeof(*database));
	int r;

	if (!database)
		return -ENOMEM;
	r = database_error_of(sqlite3_open_v2(
		file, &database->sqlite,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));
	if (!r) {
		sqlite3_busy_timeout(database->sqlite, BUSY_MILLISECONDS);
		if (prepare)
			r = schema_claim(database->sqlite);
	}
	if (!r)
		r = run(database, pragmas);
	if (!r && prepare)
		r = schema_prepare(database->sqlite, file);
	if (!r)
		r = prepare_statements(database);
	if (r < 0) {
		if (r != -EPROTO && r != -EMEDIUMTYPE)
			log_error("%s: %s", file, database_error(database));
		database_close(database);
		return r;
	}
	*databasep = database;
	return 0;
}

void database_close(struct database *database)
{
	if (!database)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(database->statements[i]);
	sqlite3_close(database->sqlite);
	free(database);
}

void database_leave_log(struct database *database)
{
	sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
}

int database_begin(struct database *database)
{
	return run_statement(database, BEGIN);
}

int database_commit(struct database *database)
{
	return run_statement(database, COMMIT);
}

/* No room has such an id. */
int database_probe(struct database *database)
{
	return run(database, "INSERT INTO messages (room, sequence, time, payload)"
			     " VALUES (-1, 0, 0, zeroblob(65536));"
			     "DELETE FROM messages WHERE room = -1");
}

void database_rollback(struct database *database)
{
	if (!sqlite3_get_autocommit(database->sqlite))
		sqlite3_exec(database->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

void database_checkpoint(struct database *database)
{
	sqlite3_wal_checkpoint_v2(database->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

int database_empty_log(struct database *database)
{
	int code;

	sqlite3_busy_timeout(database->sqlite, 0);
	code = sqlite3_wal_checkpoint_v2(database->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
					 NULL);
	sqlite3_busy_timeout(database->sqlite, BUSY_MILLISECONDS);
	return code == SQLITE_BUSY ? -EBUSY : database_error_of(code);
}

int database_find_room(struct database *database, const char *name, struct database_room *room)
{
	sqlite3_stmt *statement = database->statements[FIND_ROOM];
	const char *epoch;
	int code;

	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	code = step(database, FIND_ROOM);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? -ENOENT : database_error_of(code);
	epoch = (const char *)sqlite3_column_text(statement, 1);
	room->id = sqlite3_column_int64(statement, 0);
	snprintf(room->epoch, sizeof(room->epoch), "%s", epoch ? epoch : "");
	room->head = (uint64_t)sqlite3_column_int64(statement, 2);
	room->oldest = (uint64_t)sqlite3_column_int64(statement, 3);
	room->time = sqlite3_column_int64(statement, 4);
	room->since = sqlite3_column_int64(statement, 5);
	sqlite3_reset(statement);
	return 0;
}

int database_add_room(struct database *database, const char *name, const char *epoch, int64_t *id)
{
	sqlite3_stmt *statement = database->statements[ADD_ROOM];
	int r;

	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, epoch, -1, SQLITE_STATIC);
	r = run_statement(database, ADD_ROOM);
	*id = sqlite3_last_insert_rowid(database->sqlite);
	return r;
}

int database_next_room(struct database *database, int64_t after, int64_t *id, uint64_t *head)
{
	sqlite3_stmt *statement = database->statements[NEXT_ROOM];
	int code;

	sqlite3_bind_int64(statement, 1, after);
	code = step(database, NEXT_ROOM);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? -ENOENT : database_error_of(code);
	*id = sqlite3_column_int64(statement, 0);
	*head = (uint64_t)sqlite3_column_int64(statement, 1);
	sqlite3_reset(statement);
	return 0;
}

int database_set_head(struct database *database, int64_t room, uint64_t head, int64_t since,
		      uint64_t worth)
{
	sqlite3_stmt *statement = database->statements[SET_HEAD];

	sqlite3_bind_int64(statement, 1, room);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)head);
	sqlite3_bind_int64(statement, 3, since);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64)worth);
	return run_statement(database, SET_HEAD);
}

int database_add_message(struct database *database, int64_t room, const struct journal_entry *entry)
{
	sqlite3_stmt *statement = database->statements[ADD_MESSAGE];

	sqlite3_bind_int64(statement, 1, room);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)entry->sequence);
	sqlite3_bind_int64(statement, 3, entry->time);
	bind_blob(statement, 4, entry->payload, entry->size);
	return run_statement(database, ADD_MESSAGE);
}

int database_redact(struct database *database, int64_t room,
		    const struct journal_redaction *redaction)
{
	sqlite3_stmt *statement = database->statements[REDACT];
	int r;

	sqlite3_bind_int64(statement, 1, room);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)redaction->sequence);
	bind_blob(statement, 3, redaction->payload, redaction->size);
	bind_blob(statement, 4, redaction->prefix, redaction->prefix_size);
	r = run_statement(database, REDACT);
	return r || sqlite3_changes(database->sqlite) ? r : -ENOENT;
}

int database_find_key(struct database *database, int64_t room, const void *key, size_t size,
		      int64_t since, uint64_t *sequence)
{
	sqlite3_stmt *statement = database->statements[FIND_KEY];
	int code;

	sqlite3_bind_int64(statement, 1, room);
	bind_blob(statement, 2, key, size);
	sqlite3_bind_int64(statement, 3, since);
	code = step(database, FIND_KEY);
	*sequence = 0;
	if (code == SQLITE_ROW) {
		*sequence = (uint64_t)sqlite3_column_int64(statement, 0);
		sqlite3_reset(statement);
	}
	return database_error_of(code);
}

int database_add_key(struct database *database, int64_t room, const void *key, size_t size,
		     uint64_t sequence, int64_t time)
{
	sqlite3_stmt *statement = database->statements[ADD_KEY];

	sqlite3_bind_int64(statement, 1, room);
	bind_blob(statement, 2, key, size);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)sequence);
	sqlite3_bind_int64(statement, 4, time);
	return run_statement(database, ADD_KEY);
}

static int trim_table(struct database *database, enum statement which, int64_t room,
		      uint64_t sequence, int64_t time)
{
	sqlite3_stmt *statement = database->statements[which];

	sqlite3_bind_int64(statement, 1, room);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)sequence);
	sqlite3_bind_int64(statement, 3, time);
	sqlite3_bind_int64(statement, 4, TRIM_MAX);
	return run_statement(database, which);
}

int database_trim(struct database *database, const struct database_trim *trim)
{
	int r = trim_table(database, TRIM_MESSAGES, trim->room, trim->messages, trim->message_time);

	return r < 0 ? r : trim_table(database, TRIM_KEYS, trim->room, trim->keys, trim->key_time);
}

int database_count_rooms(struct database *database, uint64_t *count)
{
	int code = step(database, COUNT_ROOMS);

	if (code == SQLITE_ROW) {
		*count = (uint64_t)sqlite3_column_int64(database->statements[COUNT_ROOMS], 0);
		sqlite3_reset(database->statements[COUNT_ROOMS]);
	}
	return database_error_of(code);
}

int database_least_rooms(struct database *database, database_room_fn each, void *user)
{
	sqlite3_stmt *statement = database->statements[LEAST_ROOMS];
	int code;

	while ((code = step(database, LEAST_ROOMS)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(statement, 1);

		if (!name || !each(user, sqlite3_column_int64(statement, 0), name)) {
			sqlite3_reset(statement);
			break;
		}
	}
	return database_error_of(code);
}

int database_forget_room(struct database *database, int64_t room, bool *gone, int64_t *changes)
{
	const struct database_trim all = {.room = room, .messages = INT64_MAX, .keys = INT64_MAX};
	sqlite3_int64 before = sqlite3_total_changes(database->sqlite);
	int r = database_trim(database, &all);

	if (!r) {
		sqlite3_bind_int64(database->statements[DROP_ROOM], 1, room);
		r = run_statement(database, DROP_ROOM);
	}
	*gone = !r && sqlite3_changes(database->sqlite) == 1;
	*changes += sqlite3_total_changes(database->sqlite) - before;
	return r;
}

int database_set_issued(struct database *database, uint64_t counter, int64_t key_time)
{
	sqlite3_bind_int64(database->statements[SET_ISSUED], 1, (sqlite3_int64)counter);
	sqlite3_bind_int64(database->statements[SET_ISSUED], 2, key_time);
	return run_statement(database, SET_ISSUED);
}

int database_set_mark(struct database *database, int64_t room, const void *key, size_t size,
		      int64_t until)
{
	sqlite3_stmt *statement = database->statements[SET_MARK];

	sqlite3_bind_int64(statement, 1, room);
	bind_blob(statement, 2, key, size);
	sqlite3_bind_int64(statement, 3, until);
	return run_statement(database, SET_MARK);
}

int database_drop_marks(struct database *database, int64_t now)
{
	sqlite3_bind_int64(database->statements[DROP_MARKS], 1, now);
	return run_statement(database, DROP_MARKS);
}

int database_read_marks(struct database *database, int64_t now, journal_mark_fn each, void *user)
{
	sqlite3_stmt *statement = database->statements[READ_MARKS];
	int code;

	sqlite3_bind_int64(statement, 1, now);
	while ((code = step(database, READ_MARKS)) == SQLITE_ROW) {
		const char *room = (const char *)sqlite3_column_text(statement, 0);
		const void *key = sqlite3_column_blob(statement, 1);

		if (room && key)
			each(user, room, key, (size_t)sqlite3_column_bytes(statement, 1),
			     sqlite3_column_int64(statement, 2));
	}
	return database_error_of(code);
}

int database_read(struct database *database, const struct database_range *range,
		  journal_entry_fn each, void *user)
{
	enum statement which = range->newest && range->bytes ? READ_NEWEST : READ;
	sqlite3_stmt *statement = database->statements[which];
	size_t bytes = 0;
	int count = 0;
	int code;

	sqlite3_bind_int64(statement, 1, range->room);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)range->from);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64)range->to);
	sqlite3_bind_int64(statement, 4, range->time);
	sqlite3_bind_int64(statement, 5, range->limit);
	if (which == READ_NEWEST)
		sqlite3_bind_int64(statement, 6, (sqlite3_int64)range->bytes);
	while ((code = step(database, which)) == SQLITE_ROW) {
		const void *payload = sqlite3_column_blob(statement, 2);
		const struct journal_entry entry = {
			.sequence = (uint64_t)sqlite3_column_int64(statement, 0),
			.time = sqlite3_column_int64(statement, 1),
			.payload = payload ? payload : "",
			.size = (size_t)sqlite3_column_bytes(statement, 2),
		};

		bytes += entry.size;
		if (range->bytes && bytes > range->bytes && count) {
			sqlite3_reset(statement);
			return count;
		}
		each(user, &entry);
		count++;
	}
	return code == SQLITE_DONE ? count : database_error_of(code);
}
