#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/*
 * The keys of a room's messages that were published within the last
 * JOURNAL_KEY_SECONDS, in memory. It has no lock.
 */
struct journal_keys {
	void *tree; /* of tsearch() */
	TAILQ_HEAD(, journal_key) by_age;
	size_t count;
	size_t bytes; /* as journal_heap_size() */
};

void journal_keys_init(struct journal_keys *keys);
void journal_keys_finish(struct journal_keys *keys);

/* The sequence of the message with that key, or 0; now is in milliseconds of the monotonic clock. */
uint64_t journal_keys_find(struct journal_keys *keys, const void *bytes, size_t size, int64_t now);

/* Forgets the oldest. Returns false where there is none. */
bool journal_keys_drop_oldest(struct journal_keys *keys);

/* Remembers a key that journal_keys_find() did not find. Where memory runs out it doesn't. */
void journal_keys_add(struct journal_keys *keys, const void *bytes, size_t size, uint64_t sequence,
		      int64_t now);
