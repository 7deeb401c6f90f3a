#pragma once

#include "room-session.h"

#include <libwebsockets.h>

/*
 * A stream: an endpoint that says one value a second to everybody who listens,
 * over WebSocket or, for a plain GET, as server-sent events. All listeners
 * share one ticker, which runs only while there are any.
 */
struct stream_session {
	struct room_session room;
};

/* What the stream says next, as text; good until the next call. */
typedef const char *(*stream_next_fn)(void);

/* The whole callback of such an endpoint, but for what it says. */
int stream_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t size, stream_next_fn next);

/* A random number from 0 to n - 1. */
unsigned stream_random(unsigned n);
