#include "protocols/chat.h"

#include "bans.h"
#include "metrics.h"
#include "moderation.h"
#include "opening.h"
#include "presence.h"
#include "protocols/chat-past.h"
#include "rooms.h"
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Names of people in a welcome; how many there are it says anyway. */
#define NAMES_MAX 1000

#define CLOSE_TRY_AGAIN_LATER 1013

static bool add_name(void *user, const char *name)
{
	struct json_object *names = user;

	json_object_array_add(names, json_object_new_string(name));
	return json_object_array_length(names) < NAMES_MAX;
}

static struct json_object *list_rights(const struct chat *chat)
{
	static const struct {
		enum right right;
		const char *word;
	} rights[] = {{RIGHT_READ, "read"}, {RIGHT_WRITE, "write"}, {RIGHT_MODERATE, "moderate"}};
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++)
		if (chat_has_right(chat, rights[i].right))
			json_object_array_add(list, json_object_new_string(rights[i].word));
	return list;
}

static void put_welcome(struct frames *frames, struct room *room, const struct chat *chat)
{
	struct json_object *object = json_object_new_object();
	struct json_object *names = json_object_new_array();
	int64_t muted = chat_muted_seconds(chat);

	room_each_person(room, add_name, names);
	json_object_object_add(object, "type", json_object_new_string("welcome"));
	json_object_object_add(object, "room", json_object_new_string(room_name(room)));
	json_object_object_add(object, "user", json_object_new_string(chat->room.session.user));
	json_object_object_add(object, "epoch", json_object_new_string(room_epoch(room)));
	json_object_object_add(object, "seq", json_object_new_uint64(room_delivered(room)));
	json_object_object_add(object, "members", names);
	json_object_object_add(object, "people", json_object_new_uint64(room_people(room)));
	json_object_object_add(object, "rights", list_rights(chat));
	if (muted)
		json_object_object_add(object, "muted_seconds", json_object_new_int64(muted));
	frames_put_json(frames, object);
}

static void put_reset(struct frames *frames, struct room *room, uint64_t sequence)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "type", json_object_new_string("reset"));
	json_object_object_add(object, "epoch", json_object_new_string(room_epoch(room)));
	json_object_object_add(object, "seq", json_object_new_uint64(sequence));
	frames_put_json(frames, object);
}

static int send_all(struct session *session, const struct frames *frames)
{
	return session_send_frames(session, frames->bytes, frames->size, frames->n);
}

static void count(const struct session *session, const struct chat_past *past)
{
	struct server_metrics *metrics = metrics_server(service_of(session->wsi)->metrics);
	uint64_t sequence;

	metrics->resumes += chat_past_is_resumed(past);
	metrics->resets += chat_past_is_reset(past, &sequence);
}

/* With the room locked, so that what follows begins where the past ends. */
static int join_rich(struct chat *chat, struct room *room, struct frames *frames)
{
	uint64_t sequence;
	int r = chat_past_complete(chat->past, room);

	if (!r)
		r = frames_open(frames);
	if (!r)
		r = room_session_join(&chat->room, room, ROOM_RICH);
	if (r < 0)
		return r;
	put_welcome(frames, room, chat);
	if (chat_past_is_reset(chat->past, &sequence))
		put_reset(frames, room, sequence);
	return r;
}

/* Returns how many connections of that name are in the room now, or -errno, as chat_past_complete() does. */
static int enter_rich(struct chat *chat, struct room *room)
{
	struct session *session = &chat->room.session;
	struct frames frames = {0};
	int n;

	if (!chat->past)
		return -ENOMEM;
	room_lock(room);
	n = join_rich(chat, room, &frames);
	room_unlock(room);
	if (n >= 0) {
		count(session, chat->past);
		if (frames_close(&frames) < 0 || send_all(session, &frames) < 0 ||
		    send_all(session, chat_past_frames(chat->past)) < 0)
			n = -EIO;
	}
	frames_finish(&frames);
	return n;
}

static void fail(struct session *session)
{
	session_close(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION,
		      "the room could not be joined");
}

/* Banned since the handshake, while the room was being opened or its past read. */
static bool is_banned(const struct session *session, struct room *room)
{
	char address[SESSION_PEER_SIZE];

	return bans_until(server_of(session->wsi)->bans, BAN_ENTRY, room_name(room), session->user,
			  session_moderates(session) ? NULL : session_address(session, address),
			  time(NULL)) != 0;
}

static void go_on(void *user, struct room *room, int error);

static void enter(struct chat *chat, struct room *room)
{
	struct session *session = &chat->room.session;
	int n = chat->rich ? enter_rich(chat, room)
			   : room_session_join(&chat->room, room, ROOM_PLAIN);

	chat->reading = n == -EAGAIN;
	if (chat->reading)
		chat_past_read(chat->past, service_of(session->wsi), room, go_on, chat);
	else if (n == -EBUSY)
		session_close(session, CLOSE_TRY_AGAIN_LATER, "too slow");
	else if (n < 0)
		fail(session);
	else if (n == 1)
		presence_tell(server_of(session->wsi)->presence, room, session->user, true);
}

/* Whoever is still waiting for its past is not in yet. */
static void go_on(void *user, struct room *room, int error)
{
	struct chat *chat = user;
	struct session *session = &chat->room.session;

	chat->opening = NULL;
	chat->reading = false;
	if (!session->close_code) {
		if (error == -ENOSPC)
			session_close(session, CLOSE_TRY_AGAIN_LATER, "too many rooms");
		else if (error < 0)
			fail(session);
		else if (is_banned(session, room))
			session_close(session, CLOSE_KICKED, "banned");
		else
			enter(chat, room);
	}
	if (chat->reading)
		return;
	chat_past_destroy(chat->past);
	chat->past = NULL;
	lws_rx_flow_control(session->wsi, 1);
}

/* Nothing is heard before it has joined. */
void chat_join(struct chat *chat)
{
	struct session *session = &chat->room.session;
	char *name = session_query(session, "room");

	chat->rich = session->subprotocol;
	if (chat->rich)
		chat->past = chat_past_create(session);
	lws_rx_flow_control(session->wsi, 0);
	chat->opening = opening_begin(service_of(session->wsi),
				      name ? name : session->endpoint->room, go_on, chat);
	free(name);
}

void chat_leave(struct chat *chat)
{
	struct session *session = &chat->room.session;
	struct room *room = chat->room.member.room;

	opening_forget(chat->opening);
	chat->opening = NULL;
	chat_past_destroy(chat->past);
	chat->past = NULL;
	if (!room)
		return;
	room_hold(room);
	if (!room_leave(&chat->room.member))
		presence_tell(server_of(session->wsi)->presence, room, session->user, false);
	room_release(room);
}
