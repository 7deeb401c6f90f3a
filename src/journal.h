#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The journal: what puts a room's messages in order and keeps them.
 *
 * A stream holds the messages of one room. Publishing hands a payload to the
 * journal; once it is kept, and has its sequence number and time, the journal
 * delivers it to whoever opened the stream, and then calls the publication's
 * done(). Sequence numbers are 1, 2, 3 … without a gap, and times never go
 * back.
 *
 * The memory journal does both before journal_publish() returns, on the
 * caller's thread. SQLite does it later, from a thread of its own, which holds
 * no lock of the journal's meanwhile: deliver may wait for the caller's locks,
 * but while it does nothing else is committed.
 *
 * Threads: any thread may call any function; calls on one stream are the
 * caller's to serialise, except journal_read(), journal_head() and
 * journal_epoch(), which may run beside each other and beside
 * journal_publish().
 *
 * Payloads are bytes that the journal never looks into.
 */
struct journal;
struct journal_stream;

/* The same key in the same room is the same message for so long. */
#define JOURNAL_KEY_SECONDS 600

/* And as long as no more than so many keys have come since, so that a flood costs only so much. */
#define JOURNAL_KEYS_MAX 65536

struct journal_entry {
	uint64_t sequence;
	int64_t time; /* milliseconds since 1970, UTC */
	const void *payload;
	size_t size;
};

/* The entry is good for the time of the call. It must not call the journal. */
typedef void (*journal_entry_fn)(void *user, const struct journal_entry *entry);

/*
 * Called for all entries in the order of their sequences, some at a time, by
 * one thread at a time for each stream. They are good for the time of the call.
 */
typedef void (*journal_deliver_fn)(void *user, const struct journal_entry *entries, size_t n);

/*
 * What is to be gone: the payload of a kept message is replaced by another one
 * in the same moment in which a publication is kept, for good. It keeps its
 * sequence and its time.
 */
struct journal_redaction {
	uint64_t sequence;
	const void *prefix; /* only where its payload begins like that */
	size_t prefix_size;
	const void *payload;
	size_t size;
};

/*
 * What holds in a room until some time, whatever becomes of the room's
 * messages: a journal that outlives a restart keeps it in the same moment as
 * the publication that brings it. The same key in the same room is the same
 * mark, and has the end that was written last.
 */
struct journal_mark {
	const void *key;
	size_t key_size;
	/*
	 * When it is over, in seconds since 1970; 0: at once. Asked while the
	 * publication is being written, on the journal's thread: so the one that
	 * is written last is also the last to ask, whichever thread was faster.
	 */
	int64_t (*until)(const struct journal_mark *mark);
};

typedef void (*journal_mark_fn)(void *user, const char *room, const void *key, size_t key_size,
				int64_t until);

/*
 * A message on its way: the caller's memory, which stays where it is, with the
 * payload and the key, until done() is called. That happens exactly once, maybe
 * before journal_publish() returns.
 */
struct journal_publication {
	const void *payload;
	size_t size;
	const void *
		key; /* tells it from others of its room: who sent it and how they call it. NULL: it has none */
	size_t key_size;
	const struct journal_redaction *redaction; /* NULL: none */
	const struct journal_mark *mark;	   /* NULL: none */
	void (*done)(struct journal_publication *publication);

	/* The outcome. */
	int result;	   /* 0, -ENOSPC, -EIO, -ENOMEM, -EBUSY: too many are waiting, or
			    * -ENOENT: there is nothing to redact, and it isn't kept either */
	uint64_t sequence; /* where it is 0 */
	bool repeated;	   /* it was there already, with that sequence, and isn't delivered again */

	/* The journal's own. */
	struct journal_stream *stream;
	struct journal_publication *next;
	int64_t time;
};

/* Messages to read: those after a sequence and before another, and at most limit of them. */
struct journal_range {
	uint64_t after;
	uint64_t before; /* 0: up to the newest */
	unsigned limit;
	size_t bytes; /* and no more payload than that, but at least one message; 0: any size */
	bool newest;  /* where there are more than that: the newest of them, else the oldest */
	bool at_hand; /* only what is in memory: -EAGAIN where it would have to wait for the disk */
};

/* Counters for the metrics, each of them changed by one thread at a time; memory leaves all but the last at 0. */
struct journal_metrics {
	_Atomic uint64_t commits;
	_Atomic uint64_t commit_nanoseconds; /* in all */
	_Atomic uint64_t commit_nanoseconds_max;
	_Atomic uint64_t failures; /* publications that could not be kept */
	_Atomic bool failing;	   /* what was written last could not be kept */
	_Atomic bool broken;	   /* until a restart: its file is damaged, or gone */
	_Atomic uint64_t queue;	   /* publications that wait */
	_Atomic uint64_t cache_reads;
	_Atomic uint64_t disk_reads;
	_Atomic uint64_t rooms; /* that are kept */
	_Atomic uint64_t rooms_forgotten;
	_Atomic size_t bytes; /* that memory keeps, with all that belongs to them */
};

