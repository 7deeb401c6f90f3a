#include "protocols/table.h"
#include "session.h"

/* Gives each message back as it came, text as text and binary as binary. */
struct echo {
	struct session session;
};

static int echo_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			 size_t size)
{
	struct echo *echo = user;

	switch (reason) {
	case LWS_CALLBACK_RECEIVE:
		return session_receive(&echo->session, in, size, session_send_back);
	default:
		return session_callback(wsi, reason, user, in, size);
	}
}

static struct endpoint echo_endpoint = {.path = "/echo", .websocket = true, .open = true};

const struct lws_protocols echo_protocol = {
	.name = "echo",
	.callback = echo_callback,
	.per_session_data_size = sizeof(struct echo),
	.rx_buffer_size = SESSION_RX_BUFFER,
	.tx_packet_size = SESSION_TX_PACKET,
	.user = &echo_endpoint,
};
