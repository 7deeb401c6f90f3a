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
struct limits;

/* Returns 0 or -ENOMEM. */
int limits_create(struct limits **limitsp, const struct config *config);
void limits_destroy(struct limits *limits);

/*
 * Whether it may happen once more for who has that key, an address or a name;
 * if so, it has. NULL is nobody, such as the peer of a unix socket, and may.
 * now is in nanoseconds of a clock that never goes back.
 */
bool limits_take(struct limits *limits, enum limit limit, const char *key, uint64_t now);

/* The same for a connection's own rate; who is for the log, and may be NULL. */
bool limits_take_own(struct limits *limits, enum limit limit, struct rate *rate, const char *who,
		     uint64_t now);

/* In how many whole seconds another try may do, for Retry-After (RFC 9110 section 10.2.3). */
unsigned limits_retry_seconds(const struct limits *limits, enum limit limit);

/* Writes how often each limit was met, as metrics_write() does. */
void limits_write(const struct limits *limits, FILE *out);
