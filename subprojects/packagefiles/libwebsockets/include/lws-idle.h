/*
 * Which of a context's connections are idle: what lws has no word for.
 *
 * Distributed under the MIT License, like libwebsockets.
 */
#ifndef LWS_IDLE_H
#define LWS_IDLE_H

#include <libwebsockets.h>

/*
 * Closes, without a word, up to n of the context's HTTP connections that wait for
 * a request or are still in their TLS handshake, those first that have waited
 * longest. No WebSocket, none whose request is there already, and none that has had
 * less than grace_us for its first one. Returns how many. On the context's thread,
 * and from outside any connection's callback.
 */
size_t lws_close_longest_idle(struct lws_context *context, size_t n, lws_usec_t grace_us);

/* All of them, at any time. */
void lws_close_idle(struct lws_context *context);

/* The connection ends with the answer to its present request. */
void lws_http_no_keep_alive(struct lws *wsi);

#endif
