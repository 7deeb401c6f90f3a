#include "auth.h"
#include "bans.h"
#include "limiter.h"
#include "log.h"
#include "metrics.h"
#include "mount/routes.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define LOG_MODULE "routes"

/* Who asks over HTTP, and what they may do; tickets for those who will ask by WebSocket. */

static unsigned refuse(const struct route_request *request, unsigned status, const char *reason,
		       struct json_object **body)
{
	log_event(LOG_LEVEL_NOTICE, LOG_MODULE, "refused", "reason", reason, NULL);
	metrics_count_rejection(request->service->metrics, reason);
	if (status == 403)
		return route_problem(body, status, "not permitted");
	if (!strcmp(reason, "token_missing")) {
		route_add_header(request->later, "WWW-Authenticate: Bearer");
		return route_problem(body, status, "expected a token");
	}
	route_add_header(request->later, "WWW-Authenticate: Bearer error=\"invalid_token\"");
	return route_problem(body, status, "expected a token that is good");
}

static unsigned identify(const struct route_request *request, struct identity *identity,
			 struct json_object **body)
{
	const struct auth_credentials credentials = {
		.authorization = request->authorization,
		.cookies = request->cookies,
	};
	const char *reason =
		auth_identify(request->server->auth, &credentials, time(NULL), identity);

	return reason ? refuse(request, 401, reason, body) : 0;
}

/* Where nobody has to say who they are; nobody has the right to moderate then. */
static unsigned permit_anybody(const struct route_request *request, enum right right,
			       struct json_object **body)
{
	if (right == RIGHT_MODERATE)
		return refuse(request, 403, "rights", body);
	if (right == RIGHT_WRITE && auth_has_publish_keys(request->server->auth))
		return refuse(request, 401,
			      request->authorization ? "publish_key" : "token_missing", body);
	return 0;
}

/* What is moderated has somebody who did it; what a key says may be in any name. */
static unsigned permit_key(const struct route_request *request,
			   const struct config_publish_key *key, enum right right,
			   struct identity *identity, struct json_object **body)
{
	if (!(key->rights & right))
		return refuse(request, 403, "rights", body);
	if (right != RIGHT_MODERATE)
		return 0;
	identity->name = strdup(key->name);
	return identity->name ? 0 : route_problem(body, 500, "out of memory");
}

unsigned route_permit(const struct route_request *request, const char *room, enum right right,
		      struct identity *identity, struct json_object **body)
{
	struct auth *auth = request->server->auth;
	const struct config_publish_key *key = auth_publisher(auth, request->authorization);
	const char *reason = NULL;
	unsigned status;

	*identity = (struct identity){0};
	if (key)
		return permit_key(request, key, right, identity, body);
	if (!auth_is_needed(auth))
		return permit_anybody(request, right, body);
	status = identify(request, identity, body);
	if (status)
		return status;
	if (room && !identity_may_enter(identity, room))
		reason = "room";
	else if (!(identity->rights & right))
		reason = "rights";
	else if (room && bans_until(request->server->bans, BAN_ENTRY, room, identity->name,
				    identity->rights & RIGHT_MODERATE ? NULL : request->address,
				    time(NULL)))
		reason = "ban";
	if (!reason)
		return 0;
	identity_finish(identity);
	return refuse(request, 403, reason, body);
}

unsigned route_admit(const struct route_request *request, enum route_access access,
		     struct json_object **body)
{
	struct identity identity;
	unsigned status;

	if (access != ROUTE_CLOSED)
		return 0;
	status = route_permit(request, NULL, RIGHT_READ, &identity, body);
	identity_finish(&identity);
	return status;
}

unsigned route_tickets(const struct route_request *request, struct json_object **body)
{
	struct auth *auth = request->server->auth;
	char ticket[TICKET_SIZE];
	struct identity identity;
	unsigned status;
	int r;

	if (!auth_is_needed(auth))
		return route_problem(body, 404, "nobody needs a ticket here");
	status = identify(request, &identity, body);
	if (status)
		return status;
	if (!limiter_take(request->server->limiter, LIMIT_TICKETS, identity.name,
			  turn_now(&request->service->turn))) {
		identity_finish(&identity);
		return route_refuse_rate(request, LIMIT_TICKETS, body);
	}
	r = auth_issue_ticket(auth, &identity, ticket);
	identity_finish(&identity);
	if (r < 0)
		return route_problem(body, 500, "no ticket can be had now");
	*body = json_object_new_object();
	json_object_object_add(*body, "ticket", json_object_new_string(ticket));
	json_object_object_add(*body, "expires_in", json_object_new_int(AUTH_TICKET_SECONDS));
	return 201;
}
