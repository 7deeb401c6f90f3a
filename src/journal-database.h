#pragma once

#include "journal.h"

#include <sqlite3.h>

/*
 * One connection to the file of the SQLite journal: its schema and every
 * statement. A connection is one thread's at a time.
 *
 * Functions return 0 or -errno: -ENOSPC where the disk is full, -ENOMEM,
 * -EUCLEAN where the file is damaged, and -EIO for whatever else SQLite says.
 */
struct database;

struct database_room {
	int64_t id;
	char epoch[32];
	uint64_t head;
	uint64_t oldest; /* the first message that is kept, head + 1 where there is none */
	int64_t time;	 /* of the newest that is kept, else 0 */
	int64_t since;	 /* the time of its first message ever */
};

/* Returns false to hear of no more of them. */
typedef bool (*database_room_fn)(void *user, int64_t id, const char *name);

/* Which messages and keys of a room are no longer needed. */
struct database_trim {
	int64_t room;
	uint64_t messages;    /* up to this sequence */
	int64_t message_time; /* or older, in milliseconds */
	uint64_t keys;
	int64_t key_time;
};

/*
 * With prepare it makes the file, or brings an old one to the schema of now, or
 * returns -EMEDIUMTYPE or -EPROTO, as schema_prepare().
 */
int database_open(struct database **databasep, const char *file, bool prepare);
void database_close(struct database *database);

/* When it is closed the log in front of the file stays as it is. */
void database_leave_log(struct database *database);

/* What went wrong last, in words. */
const char *database_error(const struct database *database);

sqlite3 *database_handle(const struct database *database);

int database_begin(struct database *database);
int database_commit(struct database *database);

/* Writes about as much as a batch of messages may have, and deletes it again, in a transaction. */
int database_probe(struct database *database);

/* Harmless where nothing was begun. */
void database_rollback(struct database *database);

/* Moves into the file what the log in front of it holds, so that the log's space can be used again. */
void database_checkpoint(struct database *database);

/* As well, and leaves nothing of what was in the log. -EBUSY: not while somebody reads. */
int database_empty_log(struct database *database);

/* -ENOENT: there is none of that name. */
int database_find_room(struct database *database, const char *name, struct database_room *room);
int database_add_room(struct database *database, const char *name, const char *epoch, int64_t *id);
int database_count_rooms(struct database *database, uint64_t *count);

/* Calls each for those that are worth least, and in which no mark holds. */
int database_least_rooms(struct database *database, database_room_fn each, void *user);

/*
 * Deletes the room with all that it has, or as much of it as database_trim()
 * does at a time: *gone tells. *changes is increased by the number of rows.
 */
int database_forget_room(struct database *database, int64_t room, bool *gone, int64_t *changes);

/* The first room whose id is greater, or -ENOENT. */
int database_next_room(struct database *database, int64_t after, int64_t *id, uint64_t *head);

/* What changes with a room's messages: the newest sequence, when the first came, journal_worth(). */
int database_set_head(struct database *database, int64_t room, uint64_t head, int64_t since,
		      uint64_t worth);

int database_add_message(struct database *database, int64_t room,
			 const struct journal_entry *entry);

/* -ENOENT: there is nothing to redact. */
int database_redact(struct database *database, int64_t room,
		    const struct journal_redaction *redaction);

/* *sequence is 0 where there is no such key since that time. */
int database_find_key(struct database *database, int64_t room, const void *key, size_t size,
		      int64_t since, uint64_t *sequence);
int database_add_key(struct database *database, int64_t room, const void *key, size_t size,
		     uint64_t sequence, int64_t time);

/* How many messages were ever written, and when; see journal-issued.h. */
int database_set_issued(struct database *database, uint64_t counter, int64_t key_time);

/* Marks: those that are over at a time, in seconds, are dropped and not read. */
int database_set_mark(struct database *database, int64_t room, const void *key, size_t size,
		      int64_t until);
int database_drop_marks(struct database *database, int64_t now);
int database_read_marks(struct database *database, int64_t now, journal_mark_fn each, void *user);

/* Deletes the oldest of what is no longer needed, at most some thousand messages at a time. */
int database_trim(struct database *database, const struct database_trim *trim);

/* Which messages of a room are to be read; limit, bytes and newest are those of a journal_range. */
struct database_range {
	int64_t room;
	uint64_t from;
	uint64_t to;
	int64_t time; /* none that is older */
	unsigned limit;
	size_t bytes;
	bool newest;
};

/* Calls each for them, oldest first. Returns how many. */
int database_read(struct database *database, const struct database_range *range,
		  journal_entry_fn each, void *user);
