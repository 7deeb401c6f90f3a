#pragma once

#include <stdbool.h>

/*
 * Quotas. A quota is charged when something begins and released when that
 * something is torn down; whoever holds a charge remembers that it does. Any
 * thread may do so; two that ask at once for the last one may both get it.
 */
struct quota {
	unsigned max;
	_Atomic unsigned used;
};

/* Whether one more would be within the quota. */
static inline bool quota_has_room(const struct quota *quota)
{
	return quota->used < quota->max;
}

static inline void quota_charge(struct quota *quota)
{
	quota->used++;
}

static inline void quota_release(struct quota *quota)
{
	quota->used--;
}
