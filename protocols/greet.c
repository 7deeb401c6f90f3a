#include "protocols/table.h"
#include "session.h"

#include <stdio.h>

/* Any path that has no endpoint of its own greets whoever connects by name. */
struct greet {
	struct session session;
};

static int say_hello(struct greet *greet)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "Hello %s!", greet->session.user);

	return session_send(&greet->session, text, (size_t)n, false);
}

/* There is nothing more to say. */
static int ignore(struct session *session, const struct message *message)
{
	return 0;
}

static int greet_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			  size_t size)
{
	struct greet *self = user;
	int r;

	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
		r = session_callback(wsi, reason, user, in, size);
		return r ? r : say_hello(self);
	case LWS_CALLBACK_RECEIVE:
		return session_receive(&self->session, in, size, ignore);
	default:
		return session_callback(wsi, reason, user, in, size);
	}
}

static struct endpoint greet_endpoint = {
	.name = "/", .websocket = true, .needs_username = true, .open = true};

const struct lws_protocols greet_protocol = {
	.name = "greet",
	.callback = greet_callback,
	.per_session_data_size = sizeof(struct greet),
	.rx_buffer_size = SESSION_RX_BUFFER,
	.tx_packet_size = SESSION_TX_PACKET,
	.user = &greet_endpoint,
};
