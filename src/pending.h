#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes that clients have asked for and not taken yet: answers, and what was
 * said before somebody joined. They are charged before they are read, and
 * released when they have left or are given up. Any thread may do so.
 */
struct pending {
	size_t max;
	_Atomic size_t used;
};

static inline void pending_release(struct pending *pending, size_t size)
{
	pending->used -= size;
}

/* Returns whether they are within the limit; else nothing has been charged. */
static inline bool pending_charge(struct pending *pending, size_t size)
{
	pending->used += size;
	if (pending->used <= pending->max)
		return true;
	pending_release(pending, size);
	return false;
}

static inline bool pending_is_full(const struct pending *pending)
{
	return pending->used >= pending->max;
}
