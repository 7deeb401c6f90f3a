#pragma once

#include "http-client.h"
#include "rate.h"
#include "turn.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A session: what every connection at an endpoint has, from the admission hook
 * to the close event. Each protocol's per-session struct begins with one, and
 * its callback hands every reason that it doesn't handle itself to
 * session_callback(), which
 *
 *  - decides in LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION whether the handshake
 *    may go on, and answers it where not;
 *  - logs and counts connections, messages and closes;
 *  - answers plain HTTP where the endpoint speaks only WebSocket, or not at all;
 *  - sends what was put off until the connection can be written.
 *
 * A callback that wants to add to one of these calls session_callback() first.
 */

struct identity;
struct server;

struct endpoint {
	const char *path; /* NULL: mounted by other means */
	const char *name; /* in the log, the metrics and the config's admission; NULL: the path */
	const char *subprotocol; /* the one that it speaks, or NULL */
	bool websocket;
	bool text_only;	     /* a binary message closes with 1003 */
	bool needs_username; /* no handshake without ?username= */
	bool open;	     /* to everybody, even where names come from tokens */
	/*
	 * Not NULL: its sessions begin with a struct room_session, and join the
	 * room that ?room= names, by default this one. Where names come from
	 * tokens, theirs do.
	 */
	const char *room;
};

/* A whole message: data is good for the time of the call. */
struct message {
	const char *data;
	size_t size;
	bool binary;
};

#define SESSION_PEER_SIZE HTTP_PEER_SIZE

/* A message, and a request's body, that comes in more slowly than that isn't waited for. */
#define SESSION_BYTES_PER_SECOND 1024

struct session {
	struct lws_dll2 list; /* of all that are open */
	struct lws *wsi;
	const struct endpoint *endpoint;
	struct endpoint_metrics *metrics;
	uint16_t close_code;		 /* 0: not closing */
	uint16_t peer_code;		 /* of the peer's close frame; 0: none came */
	char *user;			 /* as admitted; NULL: anonymous */
	const struct identity *identity; /* shared; NULL: nobody has asked for one */
	char peer[SESSION_PEER_SIZE];
	double heard; /* service_now() of the last sign of life */
	struct rate frames;
	struct rate control; /* of pings and pongs */
	struct rester rester;
	/* A message of which not all has come yet. */
	char *partial;
	size_t partial_size;
	size_t partial_capacity;
	uint64_t partial_since;	  /* nanoseconds, as turn_now() */
	size_t owed;		  /* bytes that lws keeps of what was sent */
	const char *close_reason; /* NULL: the close has begun, or is none */
	bool established;
	bool subprotocol; /* the handshake asked for it and gets it */
	bool pinged;	  /* and not heard of since */
	bool ping_due;
	bool paused; /* nothing is read until what was written is gone */
	bool slowed; /* nor for a moment, as it has sent too much */
};

/* What rows of the protocol table share: see struct lws_protocols. */
#define SESSION_RX_BUFFER 128
#define SESSION_TX_PACKET (1u << 30)

/* Come back later: what a client asks for is too much just now, or it was too slow. */
#define CLOSE_TRY_AGAIN_LATER 1013

/* What its endpoint is called in the log, the metrics and the config. */
const char *session_endpoint_name(const struct session *session);

/* For everything that a protocol's callback doesn't do itself. */
int session_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		     size_t size);

/*
 * Called with each whole message. Returns 0, or -1 to close, after session_fail()
 * has said with which code.
 */
typedef int (*session_message_fn)(struct session *session, const struct message *message);

/*
 * For LWS_CALLBACK_RECEIVE: puts messages together from fragments, up to the
 * limit for a whole one, and returns what the callback must return.
 */
int session_receive(struct session *session, const void *in, size_t size,
		    session_message_fn on_message);

/* Sends a message. Returns 0, or -1 where the connection is to be closed. */
int session_send(struct session *session, const void *data, size_t size, bool binary);

/* Sends the message that session_receive() has just handed out, from where it is, without a copy. */
int session_send_back(struct session *session, const struct message *message);

/* Sends bytes that are n whole frames already. As above. */
int session_send_frames(struct session *session, const void *frames, size_t size, unsigned n);

/* Closes from within the connection's own callback, which returns what this returns. */
int session_fail(struct session *session, uint16_t code, const char *reason);

/* Closes from anywhere else, as soon as the connection can be written. reason lasts forever. */
void session_close(struct session *session, uint16_t code, const char *reason);

/* Ends a connection of any kind without a word, from outside its own callback. */
void session_abandon(struct lws *wsi);

/*
 * What limits and bans take for the peer's address: its network, as address.h
 * has it; NULL: it has none. It is written to text.
 */
const char *session_address(const struct session *session, char text[SESSION_PEER_SIZE]);

/* Whether who it is may moderate: bans by address are for others. */
bool session_moderates(const struct session *session);

/* A copy of the request's query parameter, to be freed; NULL: it has none. For LWS_CALLBACK_ESTABLISHED. */
char *session_query(struct session *session, const char *name);

/*
 * lws has to keep so many bytes for it, as the socket takes no more. Returns
 * false where that is more than all may owe: it is to be closed. And whether
 * they have left by now is looked at.
 */
bool session_owe(struct session *session, size_t size);
void session_settle(struct session *session);

/* It has just shown that it is there. */
void session_note_alive(struct session *session);

/* Looks after one that may have gone silent, or whose time is over; now is service_now(). */
void session_check(struct session *session, double now);
