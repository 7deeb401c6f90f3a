#include "protocols/table.h"
#include "stream.h"

/* One random letter from a to z a second, over WebSocket or as server-sent events. */
static const char *next(void)
{
	static _Thread_local char text[2];

	text[0] = (char)('a' + stream_random(26));
	return text;
}

static int letters_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			    size_t size)
{
	return stream_callback(wsi, reason, user, in, size, next);
}

static struct endpoint letters_endpoint = {.path = "/letters", .websocket = true, .open = true};

const struct lws_protocols letters_protocol = {
	.name = "letters",
	.callback = letters_callback,
	.per_session_data_size = sizeof(struct stream_session),
	.rx_buffer_size = SESSION_RX_BUFFER,
	.tx_packet_size = SESSION_TX_PACKET,
	.user = &letters_endpoint,
};
