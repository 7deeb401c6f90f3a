#pragma once

#include "http.h"
#include "http-body.h"
#include "http-client.h"
#include "http-request.h"
#include "identity.h"
#include "server.h"

#include <json-c/json.h>

/*
 * A REST call: a parsed request in, a status and a JSON value out. The handler
 * never sees the connection.
 */

#define ROUTE_PARAMETERS_MAX 2

struct route_later;

struct route_request {
	struct server *server;
	struct service *service; /* the calling thread's */
	struct route_later *later;
	const struct http_query *query;
	const char *parameters[ROUTE_PARAMETERS_MAX]; /* what stood for each {} of the path */
	struct json_object *body;		      /* of a POST; NULL else */
	const char *authorization;		      /* headers; NULL: it has none */
	const char *cookies;
	const char *if_none_match;
	const char *address; /* of the peer; NULL: it has none */
};

/*
 * Returns the HTTP status and sets *body to what answers the request, a new
 * reference; for an error that is a problem, see route_problem(). Or returns
 * ROUTE_LATER, and route_answer() is called once, with request->later, on the
 * same thread.
 */
#define ROUTE_LATER 0

typedef unsigned (*route_fn)(const struct route_request *request, struct json_object **body);

/* Who may make a call, before its handler is asked. A row that doesn't say so is closed. */
enum route_access {
	ROUTE_CLOSED, /* who has the right to read; everybody, where nobody has to say who they are */
	ROUTE_ASKS,   /* whom the handler says, which asks route_permit(), or knows better */
	ROUTE_OPEN,   /* everybody */
};

struct route {
	const char *method; /* "GET", which answers HEAD too, "POST" or "DELETE" */
	const char *path;   /* a segment {} stands for any one that isn't empty */
	route_fn handler;
	const char *type; /* NULL: JSON; else the body is text, or a string, to be sent as it is */
	enum route_access access;
};

/* Takes the reference to body. The client may be gone by now. */
void route_answer(struct route_later *later, unsigned status, struct json_object *body);

/*
 * Adds a line to the headers of the answer, in the form of printf() and without
 * CRLF, before it is given. A Cache-Control stands in for the usual no-store.
 */
void route_add_header(struct route_later *later, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The answer's body is that text instead of *body, which stays NULL: it is to
 * be sent as it is, and is taken.
 */
void route_give_text(struct route_later *later, struct http_text *text);

/* Whether only the answer's head is wanted: it may do without a body, and without its length. */
bool route_is_head(const struct route_later *later);

/* Who asks, as http_peer() has it; and whether a proxy says that it asks for somebody else (RFC 7239). */
void route_peer(const struct route_later *later, char peer[HTTP_PEER_SIZE]);
bool route_is_forwarded(const struct route_later *later);

/* As route_problem(): 503, come back soon. */
unsigned route_busy(struct route_later *later, struct json_object **body);

/* Fills *body with a problem (RFC 9457) and returns its status. */
unsigned route_problem(struct json_object **body, unsigned status, const char *detail);

/* The same for 429, with a Retry-After (RFC 6585 section 4). */
unsigned route_refuse_rate(const struct route_request *request, enum limit limit,
			   struct json_object **body);

/*
 * Whether who asks has that right in the room, or in some where it is NULL.
 * Returns 0 and fills in *identity, which is the caller's to finish; it has no
 * name where nobody has to say who they are, or it is a publish key that they
 * have, but for moderating. Else fills *body with a problem and
 * returns its status.
 */
unsigned route_permit(const struct route_request *request, const char *room, enum right right,
		      struct identity *identity, struct json_object **body);

/* Whether who asks may make such a call. Returns 0, or fills *body with a problem and returns its status. */
unsigned route_admit(const struct route_request *request, enum route_access access,
		     struct json_object **body);

/* route-auth.c */
unsigned route_tickets(const struct route_request *request, struct json_object **body);

/* route-contracts.c */
unsigned route_asyncapi(const struct route_request *request, struct json_object **body);
unsigned route_openapi(const struct route_request *request, struct json_object **body);

/* route-health.c */
unsigned route_healthz(const struct route_request *request, struct json_object **body);
unsigned route_readyz(const struct route_request *request, struct json_object **body);

/* route-history.c */
unsigned route_room_messages(const struct route_request *request, struct json_object **body);

/* route-metrics.c */
unsigned route_metrics(const struct route_request *request, struct json_object **body);

/* route-moderation.c */
unsigned route_room_ban(const struct route_request *request, struct json_object **body);
unsigned route_room_bans(const struct route_request *request, struct json_object **body);
unsigned route_room_delete_message(const struct route_request *request, struct json_object **body);
unsigned route_room_kick(const struct route_request *request, struct json_object **body);
unsigned route_room_mute(const struct route_request *request, struct json_object **body);
unsigned route_room_mutes(const struct route_request *request, struct json_object **body);
unsigned route_room_unban(const struct route_request *request, struct json_object **body);
unsigned route_room_unmute(const struct route_request *request, struct json_object **body);

/* route-rooms.c */
unsigned route_rooms(const struct route_request *request, struct json_object **body);
unsigned route_room_members(const struct route_request *request, struct json_object **body);
unsigned route_room_publish(const struct route_request *request, struct json_object **body);