/* What a kind of journal implements; see the functions of the same names below. */
struct journal_driver {
	const char *name;
	bool is_somewhere; /* WHERE must be given, else it must not */
	bool waits;	   /* for a disk, maybe, to open a stream and to read */
	int (*create)(struct journal **journalp, const char *where, unsigned history);
	void (*destroy)(struct journal *journal);
	int (*open)(struct journal *journal, const char *room, journal_deliver_fn deliver,
		    void *user, struct journal_stream **streamp);
	void (*close)(struct journal_stream *stream);
	void (*publish)(struct journal_stream *stream, struct journal_publication *publication);
	int (*read)(struct journal_stream *stream, const struct journal_range *range,
		    journal_entry_fn each, void *user);
	const char *(*epoch)(const struct journal_stream *stream);
	uint64_t (*head)(const struct journal_stream *stream);
	/* NULL: marks don't outlive it. */
	int (*marks)(struct journal *journal, int64_t now, journal_mark_fn each, void *user);
};

/* Begins every journal: the driver's own struct follows. */
struct journal {
	const struct journal_driver *driver;
	_Atomic unsigned seconds; /* that messages are kept; 0: for ever */
	_Atomic size_t bytes_max; /* that it keeps in memory */
	_Atomic size_t rooms_max; /* that it keeps; 0: any number */
	struct journal_metrics metrics;
};

struct journal_stream {
	struct journal *journal;
};

extern const struct journal_driver journal_memory;
extern const struct journal_driver journal_sqlite;

/* Whether that is a journal that journal_create() knows, such as "memory". */
bool journal_is_known(const char *specification);

/*
 * Opens the journal that specification ("memory", or "sqlite:FILE") names and
 * that keeps the newest history messages of each room. Returns 0 or -errno, and
 * -EBUSY where another process has it open, -EMEDIUMTYPE where it is another
 * program's.
 */
int journal_create(struct journal **journalp, const char *specification, unsigned history);

/* Every stream must have been closed. */
void journal_destroy(struct journal *journal);

/* Keeps messages no longer than that; 0: for ever, as it is without this. */
void journal_limit_age(struct journal *journal, unsigned seconds);

/*
 * For the memory journal: no more than so many bytes of all streams, open or
 * not; beyond that those that hold the most lose their oldest messages. It is
 * JOURNAL_BYTES where nothing else is said.
 */
#define JOURNAL_BYTES ((size_t)96 * 1024 * 1024)
void journal_limit_bytes(struct journal *journal, size_t bytes);

/* That limit, or 0: it has none. */
size_t journal_bytes_max(const struct journal *journal);

/*
 * For SQLite: keeps no more than so many rooms. Of those that nobody has open
 * the ones that are worth least are forgotten (journal-idle.h), some at a time,
 * unless a mark holds in them.
 */
void journal_limit_rooms(struct journal *journal, size_t rooms);

/*
 * Whether messages can be kept, as far as it knows: it tries again every few
 * seconds where they can't. A damaged file can't be trusted until a restart.
 */
bool journal_keeps(const struct journal *journal);

const struct journal_metrics *journal_metrics(const struct journal *journal);

/* Whether opening a stream and reading may have to wait for a disk. */
bool journal_waits(const struct journal *journal);

/*
 * Calls each for the marks of all rooms that are not over at that time, those
 * that hold longest first. It may wait for the disk. Returns 0 or -errno.
 */
int journal_marks(struct journal *journal, int64_t now, journal_mark_fn each, void *user);

/*
 * A room has at most one open stream at a time. SQLite may have to wait for the
 * disk. Returns 0 or -errno.
 */
int journal_open(struct journal *journal, const char *room, journal_deliver_fn deliver, void *user,
		 struct journal_stream **streamp);

/* Once every publication is done; the last one's done() may call it. */
void journal_close(struct journal_stream *stream);

/* Hands over a message. Whatever comes of it, done() is told. */
void journal_publish(struct journal_stream *stream, struct journal_publication *publication);

/*
 * Calls each for the kept messages in range, oldest first. Returns how many, or
 * -errno; fewer than limit say nothing where bytes bounds them. What is kept has no gaps: where the first is not the one after
 * range->after, those between are gone.
 *
 * A message can be read a moment before it is delivered. Who must have each
 * exactly once notes the last sequence that deliver brought, under a lock of
 * its own, and reads before the next.
 *
 * The newest messages of an open stream, as many as are kept up to about
 * 1 MiB, are in memory. For older ones SQLite waits for the disk, which no
 * service thread may: it asks for what is at_hand, and the worker for the rest.
 */
int journal_read(struct journal_stream *stream, const struct journal_range *range,
		 journal_entry_fn each, void *user);

/* Changes when the room's sequence starts anew; good until the stream is closed. */
const char *journal_epoch(const struct journal_stream *stream);

/* The sequence of the newest message, 0 where there was none yet. */
uint64_t journal_head(const struct journal_stream *stream);
