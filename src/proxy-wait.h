#pragma once

#include "address.h"

#include <ev.h>

/*
 * Connections of which the header of the PROXY protocol hasn't come yet. Nothing
 * behind it is read, and none of them waits longer than it may. On the loop's
 * thread.
 */

struct proxy_waiting;

/* A header has come, or won't: peer is NULL then. The descriptor is the callee's. */
typedef void (*proxy_wait_done)(void *user, int fd, const char *peer);

struct proxy_wait {
	struct ev_loop *loop;
	double seconds;
	proxy_wait_done done;
	void *user;
	struct proxy_waiting *first;
};

/* Waits for one; done() may be called at once, always where there is no memory. peer is the socket's. */
void proxy_wait_for(struct proxy_wait *wait, int fd, const char *peer);

/* Gives up all that still wait, as done() is told. */
void proxy_wait_finish(struct proxy_wait *wait);
