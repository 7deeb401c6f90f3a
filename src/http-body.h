#pragma once

#include "http.h"
#include "pending.h"

/*
 * Bodies in memory that leave piece by piece: lws copies what the socket
 * doesn't take at once, so it is given the next piece only when the last one
 * has left.
 */

/* Text in memory, of which so much is charged to the server's pending bytes. */
struct http_text {
	char *bytes; /* NULL: none */
	size_t size;
	size_t charged;
	struct pending *pending;
};

/*
 * Charges size bytes, for a text that is yet to be made. Returns 0, or -ENOBUFS
 * where there is too much already that clients have asked for and not taken.
 */
int http_text_charge(struct http_text *text, struct pending *pending, size_t size);

/* It is made: charges no more than its size. */
void http_text_settle(struct http_text *text);

/* Frees it and releases what was charged; harmless for one that is all zeroes. */
void http_text_finish(struct http_text *text);

/* In a connection's session data. */
struct http_body {
	struct http_text text;
	size_t sent;
};

/* Charges the text, where it isn't yet and must be for http_body_reply(). Returns as http_text_charge(). */
int http_body_charge(struct lws *wsi, struct http_text *text);

/* As http_reply(), with text as the body, which is taken. One that isn't small goes on with http_body_continue(). */
int http_body_reply(struct lws *wsi, struct http_body *body, const struct http_reply *reply,
		    struct http_text *text);

/* For LWS_CALLBACK_HTTP_WRITEABLE, whether there is something to send or not. */
int http_body_continue(struct lws *wsi, struct http_body *body);

/* The connection is gone, or goes on with another request. */
void http_body_finish(struct http_body *body);
