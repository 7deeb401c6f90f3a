#pragma once

#include "address.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What proxies say of whom they speak for. Each adds an entry at the right, so
 * that the right one is of the proxy that has connected here, the one to its left
 * of that whose address it names, and so on. Entries are read for as long as who
 * wrote them is trusted; whatever is further left anybody may have written.
 *
 * The first address from the right that isn't trusted is the client's. What is
 * no address ends the walk: the client is then the last proxy that was heard of.
 */

/* The fields of a request; several of one name are joined by commas. NULL: there is none. */
struct forwarded_fields {
	const char *forwarded; /* Forwarded (RFC 7239); where it is there, the others don't count */
	const char *addresses; /* X-Forwarded-For */
	const char *protos;    /* X-Forwarded-Proto */
	const char *hosts;     /* X-Forwarded-Host */
};

enum forwarded_scheme {
	FORWARDED_UNKNOWN,
	FORWARDED_PLAIN,
	FORWARDED_SECURE,
};

#define FORWARDED_HOST_SIZE 264

struct forwarded {
	char peer[ADDRESS_PEER_SIZE]; /* the client, as address.h has it */
	bool is_client; /* false: the walk ended at what is no address, and this is a proxy */
	enum forwarded_scheme scheme;	/* that the client has spoken */
	char host[FORWARDED_HOST_SIZE]; /* that it has asked for; empty: unknown */
};

/* peer is the socket's; whom of them all to trust is in the ranges, as for address_peer_is_in(). */
void forwarded_read(const struct forwarded_fields *fields, const char *peer, char *const *trusted,
		    size_t n_trusted, struct forwarded *out);
