#pragma once

#include <libwebsockets.h>

struct session;

/*
 * The admission hook: checks an upgrade request (RFC 6455 section 4.2.1) and
 * asks the rules of admission. Fills in the session's user, peer and
 * subprotocol. Returns 0 to go on with the handshake, or -1 after answering it
 * with the right status, a line in the log and a count in the metrics.
 */
int handshake_check(struct lws *wsi, struct session *session);

/* The same for a path that speaks no WebSocket at all: answers 404 and returns -1. */
int handshake_refuse(struct lws *wsi);
