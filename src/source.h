#pragma once

#include "address.h"

struct config_listen;

/* Where a connection has come from, and by which address it has come in. Each has one of its own, from accept to close. */
struct source {
	const struct config_listen *listen;
	char peer[ADDRESS_PEER_SIZE]; /* the socket's, or who the PROXY protocol says that it is */
};

/* NULL: out of memory. */
struct source *source_create(const struct config_listen *listen, const char *peer);
void source_destroy(struct source *source);
