#pragma once

#include "config.h"

struct server;

/*
 * The sockets that the server listens on. Connections are accepted in batches
 * and dealt to the service threads.
 */
struct listener;

/*
 * Opens a listening socket and puts it in front of the chain. Returns 0, or
 * -errno after saying in the log which address failed and why.
 */
int listener_open(struct listener **chain, struct server *server,
		  const struct config_listen *where);

/* Begins to accept. */
void listener_start(struct listener *chain);

/* Closes the whole chain; NULL is fine. */
void listener_close(struct listener *chain);
