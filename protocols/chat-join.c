#include "protocols/chat.h"

#include "bans.h"
#include "http.h"
#include "metrics.h"
#include "moderation.h"
#include "opening.h"
#include "presence.h"
#include "protocols/chat-past.h"
#include "protocols/chat-roster.h"
#include "protocols/chat-welcome.h"
#include "rooms.h"
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Charges so much for what the client has yet to take. Returns 0, or -EBUSY where all clients together have too much. */
static int hold(struct chat *chat, size_t size)
{
	struct pending *pending = &server_of(chat->room.session.wsi)->pending;

	if (chat->held >= size)
		return 0;
	if (!pending_charge(pending, size - chat->held))
		return -EBUSY;
	chat->held = size;
	return 0;
}

static void release(struct chat *chat)
{
	if (!chat->held)
		return;
	pending_release(&server_of(chat->room.session.wsi)->pending, chat->held);
	chat->held = 0;
}

/* There is more than it gets at once: charges for a piece, and for whom it has been told of. Returns as hold(). */
static int limit_unsent(struct chat *chat)
{
	if (!chat->held)
		http_limit_unsent(chat->room.session.wsi, true);
	return hold(chat, CHAT_PAST_PIECE + chat->names_size);
}

static int send_all(struct session *session, struct frames *frames)
{
	int r = session_send_frames(session, frames->bytes, frames->size, frames->n);

	frames_finish(frames);
	return r < 0 ? -EIO : 0;
}

static int send_welcome(struct chat *chat, struct room *room, const struct chat_facts *facts)
{
	struct frames frames = {0};
	int r = chat_welcome_write(&frames, chat, room, facts);

	if (!r)
		r = send_all(&chat->room.session, &frames);
	frames_finish(&frames);
	return r;
}

static int send_piece(struct chat *chat)
{
	struct frames frames;
	int r = chat_past_take(chat->past, &frames);

	if (!r)
		r = send_all(&chat->room.session, &frames);
	frames_finish(&frames);
	return r;
}

/* Those who have come and gone since the welcome. */
static int send_changes(struct chat *chat, const struct chat_facts *facts)
{
	size_t size;
	char *text = chat_roster_changes(chat->names, facts->names, facts->people, &size);
	int r = text ? session_send(&chat->room.session, text, size, false) : 0;

	free(text);
	return r < 0 ? -EIO : 0;
}

/* When it comes in, and once more should what it has missed be gone before it has it. */
static void count(struct chat *chat, bool is_new)
{
	struct service *service = service_of(chat->room.session.wsi);
	struct server_metrics *metrics = metrics_server(service->metrics);
	bool is_reset = chat_past_is_reset(chat->past);

	if (is_new)
		metrics->resumes += chat_past_is_resumed(chat->past);
	metrics->resets += is_reset && !chat->is_reset;
	chat->is_reset = is_reset;
}

/* Whoever is still getting its past is there already, so that the welcome and what others hear of it are right. */
static int enter_or_listen(struct chat *chat, struct room *room, bool is_complete, bool *is_first)
{
	int n;

	if (chat->entered)
		return is_complete ? room_session_listen(&chat->room, ROOM_RICH) : 0;
	n = is_complete ? room_session_join(&chat->room, room, ROOM_RICH)
			: room_session_enter(&chat->room, room, ROOM_RICH);
	chat->entered = n >= 0;
	*is_first = n == 1;
	return n < 0 ? n : 0;
}

/*
 * With the room locked, so that what follows begins where the past ends.
 * Returns as chat_past_read().
 */
static int come_in(struct chat *chat, struct room *room, struct chat_facts *facts, bool *is_first)
{
	int r = chat_past_read(chat->past, room);
	bool is_complete = !r;

	if (r < 0)
		return r;
	r = enter_or_listen(chat, room, is_complete, is_first);
	if (!r)
		r = chat_facts_gather(facts, room);
	return r < 0 ? r : !is_complete;
}

/* What has been gathered leaves. */
static int send_next(struct chat *chat, struct room *room, struct chat_facts *facts,
		     bool was_entered, bool is_complete)
{
	int r = was_entered ? 0 : send_welcome(chat, room, facts);

	count(chat, !was_entered);
	if (!r)
		r = send_piece(chat);
	if (!r && was_entered && is_complete)
		r = send_changes(chat, facts);
	if (!r && !was_entered && !is_complete) {
		chat->names = facts->names;
		chat->names_size = facts->names_size;
		facts->names = NULL;
	}
	return r;
}

/* Returns as chat_past_read(); 0: it has joined. */
static int advance(struct chat *chat, struct room *room)
{
	struct session *session = &chat->room.session;
	bool was_entered = chat->entered, is_first = false;
	struct chat_facts facts = {0};
	int r = chat->past ? chat_past_read(chat->past, room) : -ENOMEM;

	if (r > 0 && limit_unsent(chat) < 0)
		return -EBUSY;
	if (r < 0)
		return r;
	if (r && was_entered)
		return send_piece(chat) < 0 ? -EIO : 1;
	room_lock(room);
	r = come_in(chat, room, &facts, &is_first);
	room_unlock(room);
	if (r >= 0 && send_next(chat, room, &facts, was_entered, !r) < 0)
		r = -EIO;
	chat_facts_finish(&facts);
	if (is_first)
		presence_tell(server_of(session->wsi)->presence, room, session->user, true);
	return r;
}

