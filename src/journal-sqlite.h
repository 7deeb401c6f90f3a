#pragma once

#include "journal-database.h"
#include "journal-file.h"
#include "journal-issued.h"
#include "journal-ring.h"

#include <pthread.h>

struct lh_table;

/*
 * A journal on SQLite. Publications wait in a queue; one thread takes all that
 * are there, writes them in one transaction, and delivers them once it is
 * committed. While it waits for the disk more come in, so that a transaction
 * holds the more messages the busier it gets.
 *
 * A room gets its row with its first message: strangers name rooms, and most of
 * them never say a word.
 *
 * A sequence is taken when a message is written. Where the transaction fails it
 * was never taken: all publications of that transaction are told, and those
 * that come next get the same sequences.
 *
 * Locks: the journal's for the table of open streams; the queue's; the readers'
 * for the connections that nobody reads with; each stream's for its cache. None is held while
 * another is taken, and the writer holds none while it delivers.
 */
#define BATCH_MAX 1024

/* So many read at a time: one that takes long holds up the others only when all do. */
#define SQLITE_READERS 4

/* So many rooms are forgotten at a time. */
#define SQLITE_LEAVING 64

struct sqlite {
	struct journal base;
	unsigned history;
	struct journal_file file;
	_Atomic uint64_t next_complaint; /* of damage, in nanoseconds of the monotonic clock */

	pthread_mutex_t lock;
	struct lh_table *streams; /* the open ones, by room */
	/* Rooms that are being forgotten: who wants to open one waits. */
	char *leaving[SQLITE_LEAVING];
	unsigned n_leaving;
	pthread_cond_t gone;

	pthread_mutex_t readers_lock;
	pthread_cond_t reader_idle;
	struct database *readers[SQLITE_READERS]; /* the idle ones come first */
	unsigned idle_readers;

	pthread_mutex_t queue_lock;
	pthread_cond_t queue_filled;
	struct journal_publication *first, **end;
	unsigned queued;
	bool stopping;

	/* The writer thread's own. */
	pthread_t thread;
	struct database *writer;
	struct journal_entry entries[BATCH_MAX];
	int64_t swept;	     /* the room where the last sweep ended */
	uint64_t next_sweep; /* in nanoseconds of the monotonic clock */
	uint64_t next_leaving;
	uint64_t next_probe;
	uint64_t next_note; /* for journal-issued.h */
	uint64_t next_look; /* whether the file is still there */
	bool is_lost;
	struct journal_issued issued;
	int64_t key_offset;	 /* from the monotonic clock to the time of keys, in milliseconds */
	uint64_t issued_written; /* the count that is in its file */
	uint64_t rooms;		 /* that have a row */
	uint64_t added;		 /* and those that the transaction adds */
	uint64_t written;	 /* messages that it adds */
	bool has_leftovers;	 /* of what was redacted, in the log, maybe */
};

struct sqlite_stream {
	struct journal_stream base;
	char *room;
	journal_deliver_fn deliver;
	void *user;
	char epoch[32];
	_Atomic int64_t id; /* 0: the room has no row yet */
	_Atomic uint64_t head;

	pthread_mutex_t lock;
	struct journal_ring cache;
	uint64_t oldest; /* none before it is kept */

	/* The writer thread's own. */
	int64_t since; /* when the first message came */
	int64_t time;  /* of the newest message */
	unsigned untrimmed;
	struct journal_publication *batch, **batch_end;
	struct sqlite_stream *next;
	int64_t next_id; /* these four hold once the transaction is committed */
	int64_t next_since;
	int64_t next_time;
	uint64_t next_head;
};

static inline struct sqlite *sqlite_of(const struct sqlite_stream *stream)
{
	return (struct sqlite *)stream->base.journal;
}

/* Messages of before that time, in milliseconds, are no longer kept; 0: all are. */
int64_t sqlite_oldest_time(const struct sqlite *sqlite);

/* The sequence from which on messages are kept, by their count. */
uint64_t sqlite_oldest_by_count(const struct sqlite *sqlite, uint64_t head);

/* Takes what is too old out of the cache, whose lock is the caller's. */
void sqlite_drop_old(struct sqlite_stream *stream);

/*
 * The time that keys have, in milliseconds: it goes on with the monotonic
 * clock, whatever becomes of the wall's, and never goes back. Each start lets
 * it be at least wall time, since nobody knows how long the journal was closed.
 */
int64_t sqlite_key_time(const struct sqlite *sqlite);

/* In nanoseconds of the monotonic clock. */
uint64_t sqlite_now(void);

/*
 * What came of reading or writing, as -errno: where the file is damaged the log
 * says so, at most once a minute, and the journal's metrics from then on.
 * Returns that, and -EIO for -EUCLEAN.
 */
int sqlite_note_damage(struct sqlite *sqlite, const struct database *database, int r);

/* The writer's: whether the file is still there. Once it isn't nothing more is written. */
bool sqlite_is_there(struct sqlite *sqlite);

/* The writer's, and of who destroys it: tells the file for journal-issued.h what was written. */
void sqlite_note_issued(struct sqlite *sqlite, bool lasting);

/* On the writer's thread, where there are too many rooms: forgets some of them, if it is time for it. */
void sqlite_forget_rooms(struct sqlite *sqlite);

/* When that is to be called again; UINT64_MAX: not until there are more of them. */
uint64_t sqlite_next_forgetting(const struct sqlite *sqlite);

/* With the journal's lock held: returns when no room of that name is being forgotten. */
void sqlite_wait_for_leaving(struct sqlite *sqlite, const char *room);

/* Starts the thread that writes. It ends when the queue is empty and stopping is set. Returns 0 or -errno. */
int sqlite_start_writer(struct sqlite *sqlite);
