#include "protocols/chat.h"

#include "bans.h"
#include "metrics.h"
#include "moderation.h"
#include "opening.h"
#include "presence.h"
#include "server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Names of people in a welcome; how many there are it says anyway. */
#define NAMES_MAX 1000

/* Messages that a client may ask for when it joins: who wants more asks for pages over HTTP. */
#define HISTORY_MAX 1000

/* And that it may have missed. */
#define MISSED_MAX 10000

/* And what one gets who asked for messages that are gone. */
#define HISTORY_AFTER_RESET 50

/* What the client asked for: messages after since, or the newest ones. */
struct chat_wish {
	bool resume;
	uint64_t since;
	char *epoch;
	unsigned history;
};

/* Frames for one client, as they go out. */
struct frames {
	FILE *out;
	char *bytes;
	size_t size;
	unsigned n;
};

static bool read_number(struct session *session, const char *name, uint64_t *number)
{
	char *text = session_query(session, name);
	char *end = NULL;
	bool is = false;

	if (text && *text >= '0' && *text <= '9') {
		*number = strtoull(text, &end, 10);
		is = !*end;
	}
	free(text);
	return is;
}

/* The request is there only at first. NULL: out of memory. */
static struct chat_wish *read_wish(struct session *session)
{
	struct chat_wish *wish = calloc(1, sizeof(*wish));
	uint64_t history;

	if (!wish)
		return NULL;
	wish->epoch = session_query(session, "epoch");
	wish->resume = read_number(session, "since", &wish->since);
	if (read_number(session, "history", &history))
		wish->history = history < HISTORY_MAX ? (unsigned)history : HISTORY_MAX;
	return wish;
}

static void free_wish(struct chat *chat)
{
	if (chat->wish)
		free(chat->wish->epoch);
	free(chat->wish);
	chat->wish = NULL;
}

static void put_frame(struct frames *frames, const char *text, size_t size)
{
	uint8_t header[WIRE_HEADER_MAX];

	fwrite(header, 1, wire_put_header(header, WIRE_TEXT, size), frames->out);
	fwrite(text, 1, size, frames->out);
	frames->n++;
}

static void put_json(struct frames *frames, struct json_object *object)
{
	size_t size;
	char *text = message_of_json(object, &size);

	if (text)
		put_frame(frames, text, size);
	free(text);
}

static void put_entry(void *user, const struct journal_entry *entry)
{
	char text[64 * 1024];
	size_t size = message_encode(entry, text, sizeof(text));

	if (size <= sizeof(text))
		put_frame(user, text, size);
}

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
	put_json(frames, object);
}

static void put_reset(struct frames *frames, struct room *room, uint64_t sequence)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "type", json_object_new_string("reset"));
	json_object_object_add(object, "epoch", json_object_new_string(room_epoch(room)));
	json_object_object_add(object, "seq", json_object_new_uint64(sequence));
	put_json(frames, object);
}

static void note_first(void *user, const struct journal_entry *entry)
{
	uint64_t *first = user;

	if (!*first)
		*first = entry->sequence;
}

/* Where n of the newest messages begin that are still kept: the sequence in front of them. */
static uint64_t before_newest(struct room *room, unsigned n)
{
	uint64_t end = room_delivered(room) + 1;
	uint64_t first = 0;

	room_read(room, &(struct journal_range){.before = end, .limit = n, .newest = true},
		  note_first, &first);
	return first ? first - 1 : end - 1;
}

/* Whether all that was said after since is still there, and not too much. */
static bool can_resume(struct room *room, const struct chat_wish *wish)
{
	uint64_t end = room_delivered(room);
	uint64_t first = 0;

	if (!wish->epoch || strcmp(wish->epoch, room_epoch(room)) || wish->since > end ||
	    end - wish->since > MISSED_MAX)
		return false;
	if (wish->since == end)
		return true;
	room_read(room,
		  &(struct journal_range){.after = wish->since, .before = end + 1, .limit = 1},
		  note_first, &first);
	return first == wish->since + 1;
}

