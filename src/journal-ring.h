#pragma once

#include "journal.h"

/* What malloc() takes for so many bytes: its own 8 in front, in steps of 16, and never less than 32. */
static inline size_t journal_heap_size(size_t size)
{
	return size <= 24 ? 32 : (size + 8 + 15) & ~(size_t)15;
}

/*
 * The newest messages of a room in memory, in a ring that grows to its maximum
 * as they come. It has no lock.
 */
struct journal_ring {
	struct journal_record **records; /* record of sequence n: n % capacity */
	unsigned capacity;
	unsigned max;
	size_t bytes; /* of all records, as journal_heap_size() */
	size_t bytes_max;
	uint64_t first; /* the oldest there is */
	uint64_t next;	/* the one that comes next: first == next where there is none */
};

/* An empty ring for at most max records of at most bytes_max together, the first of which will be next. */
void journal_ring_init(struct journal_ring *ring, unsigned max, size_t bytes_max, uint64_t next);
void journal_ring_finish(struct journal_ring *ring);

/* Appends a copy of the entry, whose sequence must be the next. Returns 0 or -ENOMEM, with nothing changed. */
int journal_ring_append(struct journal_ring *ring, const struct journal_entry *entry);

/* Replaces a payload. Returns 0, -ENOENT where there is nothing to redact, or -ENOMEM, with nothing changed. */
int journal_ring_redact(struct journal_ring *ring, const struct journal_redaction *redaction);

/* Drops all, and goes on with that sequence. */
void journal_ring_restart(struct journal_ring *ring, uint64_t next);

/* Drops those of before that time, in milliseconds. */
void journal_ring_drop_older(struct journal_ring *ring, int64_t time);

/* Drops the oldest. Returns false where there is none. */
bool journal_ring_drop_oldest(struct journal_ring *ring);

/* Gives back what the ring itself holds for many more records than there are. */
void journal_ring_shrink(struct journal_ring *ring);

/* Bytes of the records and of the ring itself. */
size_t journal_ring_size(const struct journal_ring *ring);

/*
 * Moves the end of *from to *to that range cares less for, both of which are
 * there, until what is between has no more payload than range->bytes.
 */
void journal_ring_bound(const struct journal_ring *ring, const struct journal_range *range,
			uint64_t *from, uint64_t *to);

/* As journal_read(). */
int journal_ring_read(const struct journal_ring *ring, const struct journal_range *range,
		      journal_entry_fn each, void *user);

/*
 * Which messages range means where those from first to head are kept: from
 * *from to *to. Returns false where there is none.
 */
bool journal_range_clip(const struct journal_range *range, uint64_t first, uint64_t head,
			uint64_t *from, uint64_t *to);

/* What both drivers need: the time in milliseconds since 1970, and a random epoch. */
int64_t journal_now(void);

/* The monotonic clock in milliseconds: what has passed is measured by it. */
int64_t journal_monotonic(void);

#define JOURNAL_EPOCH_SIZE 9
void journal_choose_epoch(char epoch[JOURNAL_EPOCH_SIZE]);
