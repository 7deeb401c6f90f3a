#pragma once

#include "config.h"
#include "rate.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The limits on how often things may happen, one of each kind for the whole
 * server. Whatever arrives is charged here before it is worked on: to an
 * address, to a person, or to a connection, which has the rate in its own
 * memory. What goes beyond is counted, and told in the log once a second for
 * each kind.
 *
 * Any thread may call these functions, except create and destroy.
 */
struct limiter;

/* Returns 0 or -ENOMEM. */
int limiter_create(struct limiter **limiterp, const struct config *config);
void limiter_destroy(struct limiter *limiter);

/*
 * Whether it may happen once more for who has that key, an address or a name;
 * if so, it has. NULL is nobody, such as the peer of a unix socket, and may.
 * now is in nanoseconds of a clock that never goes back.
 */
bool limiter_take(struct limiter *limiter, enum limit limit, const char *key, uint64_t now);

/* The same for what counts as n times. */
bool limiter_take_some(struct limiter *limiter, enum limit limit, const char *key, unsigned n,
		       uint64_t now);

/* The same for a connection's own rate; who is for the log, and may be NULL. */
bool limiter_take_own(struct limiter *limiter, enum limit limit, struct rate *rate, const char *who,
		      uint64_t now);

/* In how many whole seconds another try may do, for Retry-After (RFC 9110 section 10.2.3). */
unsigned limiter_retry_seconds(const struct limiter *limiter, enum limit limit);

/* Writes how often each limit was met, as metrics_write() does. */
void limiter_write(const struct limiter *limiter, FILE *out);
