#include "message.h"
#include "protocols/table.h"
#include "room-session.h"
#include "server.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_ROOM "lobby"

/* The group chat: what one member of a room says, all of them hear. */
struct chat {
	struct room_session room;
};

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

static void announce(struct room *room, const char *user, const char *what)
{
	char text[512];
	size_t size;
	char *notice;

	snprintf(text, sizeof(text), "%s %s", user, what);
	notice = message_notice(text, &size);
	if (notice)
		room_announce(room, notice, size);
	free(notice);
}

static int join(struct chat *chat)
{
	struct session *session = &chat->room.session;
	char *name = session_query(session, "room");
	struct room *room;
	int r = room_open(server_of(session->wsi)->rooms, name ? name : DEFAULT_ROOM, &room);

	free(name);
	if (r < 0)
		return -1;
	r = room_session_join(&chat->room, room);
	if (!r)
		announce(room, session->user, "joined");
	room_release(room);
	return r < 0 ? -1 : 0;
}

static void leave(struct chat *chat)
{
	struct room *room = chat->room.member.room;

	if (!room)
		return;
	room_hold(room);
	room_leave(&chat->room.member);
	announce(room, chat->room.session.user, "left");
	room_release(room);
}

/* Only the sender hears of what was wrong with its message, and may go on. */
static int complain(struct session *session, const char *what)
{
	size_t size;
	char *error = message_error(what, &size);
	int r = error ? session_send(session, error, size, false) : -1;

	free(error);
	return r;
}

static int publish(struct chat *chat, const char *text, size_t text_size)
{
	struct session *session = &chat->room.session;
	uint64_t sequence;
	size_t size;
	char *payload = message_compose(session->user, text, text_size, &size);
	int r = payload ? room_publish(chat->room.member.room, payload, size, &sequence) : -1;

	free(payload);
	return r < 0 ? complain(session, "the message could not be kept") : 0;
}

static int say(struct session *session, const struct message *message)
{
	struct chat *chat = (struct chat *)session;
	struct json_tokener *tokener = shared_of(session->wsi)->tokener;
	struct json_object *root, *text;
	const char *error;
	int r = 0;

	text = message_parse(tokener, message->data, message->size, &root, &error);
	if (!text)
		r = complain(session, error);
	else if (reader_is_reading(&chat->room.member.reader)) /* not dropped for being slow */
		r = publish(chat, json_object_get_string(text),
			    (size_t)json_object_get_string_len(text));
	json_object_put(root);
	return r;
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
		return r ? r : join(chat);
	case LWS_CALLBACK_RECEIVE:
		return session_receive(&chat->room.session, in, size, say);
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED:
		leave(chat);
		return room_session_callback(wsi, reason, user, in, size);
	default:
		return room_session_callback(wsi, reason, user, in, size);
	}
}

static struct endpoint chat_endpoint = {
	.path = "/chat",
	.websocket = true,
	.text_only = true,
	.needs_username = true,
};

const struct lws_protocols chat_protocol = {
	.name = "chat",
	.callback = chat_callback,
	.per_session_data_size = sizeof(struct chat),
	.rx_buffer_size = SESSION_RX_BUFFER,
	.tx_packet_size = SESSION_TX_PACKET,
	.user = &chat_endpoint,
};
