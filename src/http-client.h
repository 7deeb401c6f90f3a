#pragma once

#include "address.h"

#include <libwebsockets.h>
#include <stdbool.h>

/*
 * Whom a request is from, and what they have asked for: as the socket says it, or
 * the proxies in between that are trusted (listen[].trusted_proxies). With each
 * request of a connection it may be somebody else.
 */

#define HTTP_PEER_SIZE ADDRESS_PEER_SIZE

/* The client's address and port, or "unix", into text: see address.h. */
void http_peer(struct lws *wsi, char text[HTTP_PEER_SIZE]);

/* Whether the client has asked over TLS. */
bool http_is_secure(struct lws *wsi);

/* The host that it has asked for, with its port, to be freed; NULL: it isn't known. */
char *http_host(struct lws *wsi);

/*
 * Whether somebody is in between who isn't trusted, or can't tell whom it speaks
 * for: http_peer() is a proxy then, not the client.
 */
bool http_is_forwarded(struct lws *wsi);
