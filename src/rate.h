#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How often something may happen: so many times a second on average, and so
 * many at once.
 *
 * It is the token bucket told by the clock instead of by tokens: a rate holds
 * the time at which its bucket is full again. One that is all zeroes is full.
 * Times are in nanoseconds of any clock that never goes back.
 */
struct rate_limit {
	uint64_t interval;  /* from one to the next */
	uint64_t tolerance; /* how far ahead of the interval they may run */
};

/* Embedded in whatever is limited; one thread's at a time. */
struct rate {
	uint64_t full;
};

/* count times in seconds, and burst (at least 1) at once. A count of 0: no limit. */
static inline struct rate_limit rate_limit(unsigned count, unsigned seconds, unsigned burst)
{
	struct rate_limit limit = {0};

	if (count) {
		limit.interval = (uint64_t)seconds * 1000000000 / count;
		limit.tolerance = limit.interval * (burst ? burst - 1 : 0);
	}
	return limit;
}

/* How long until it may happen again, in nanoseconds: 0 is now. */
static inline uint64_t rate_wait(const struct rate *rate, const struct rate_limit *limit,
				 uint64_t now)
{
	uint64_t from = rate->full > limit->tolerance ? rate->full - limit->tolerance : 0;

	return from > now ? from - now : 0;
}

/* Whether it may happen now; if so, it has, and counts as n times. */
static inline bool rate_take_some(struct rate *rate, const struct rate_limit *limit, unsigned n,
				  uint64_t now)
{
	if (rate_wait(rate, limit, now))
		return false;
	rate->full = (rate->full > now ? rate->full : now) + n * limit->interval;
	return true;
}

static inline bool rate_take(struct rate *rate, const struct rate_limit *limit, uint64_t now)
{
	return rate_take_some(rate, limit, 1, now);
}

/*
 * Rates by a string, such as a person's name or an address. Any thread may use
 * a table. It has at most max of them: those that are full again are forgotten
 * by the way, and if there are too many nevertheless, the one that was used
 * longest ago.
 */
struct rate_table;

/* Returns 0 or -ENOMEM. */
int rate_table_create(struct rate_table **tablep, struct rate_limit limit, size_t max);
void rate_table_destroy(struct rate_table *table);

/* As rate_take_some(), and rate_take(). When memory runs out it may happen. */
bool rate_table_take_some(struct rate_table *table, const char *key, unsigned n, uint64_t now);
bool rate_table_take(struct rate_table *table, const char *key, uint64_t now);

/* How many it remembers. */
size_t rate_table_count(struct rate_table *table);
