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
 */
struct tickets;

/* 192 random bits in base64url, with the NUL. */
#define TICKET_SIZE 33

/* At most max tickets are out at a time, each good for so many seconds. Returns 0 or -ENOMEM. */
int tickets_create(struct tickets **ticketsp, size_t max, unsigned seconds);
void tickets_destroy(struct tickets *tickets);

/*
 * Writes a ticket for a copy of the identity; now is in seconds since 1970, as
 * the identity's expiry is. Returns 0, -ENOSPC where as many as may be are out,
 * or -errno.
 */
int tickets_issue(struct tickets *tickets, const struct identity *identity, int64_t now,
		  char text[TICKET_SIZE]);

/*
 * Takes the ticket: *identity is the caller's to finish. Returns 0, or -ENOENT
 * where there is no such ticket, or none any more.
 */
int tickets_redeem(struct tickets *tickets, const char *text, int64_t now,
		   struct identity *identity);