static void end_past(struct chat *chat)
{
	chat_past_destroy(chat->past);
	chat->past = NULL;
	free(chat->names);
	chat->names = NULL;
	chat->names_size = 0;
}

void chat_stop_joining(struct chat *chat)
{
	end_past(chat);
	lws_rx_flow_control(chat->room.session.wsi, 1); /* for the client's answer to the close */
}

static void close_chat(struct chat *chat, uint16_t code, const char *reason)
{
	session_close(&chat->room.session, code, reason);
	chat_stop_joining(chat);
}

static void give_up(struct chat *chat, int error)
{
	if (error == -EBUSY)
		close_chat(chat, CLOSE_TRY_AGAIN_LATER, "too slow");
	else if (error == -ENOSPC)
		close_chat(chat, CLOSE_TRY_AGAIN_LATER, "too many rooms");
	else
		close_chat(chat, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION,
			   "the room could not be joined");
}

/* From now on it is heard, once it has taken what was sent. */
static int finish_joining(struct chat *chat)
{
	struct session *session = &chat->room.session;
	bool is_taken = !lws_partial_buffered(session->wsi);

	end_past(chat);
	if (chat->held)
		http_limit_unsent(session->wsi, false);
	lws_set_timer_usecs(session->wsi, LWS_SET_TIMER_USEC_CANCEL);
	if (is_taken)
		release(chat);
	if (!session->paused)
		lws_rx_flow_control(session->wsi, 1);
	return is_taken ? 0 : hold(chat, CHAT_PAST_PIECE);
}

static void on_fetched(void *user, struct room *room, int error);

/* The next piece follows when it can be written, or the worker has it. Each has so long to be taken. */
static int go_on(struct chat *chat, struct room *room, int progress)
{
	struct session *session = &chat->room.session;
	int r = limit_unsent(chat);

	if (r < 0)
		return r;
	if (progress == -EAGAIN) {
		r = chat_past_fetch(chat->past, service_of(session->wsi), room, on_fetched, chat);
		chat->reading = !r;
	} else {
		lws_callback_on_writable(session->wsi);
		lws_set_timer_usecs(session->wsi,
				    http_patience(session->wsi) * (lws_usec_t)LWS_US_PER_SEC);
	}
	return r;
}

static void join_rich(struct chat *chat, struct room *room)
{
	int r = advance(chat, room);

	if (r == -EAGAIN || r > 0)
		r = go_on(chat, room, r);
	else if (!r)
		r = finish_joining(chat);
	if (r < 0)
		give_up(chat, r);
}

static void join_plain(struct chat *chat, struct room *room)
{
	struct session *session = &chat->room.session;
	int n = room_session_join(&chat->room, room, ROOM_PLAIN);

	if (n < 0)
		give_up(chat, n);
	if (n == 1)
		presence_tell(server_of(session->wsi)->presence, room, session->user, true);
	lws_rx_flow_control(session->wsi, 1);
}

/* Banned since the handshake, while the room was being opened or its past read. */
static bool is_banned(const struct session *session, struct room *room)
{
	char address[SESSION_PEER_SIZE];

	return bans_until(server_of(session->wsi)->bans, BAN_ENTRY, room_name(room), session->user,
			  session_moderates(session) ? NULL : session_address(session, address),
			  time(NULL)) != 0;
}

/* The room is open, and what was to be read is there. */
static void on_fetched(void *user, struct room *room, int error)
{
	struct chat *chat = user;
	struct session *session = &chat->room.session;

	chat->opening = NULL;
	chat->reading = false;
	if (session->close_code)
		chat_stop_joining(chat);
	else if (error < 0)
		give_up(chat, error);
	else if (is_banned(session, room))
		close_chat(chat, CLOSE_KICKED, "banned");
	else if (chat->rich)
		join_rich(chat, room);
	else
		join_plain(chat, room);
}

void chat_writable(struct chat *chat)
{
	struct session *session = &chat->room.session;

	if (lws_partial_buffered(session->wsi))
		return;
	if (!chat->past)
		release(chat);
	if (!chat->past || !chat->entered || chat->reading || session->close_code)
		return;
	session_note_alive(session);	      /* it has taken a piece */
	lws_rx_flow_control(session->wsi, 0); /* and isn't heard yet */
	join_rich(chat, chat->room.member.room);
}

void chat_out_of_patience(struct chat *chat)
{
	if (chat->past && !chat->reading)
		give_up(chat, -EBUSY);
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
				      name ? name : session->endpoint->room, on_fetched, chat);
	free(name);
}

void chat_leave(struct chat *chat)
{
	struct session *session = &chat->room.session;
	struct room *room = chat->room.member.room;

	opening_forget(chat->opening);
	chat->opening = NULL;
	end_past(chat);
	release(chat);
	if (!room)
		return;
	room_hold(room);
	if (!room_leave(&chat->room.member))
		presence_tell(server_of(session->wsi)->presence, room, session->user, false);
	room_release(room);
}
