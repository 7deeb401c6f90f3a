#include "protocols/chat.h"

#include "protocols/table.h"
#include "server.h"

#include <json-c/json.h>

/* What the endpoint's sessions of a service thread share, in the memory that lws keeps for a protocol of a vhost. */
struct chat_shared {
	struct json_tokener *tokener;
};

static struct chat_shared *shared_of(struct lws *wsi)
{
	return lws_protocol_vh_priv_get(lws_get_vhost(wsi), lws_get_protocol(wsi));
}

static int create_shared(struct lws *wsi)
{
	struct chat_shared *shared = lws_protocol_vh_priv_zalloc(
		lws_get_vhost(wsi), lws_get_protocol(wsi), sizeof(*shared));

	if (!shared)
		return -1;
	shared->tokener = json_tokener_new();
	if (!shared->tokener)
		return -1;
	json_tokener_set_flags(shared->tokener, JSON_TOKENER_STRICT);
	return 0;
}

static void destroy_shared(struct chat_shared *shared)
{
	if (shared && shared->tokener)
		json_tokener_free(shared->tokener);
}

static int hear(struct session *session, const struct message *message)
{
	struct chat *chat = (struct chat *)session;

	return chat_hear(chat, shared_of(session->wsi)->tokener, message);
}

static void close_chat(struct chat *chat)
{
	chat_forget_sent(chat);
	chat_leave(chat);
}

static int chat_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			 size_t size)
{
	struct chat *chat = user;
	int r;

	switch (reason) {
	case LWS_CALLBACK_PROTOCOL_INIT:
		return create_shared(wsi);
	case LWS_CALLBACK_PROTOCOL_DESTROY:
		destroy_shared(shared_of(wsi));
		return 0;
	case LWS_CALLBACK_ESTABLISHED:
		r = room_session_callback(wsi, reason, user, in, size);
		if (!r)
			chat_join(chat);
		return r;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		if (chat->past && chat->room.session.close_code)
			chat_stop_joining(chat);
		r = room_session_callback(wsi, reason, user, in, size);
		if (!r)
			chat_writable(chat);
		return r;
	case LWS_CALLBACK_TIMER:
		chat_out_of_patience(chat);
		return 0;
	case LWS_CALLBACK_RECEIVE:
		return session_receive(&chat->room.session, in, size, hear);
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED:
		close_chat(chat);
		return room_session_callback(wsi, reason, user, in, size);
	default:
		return room_session_callback(wsi, reason, user, in, size);
	}
}

static struct endpoint chat_endpoint = {
	.path = "/chat",
	.subprotocol = CHAT_SUBPROTOCOL,
	.websocket = true,
	.text_only = true,
	.needs_username = true,
	.room = "lobby",
};

const struct lws_protocols chat_protocol = {
	.name = "chat",
	.callback = chat_callback,
	.per_session_data_size = sizeof(struct chat),
	.rx_buffer_size = SESSION_RX_BUFFER,
	.tx_packet_size = SESSION_TX_PACKET,
	.user = &chat_endpoint,
};
