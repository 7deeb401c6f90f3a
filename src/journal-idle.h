#pragma once

#include <stdint.h>

/*
 * The streams that nobody has open, and which of them is worth least: a heap
 * with that one on top. It has no lock.
 *
 * What counts is how long a room was in use, from its first message to its
 * last: that is the one thing that can't be had in a hurry. Each doubling of it
 * is worth a day of lying idle, and among equals the one that was left longest
 * ago is worth least. So rooms of a single message, or of a flood that took a
 * minute, go before those in which people have met for an hour, and these only
 * push out what nobody has come back to for many days.
 *
 * Somebody with some hundreds of addresses can name rooms as fast as they may
 * publish, but those push out each other. To push out rooms that were in use
 * for a week they would have to keep as many rooms as fit in use for a week.
 * What they can do in a minute is to deny the past to rooms that were in use
 * for less than a minute.
 */
struct journal_idle {
	uint64_t worth;
	uint64_t order; /* in which they were left */
	unsigned place; /* in the heap */
};

struct journal_idles {
	struct journal_idle **heap;
	unsigned n;
	unsigned capacity;
	uint64_t next_order;
};

/*
 * What a room that was left now is worth, from the times in milliseconds of its
 * first and its last message. It fades for all alike, so what it was worth when
 * it was left tells the same order at any time.
 */
uint64_t journal_worth(int64_t first, int64_t last, int64_t now);

void journal_idles_init(struct journal_idles *idles);
void journal_idles_finish(struct journal_idles *idles);

/* With times as journal_worth(). Returns 0 or -ENOMEM. */
int journal_idles_add(struct journal_idles *idles, struct journal_idle *idle, int64_t first,
		      int64_t last, int64_t now);
void journal_idles_remove(struct journal_idles *idles, struct journal_idle *idle);

/* The one that is worth least, or NULL. */
struct journal_idle *journal_idles_least(const struct journal_idles *idles);
