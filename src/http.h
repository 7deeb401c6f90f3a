#pragma once

#include <json-c/json.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * HTTP answers on top of lws: what the callbacks of protocols and mounts use to
 * answer LWS_CALLBACK_HTTP.
 *
 * Status line, headers and body leave in one write. Every function that answers
 * returns what the callback must return: 0, or -1 where the connection ends
 * with this answer.
 */

/* For .tx_packet_size of a protocol: answers leave in one write. */
#define HTTP_TX_PACKET (1u << 30)

/*
 * Tells a client that waits for it to send its request's body (RFC 9110 section
 * 10.1.1). Returns 0, or -1 where nothing can be sent.
 */
int http_continue(struct lws *wsi);

struct http_reply {
	unsigned status;
	const char *type;    /* NULL: no Content-Type */
	const char *headers; /* more header lines, each with its CRLF, or NULL */
	const void *body;
	size_t size;
	bool close;   /* the connection ends with this answer */
	bool unsized; /* to HEAD: how long the body would be isn't known (RFC 9110 section 8.6) */
};

int http_reply(struct lws *wsi, const struct http_reply *reply);

/* What a status is called (RFC 9110 section 15), such as "Not Found". */
const char *http_reason(unsigned status);

/* One line of text/plain. */
int http_reply_text(struct lws *wsi, unsigned status, const char *text);

/* Takes the reference to body. */
int http_reply_json(struct lws *wsi, unsigned status, struct json_object *body);

/* 426 with Upgrade: websocket (RFC 9110 section 15.5.22). */
int http_reply_upgrade_required(struct lws *wsi);

/* 405 with the methods that would do, such as "GET, HEAD" (RFC 9110 section 15.5.6). */
int http_reply_not_allowed(struct lws *wsi, const char *allow);

/*
 * The status line and the headers of an answer whose body follows by and by:
 * Content-Length is size, or where that is -1 the body ends with the connection.
 * Returns 0, or -1 where nothing can be sent. Each piece leaves with
 * http_write_body(), from memory that has LWS_PRE bytes in front, once
 * lws_partial_buffered() is false; then it has http_patience() seconds to be
 * taken, or the connection ends.
 */
int http_begin_body(struct lws *wsi, const struct http_reply *reply, int64_t size);

int http_write_body(struct lws *wsi, unsigned char *piece, size_t size);

/*
 * Has the system keep little of what isn't on its way to the client. Else it
 * takes megabytes, and tells of room for more only when a third of them has
 * gone: no progress could be seen. For what leaves piece by piece.
 */
void http_limit_unsent(struct lws *wsi, bool limit);

/* In how many seconds a client has to take some of what it has asked for, or is dropped. */
int http_patience(struct lws *wsi);

/*
 * To the same target, byte for byte, at another origin ("": this one), with the
 * suffix behind its path. The path must not be taken for another origin.
 */
int http_redirect(struct lws *wsi, unsigned status, const char *origin, const char *suffix,
		  bool close);

/*
 * 308 to the same place over https. Only for a connection that came in by an
 * address whose config says so; see http_wants_redirect(). Ends the connection.
 */
int http_redirect_to_https(struct lws *wsi);
bool http_wants_redirect(struct lws *wsi);

/*
 * Writes text to out, which has room for size bytes, as a segment of a path or a
 * part of a query: with everything encoded that isn't unreserved (RFC 3986 section 2.3).
 * Returns the length; what doesn't fit is cut off.
 */
size_t http_encode(char *out, size_t size, const char *text, size_t text_size);
