#pragma once

#include "room.h"
#include "session.h"

/*
 * A session that is a member of a room: begins the per-session struct of a
 * protocol that fans out.
 */
struct room_session {
	struct session session;
	struct member member;
};

/* Makes the session a member. Returns as room_join() does. */
int room_session_join(struct room_session *rs, struct room *room, enum room_kind kind);

/* The same in two steps, as room_enter() and room_listen(). */
int room_session_enter(struct room_session *rs, struct room *room, enum room_kind kind);
int room_session_listen(struct room_session *rs, enum room_kind kind);

/* As session_callback(), for a session that may be a member: it leaves the room when it closes, if it hasn't. */
int room_session_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			  size_t size);
