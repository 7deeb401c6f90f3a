#pragma once

#include "flusher.h"
#include "wire.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Fan-out: one wire log, and the readers that receive all of it.
 *
 * What is appended is framed once; a reader is an offset into the log. Nothing
 * is written at that moment: the readers' flushers (flusher.h) do it, each on
 * its service thread, and give a reader everything it has not had in one write.
 *
 * A reader that can't keep up costs nothing but its offset. When the log is
 * about to overwrite what it has not had yet, it is dropped. A whole thread
 * that can't keep up is no reader's fault: whoever appends waits for it, but no
 * longer than a second. Then its readers are dropped, too, as soon as it comes
 * to them.
 *
 * Readers are the matter of the thread that they have joined on. Everything
 * else happens with the lock held that fanout_create() was given.
 */
struct fanout;
struct reader;

/* The way from a fan-out to a connection. Neither function may join or leave anything. */
struct reader_sink {
	/*
	 * Takes of the bytes what the connection does, from the first on and up
	 * to the end of a frame, and returns how much that is: less than size only
	 * when reader_writable() will be called; -1 when the connection is as good
	 * as closed. The bytes are good for the time of the call. frames is how
	 * many frames have been taken when all of them are.
	 */
	ssize_t (*write)(struct reader *reader, const void *bytes, size_t size, uint64_t frames);
	/*
	 * It is the reader's turn soon, the next but one time (turns is 2), then
	 * the next (1): fetches what write() needs into the cache, the second time
	 * what it finds there. May be NULL.
	 */
	void (*expect)(struct reader *reader, unsigned turns);
	/* The reader has missed frames, and is none any more. */
	void (*overrun)(struct reader *reader);
};

/* Embedded in whatever reads. Only fanout.c touches its fields. */
struct reader {
	const struct reader_sink *sink;
	struct part *part; /* NULL: of no fan-out */
	uint64_t position;
	uint64_t frames; /* that had been appended when it was last up to date */
	size_t index;
	bool waiting; /* for reader_writable() */
};

/*
 * ring: bytes of the wire log, which there is only while there are readers.
 * lock: a recursive mutex, which must outlive the fan-out. Returns 0 or -ENOMEM.
 */
int fanout_create(struct fanout **fanoutp, struct flushers *flushers, size_t ring,
		  pthread_mutex_t *lock);

/* Nobody may read it any more. */
void fanout_destroy(struct fanout *fanout);

size_t fanout_readers(const struct fanout *fanout);

/* Reads from the next frame on, until it leaves or is dropped. Returns 0 or -errno. */
int fanout_join(struct fanout *fanout, struct flusher *flusher, struct reader *reader,
		const struct reader_sink *sink);

/* Harmless for who reads nothing. Takes the lock by itself. */
void reader_leave(struct reader *reader);
bool reader_is_reading(const struct reader *reader);

/* The connection can take more: gives it what it has not had. Takes the lock only to drop the reader. */
void reader_writable(struct reader *reader);

/*
 * Sees to it that size bytes can be appended to each of n fan-outs of one lock,
 * which may be NULL, without overwriting what a reader still needs. That may
 * drop readers, flush the thread's own fan-outs, and wait for other threads to
 * flush theirs, with the lock released: unless there is room at once, the
 * calling thread must hold it exactly once. Returns whether anybody will read
 * it; -EMSGSIZE: it can never be appended.
 */
int fanout_reserve(struct fanout *const *fanouts, size_t n, size_t size);

/* Appends one frame, or bytes that are none, for which there is room. */
void fanout_append_frame(struct fanout *fanout, enum wire_opcode opcode, const void *payload,
			 size_t size);
void fanout_append_raw(struct fanout *fanout, const void *bytes, size_t size);
