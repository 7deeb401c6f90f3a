#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The journal: what puts a room's messages in order and keeps them.
 *
 * A stream holds the messages of one room. Publishing hands a payload to the
 * journal; once it is kept, and has its sequence number and time, the journal
 * delivers it to whoever opened the stream. That may happen before
 * journal_publish() returns (memory) or later (a disk, another node), always on
 * the event loop's thread and always in the order of the sequence numbers,
 * which are 1, 2, 3 … without a gap.
 *
 * Payloads are bytes that the journal never looks into.
 */
struct journal;
struct journal_stream;

struct journal_entry {
	uint64_t sequence;
	int64_t time; /* milliseconds since 1970, UTC */
	const void *payload;
	size_t size;
};

/* The entry is good for the time of the call. */
typedef void (*journal_entry_fn)(void *user, const struct journal_entry *entry);

/* What a kind of journal implements; see the functions of the same names below. */
struct journal_driver {
	const char *name;
	int (*create)(struct journal **journalp, const char *where, unsigned history);
	void (*destroy)(struct journal *journal);
	int (*open)(struct journal *journal, const char *room, journal_entry_fn deliver, void *user,
		    struct journal_stream **streamp);
	void (*close)(struct journal_stream *stream);
	int (*publish)(struct journal_stream *stream, const void *payload, size_t size);
	int (*read)(struct journal_stream *stream, uint64_t after, unsigned limit,
		    journal_entry_fn each, void *user);
	const char *(*epoch)(const struct journal_stream *stream);
	uint64_t (*head)(const struct journal_stream *stream);
};

/* Begins every journal: the driver's own struct follows. */
struct journal {
	const struct journal_driver *driver;
};

struct journal_stream {
	struct journal *journal;
};

extern const struct journal_driver journal_memory;

/* Whether that is a journal that journal_create() knows, such as "memory". */
int journal_is_known(const char *specification);

/*
 * Opens the journal that specification ("memory", or "KIND:WHERE") names and
 * that keeps the newest history messages of each room. Returns 0 or -errno.
 */
int journal_create(struct journal **journalp, const char *specification, unsigned history);
void journal_destroy(struct journal *journal);

/* A room has at most one open stream at a time. Returns 0 or -errno. */
int journal_open(struct journal *journal, const char *room, journal_entry_fn deliver, void *user,
		 struct journal_stream **streamp);
void journal_close(struct journal_stream *stream);

/* Hands over a payload, which is copied. Returns 0, or -errno where it will never be delivered. */
int journal_publish(struct journal_stream *stream, const void *payload, size_t size);

/*
 * Calls each for the kept messages with a sequence greater than after, oldest
 * first, at most limit of them. Returns how many, or -errno.
 */
int journal_read(struct journal_stream *stream, uint64_t after, unsigned limit,
		 journal_entry_fn each, void *user);

/* Changes when the room's sequence starts anew; good until the stream is closed. */
const char *journal_epoch(const struct journal_stream *stream);

/* The sequence of the newest message, 0 where there was none yet. */
uint64_t journal_head(const struct journal_stream *stream);
