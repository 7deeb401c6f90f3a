#pragma once

#include "identity.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Tickets: what somebody with a token is given to open one connection with,
 * where the token itself can't be sent along, as in a browser's WebSocket.
 *
 * A ticket is good once and for a short time, and is only ever in memory, as a
 * hash: neither a log nor a look at this process's memory shows one that is
 * still good. Any thread may call these functions, except create and destroy.
 *
 * Nobody is ever refused one: a person has so many at a time, and the oldest of
 * them gives way; where as many as may be are out in all, the oldest of all
 * does. To take the tickets of others somebody would need thousands of tokens in
 * as many names. Those that a person has for the same token share what it says.
 */
struct tickets;

/* Of one person at a time: more than the tabs that anybody opens within the seconds that one is good. */
#define TICKETS_OF_A_PERSON 16

/* 192 random bits in base64url, with the NUL. */
#define TICKET_SIZE 33

/* At most max tickets are out at a time, each good for so many seconds. Returns 0 or -ENOMEM. */
int tickets_create(struct tickets **ticketsp, size_t max, unsigned seconds);
void tickets_destroy(struct tickets *tickets);

/* Writes a ticket for what the identity says, at a time of the monotonic clock in seconds. Returns 0 or -errno. */
int tickets_issue(struct tickets *tickets, const struct identity *identity, int64_t at,
		  char text[TICKET_SIZE]);

/*
 * Takes the ticket, at a time of the monotonic clock, by which it is good; now
 * is in seconds since 1970, as the identity's expiry is. Returns whose it is, to be released with identity_unref(),
 * or NULL where there is no such ticket, or none any more.
 */
const struct identity *tickets_redeem(struct tickets *tickets, const char *text, int64_t at,
				      int64_t now);