static void put_messages(struct frames *frames, struct room *room, uint64_t after)
{
	room_read(room,
		  &(struct journal_range){
			  .after = after, .before = room_delivered(room) + 1, .limit = MISSED_MAX},
		  put_entry, frames);
}

/* With the room locked, so that what follows begins where this ends. */
static void put_missed(struct frames *frames, struct room *room, const struct chat_wish *wish,
		       struct server_metrics *metrics)
{
	unsigned n = wish->history ? wish->history : HISTORY_AFTER_RESET;
	uint64_t after;

	if (wish->resume && can_resume(room, wish)) {
		put_messages(frames, room, wish->since);
		metrics->resumes++;
	} else if (wish->resume) {
		after = before_newest(room, n);
		put_reset(frames, room, after);
		metrics->resets++;
		put_messages(frames, room, after);
	} else if (wish->history) {
		put_messages(frames, room, before_newest(room, n));
	}
}

static int send_all(struct session *session, struct frames *frames)
{
	int r = fclose(frames->out);

	if (!r)
		r = session_send_frames(session, frames->bytes, frames->size, frames->n);
	free(frames->bytes);
	return r;
}

/* Returns how many connections of that name are in the room now, or -errno. */
static int enter_rich(struct chat *chat, struct room *room)
{
	struct session *session = &chat->room.session;
	struct frames frames = {0};
	int n;

	if (!chat->wish)
		return -ENOMEM;
	frames.out = open_memstream(&frames.bytes, &frames.size);
	if (!frames.out)
		return -ENOMEM;
	room_lock(room);
	n = room_session_join(&chat->room, room, ROOM_RICH);
	if (n >= 0) {
		put_welcome(&frames, room, chat);
		put_missed(&frames, room, chat->wish,
			   metrics_server(service_of(session->wsi)->metrics));
	}
	room_unlock(room);
	return send_all(session, &frames) < 0 ? -EIO : n;
}

/* Banned since the handshake, while the room was being opened. */
static bool is_banned(const struct session *session, struct room *room)
{
	char address[SESSION_PEER_SIZE];

	return bans_until(server_of(session->wsi)->bans, BAN_ENTRY, room_name(room), session->user,
			  session_address(session, address), time(NULL)) != 0;
}

static void enter(struct chat *chat, struct room *room, int error)
{
	struct session *session = &chat->room.session;
	int n = error;

	if (room && is_banned(session, room)) {
		session_close(session, CLOSE_KICKED, "banned");
		return;
	}
	if (room)
		n = chat->rich ? enter_rich(chat, room)
			       : room_session_join(&chat->room, room, ROOM_PLAIN);
	if (n < 0)
		session_close(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION,
			      "the room could not be joined");
	else if (n == 1)
		presence_tell(server_of(session->wsi)->presence, room, session->user, true);
}

static void on_opened(void *user, struct room *room, int error)
{
	struct chat *chat = user;
	struct session *session = &chat->room.session;

	chat->opening = NULL;
	if (!session->close_code)
		enter(chat, room, error);
	free_wish(chat);
	lws_rx_flow_control(session->wsi, 1);
}

/* Nothing is heard before it has joined. */
void chat_join(struct chat *chat)
{
	struct session *session = &chat->room.session;
	char *name = session_query(session, "room");

	chat->rich = session->subprotocol;
	if (chat->rich)
		chat->wish = read_wish(session);
	lws_rx_flow_control(session->wsi, 0);
	chat->opening = opening_begin(service_of(session->wsi),
				      name ? name : session->endpoint->room, on_opened, chat);
	free(name);
}

void chat_leave(struct chat *chat)
{
	struct session *session = &chat->room.session;
	struct room *room = chat->room.member.room;

	opening_forget(chat->opening);
	chat->opening = NULL;
	free_wish(chat);
	if (!room)
		return;
	room_hold(room);
	if (!room_leave(&chat->room.member))
		presence_tell(server_of(session->wsi)->presence, room, session->user, false);
	room_release(room);
}
