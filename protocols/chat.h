#pragma once

#include "identity.h"
#include "message.h"
#include "rate.h"
#include "room-session.h"

/*
 * The group chat: what one member of a room says, all of them hear. What its
 * files share:
 *
 *     chat.c          the endpoint
 *     chat-join.c     coming in, and leaving
 *     chat-welcome.c  how one is greeted
 *     chat-past.c     what was said before one came in
 *     chat-roster.c   who came and went while one was reading that
 *     chat-say.c      what a client sends
 *
 * Clients speak one of two dialects: the plain one, and switchboard.chat.v1,
 * which knows what is a message and what isn't ("rich").
 */

#define CHAT_SUBPROTOCOL "switchboard.chat.v1"

struct chat_past;
struct chat_sent;
struct opening;

struct chat {
	struct room_session room;
	bool rich;
	bool entered;		/* it has had its welcome */
	bool is_reset;		/* what it has missed was gone */
	bool reading;		/* the worker has its past */
	struct chat_past *past; /* what it is to get at first, until it has joined */
	char *names;		/* the people of its welcome, until it hears of changes */
	size_t names_size;
	size_t held;		 /* of the server's pending bytes */
	struct opening *opening; /* of the room that it is to join; NULL: that is over */
	struct rate rate;
	struct rate patience;	/* with messages that come too fast */
	struct chat_sent *sent; /* messages whose outcome is still to come */
};

/* Joins the room that the handshake named, maybe only later. */
void chat_join(struct chat *chat);
void chat_leave(struct chat *chat);

/* The connection can be written: goes on with what it is to get at first. */
void chat_writable(struct chat *chat);

/* It is being closed, and gets no more of that. */
void chat_stop_joining(struct chat *chat);

/* It has taken none of that for too long. */
void chat_out_of_patience(struct chat *chat);

/* Whether it may do that in its room. Without identities everybody may read and write, and no more. */
bool chat_has_right(const struct chat *chat, enum right right);

/* For how long it may still only listen in the room that it has joined; 0: it may speak. */
int64_t chat_muted_seconds(const struct chat *chat);

/* A session_message_fn, but for the tokener. */
int chat_hear(struct chat *chat, struct json_tokener *tokener, const struct message *message);

/* Nobody is left to hear of the outcome of what has been sent. */
void chat_forget_sent(struct chat *chat);

/* Only the sender hears of what was wrong, and may go on. Returns as session_send(). */
int chat_complain(struct chat *chat, const struct message_error *error);
