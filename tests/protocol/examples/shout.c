/* The README's example of an endpoint, to hold it to what it says. */
#include "protocols/table.h"
#include "session.h"

#include <ctype.h>
#include <stdlib.h>

struct shout {
	struct session session;
};

static int shout(struct session *session, const struct message *message)
{
	char *text = malloc(message->size + 1);
	int r;

	if (!text)
		return session_fail(session, 1011, "out of memory");
	for (size_t i = 0; i < message->size; i++) /* of ASCII alone: other characters stay whole */
		text[i] = (char)toupper((unsigned char)message->data[i]);
	r = session_send(session, text, message->size, false);
	free(text);
	return r;
}

static int shout_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			  size_t size)
{
	struct shout *self = user;

	switch (reason) {
	case LWS_CALLBACK_RECEIVE:
		return session_receive(&self->session, in, size, shout);
	default:
		return session_callback(wsi, reason, user, in, size);
	}
}

static struct endpoint shout_endpoint = {.path = "/shout", .websocket = true, .text_only = true};

extern const struct lws_protocols shout_protocol; /* of protocols/table.h */

const struct lws_protocols shout_protocol = {
	.name = "shout",
	.callback = shout_callback,
	.per_session_data_size = sizeof(struct shout),
	.rx_buffer_size = SESSION_RX_BUFFER,
	.tx_packet_size = SESSION_TX_PACKET,
	.user = &shout_endpoint,
};
