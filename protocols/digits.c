#include "protocols/table.h"
#include "stream.h"

/* One random digit from 1 to 9 a second, over WebSocket or as server-sent events. */
static const char *next(void)
{
	static _Thread_local char text[2];

	text[0] = (char)('1' + stream_random(9));
	return text;
}

static int digits_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			   size_t size)
{
	return stream_callback(wsi, reason, user, in, size, next);
}

static struct endpoint digits_endpoint = {.path = "/digits", .websocket = true, .open = true};

const struct lws_protocols digits_protocol = {
	.name = "digits",
	.callback = digits_callback,
	.per_session_data_size = sizeof(struct stream_session),
	.rx_buffer_size = SESSION_RX_BUFFER,
	.tx_packet_size = SESSION_TX_PACKET,
	.user = &digits_endpoint,
};
