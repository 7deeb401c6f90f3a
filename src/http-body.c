#include "http-body.h"

#include "http-request.h"
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)64 * 1024)

/* Up to here it leaves with its head, and isn't charged. */
#define SMALL ((size_t)16 * 1024)

int http_text_charge(struct http_text *text, struct pending *pending, size_t size)
{
	if (!pending_charge(pending, size))
		return -ENOBUFS;
	text->pending = pending;
	text->charged += size;
	return 0;
}

void http_text_settle(struct http_text *text)
{
	char *bytes = text->size ? realloc(text->bytes, text->size) : NULL;

	if (bytes)
		text->bytes = bytes;
	if (text->charged <= text->size)
		return;
	pending_release(text->pending, text->charged - text->size);
	text->charged = text->size;
}

void http_text_finish(struct http_text *text)
{
	free(text->bytes);
	if (text->pending)
		pending_release(text->pending, text->charged);
	*text = (struct http_text){0};
}

static bool is_small(struct lws *wsi, const struct http_text *text)
{
	return text->size <= SMALL || http_is_head(wsi);
}

int http_body_charge(struct lws *wsi, struct http_text *text)
{
	if (text->charged || is_small(wsi, text))
		return 0;
	return http_text_charge(text, &server_of(wsi)->pending, text->size);
}

static int reply_at_once(struct lws *wsi, const struct http_reply *reply, struct http_text *text)
{
	struct http_reply whole = *reply;
	int r;

	whole.body = text->bytes;
	whole.size = text->size;
	r = http_reply(wsi, &whole);
	http_text_finish(text);
	return r;
}

int http_body_reply(struct lws *wsi, struct http_body *body, const struct http_reply *reply,
		    struct http_text *text)
{
	if (is_small(wsi, text))
		return reply_at_once(wsi, reply, text);
	body->text = *text;
	body->sent = 0;
	*text = (struct http_text){0};
	if (http_begin_body(wsi, reply, (int64_t)body->text.size) < 0)
		return -1;
	lws_rx_flow_control(wsi, 0); /* the next request has to wait */
	lws_callback_on_writable(wsi);
	return 0;
}

static int send_piece(struct lws *wsi, struct http_body *body)
{
	unsigned char *buffer = service_scratch(service_of(wsi), LWS_PRE + PIECE);
	size_t size = body->text.size - body->sent;

	if (!buffer)
		return -1;
	if (size > PIECE)
		size = PIECE;
	memcpy(buffer + LWS_PRE, body->text.bytes + body->sent, size);
	body->sent += size;
	return http_write_body(wsi, buffer + LWS_PRE, size);
}

int http_body_continue(struct lws *wsi, struct http_body *body)
{
	if (!body->text.bytes || lws_partial_buffered(wsi))
		return 0;
	if (body->sent < body->text.size && send_piece(wsi, body) < 0)
		return -1;
	if (body->sent < body->text.size || lws_partial_buffered(wsi)) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	http_body_finish(body);
	lws_rx_flow_control(wsi, 1);
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

void http_body_finish(struct http_body *body)
{
	http_text_finish(&body->text);
	body->sent = 0;
}
