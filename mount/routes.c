#include "mount/routes.h"

#include "auth.h"
#include "handshake.h"
#include "http-turn.h"
#include "http-client.h"
#include "http-cors.h"
#include "json-scan.h"
#include "limiter.h"
#include "mount/answer.h"
#include "mount/table.h"
#include "session.h"
#include "utf8.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROMETHEUS_TEXT "text/plain; version=0.0.4; charset=utf-8"

static const struct route routes[] = {
	{"GET", "/api/rooms", route_rooms, NULL, ROUTE_ASKS},
	{"GET", "/api/rooms/{}/bans", route_room_bans, NULL, ROUTE_ASKS},
	{"POST", "/api/rooms/{}/bans", route_room_ban, NULL, ROUTE_ASKS},
	{"DELETE", "/api/rooms/{}/bans/{}", route_room_unban, NULL, ROUTE_ASKS},
	{"POST", "/api/rooms/{}/kicks", route_room_kick, NULL, ROUTE_ASKS},
	{"GET", "/api/rooms/{}/members", route_room_members, NULL, ROUTE_ASKS},
	{"GET", "/api/rooms/{}/messages", route_room_messages, "application/json", ROUTE_ASKS},
	{"POST", "/api/rooms/{}/messages", route_room_publish, NULL, ROUTE_ASKS},
	{"DELETE", "/api/rooms/{}/messages/{}", route_room_delete_message, NULL, ROUTE_ASKS},
	{"GET", "/api/rooms/{}/mutes", route_room_mutes, NULL, ROUTE_ASKS},
	{"POST", "/api/rooms/{}/mutes", route_room_mute, NULL, ROUTE_ASKS},
	{"DELETE", "/api/rooms/{}/mutes/{}", route_room_unmute, NULL, ROUTE_ASKS},
	{"POST", "/api/tickets", route_tickets, NULL, ROUTE_ASKS},
	{"GET", "/asyncapi.json", route_asyncapi, "application/json", ROUTE_OPEN},
	{"GET", "/healthz", route_healthz, NULL, ROUTE_OPEN},
	{"GET", "/metrics", route_metrics, PROMETHEUS_TEXT, ROUTE_ASKS},
	{"GET", "/openapi.json", route_openapi, "application/json", ROUTE_OPEN},
	{"GET", "/readyz", route_readyz, NULL, ROUTE_OPEN},
};

/* So long an answer may take that waits for a disk. */
#define LATE_SECONDS 60

/* In a request's body, see json-scan.h. */
#define VALUES_MAX 1000

#define TOO_LARGE "the body is too large"

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

struct match {
	const struct route *route;
	struct http_path path; /* that the parameters are segments of */
	const char *parameters[ROUTE_PARAMETERS_MAX];
};

static bool match_path(const char *pattern, const struct http_path *path, const char **parameters)
{
	const char *segment = NULL;
	size_t n = 0;

	while ((segment = http_path_next(path, segment))) {
		size_t length;

		if (*pattern++ != '/')
			return false;
		length = strcspn(pattern, "/");
		if (*pattern == '{' && *segment && n < ROUTE_PARAMETERS_MAX)
			parameters[n++] = segment;
		else if (strlen(segment) != length || memcmp(segment, pattern, length))
			return false;
		pattern += length;
	}
	return !*pattern;
}

/* What couldn't be a room's name names no room. */
static bool is_possible(const struct match *match)
{
	const char *room = match->parameters[0];

	return strncmp(match->route->path, "/api/rooms/{}", 13) || utf8_is_name(room, strlen(room));
}

static bool fits_method(const struct route *route, int method)
{
	if (!strcmp(route->method, "GET"))
		return method == LWSHUMETH_GET || method == LWSHUMETH_HEAD;
	return method == (strcmp(route->method, "POST") ? LWSHUMETH_DELETE : LWSHUMETH_POST);
}

/*
 * Finds the route. Where only the method doesn't fit any, allow says which
 * would; it is empty where there is no such path.
 */
static bool find_route(struct lws *wsi, struct match *match, char *allow, size_t size)
{
	const char *path;
	int method = http_method(wsi, &path);

	*allow = '\0';
	if (http_path_read(wsi, &match->path) < 0)
		return false;
	for (size_t i = 0; i < N_ROUTES; i++) {
		if (!match_path(routes[i].path, &match->path, match->parameters))
			continue;
		if (fits_method(&routes[i], method)) {
			match->route = &routes[i];
			return true;
		}
		snprintf(allow + strlen(allow), size - strlen(allow), "%s%s", *allow ? ", " : "",
			 strcmp(routes[i].method, "GET") ? routes[i].method : "GET, HEAD");
	}
	return false;
}

/* With its end the next request may begin, and the call be another one. */
static int send_answer(struct lws *wsi, struct call *call)
{
	struct answer answer = call->answer;

	call->answer = (struct answer){0};
	return answer_send(wsi, &call->sending, &answer);
}

static int writable(struct lws *wsi, struct call *call)
{
	if (!call->answer.status)
		return http_body_continue(wsi, &call->sending);
	lws_rx_flow_control(wsi, 1);
	return send_answer(wsi, call);
}

static void read_headers(struct lws *wsi, struct route_request *request, char *address)
{
	struct session peer = {0};

	http_peer(wsi, peer.peer);
	request->address = session_address(&peer, address);
	request->authorization = http_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
	if (http_may_use_cookies(wsi, http_page_settings(wsi)))
		request->cookies = http_header(wsi, WSI_TOKEN_HTTP_COOKIE);
	request->if_none_match = http_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH);
}

static void free_headers(struct route_request *request)
{
	free((char *)(uintptr_t)request->authorization);
	free((char *)(uintptr_t)request->cookies);
	free((char *)(uintptr_t)request->if_none_match);
}

unsigned route_refuse_rate(const struct route_request *request, enum limit limit,
			   struct json_object **body)
{
	route_add_header(request->later, "Retry-After: %u",
			 limiter_retry_seconds(request->server->limiter, limit));
	return route_problem(body, 429, "too many requests");
}

/*
 * A call is charged to the address that it comes from before anything is done
 * for it. Who has a publish key is none of those whom that is for.
 */
static unsigned charge(const struct route_request *request, const struct route *route,
		       struct json_object **body)
{
	enum limit limit = route->handler == route_room_messages ? LIMIT_PAGES : LIMIT_API;

	if (strncmp(route->path, "/api/", 5) || /* what operators ask for */
	    auth_publisher(request->server->auth, request->authorization))
		return 0;
	if (limiter_take(request->server->limiter, limit, request->address,
			 turn_now(&request->service->turn)))
		return 0;
	return route_refuse_rate(request, limit, body);
}

static int call_handler(struct lws *wsi, struct call *call, const struct match *match,
			struct json_object *json)
{
	struct route_request request = {
		.server = server_of(wsi), .service = service_of(wsi), .body = json};
	struct json_object *body = NULL;
	struct http_query query;
	unsigned status;
	char address[SESSION_PEER_SIZE];

	memcpy(request.parameters, match->parameters, sizeof(request.parameters));
	request.later = malloc(sizeof(*request.later));
	if (!request.later || http_query_read(wsi, &query) < 0) {
		free(request.later);
		return -1;
	}
	*request.later = (struct route_later){.wsi = wsi,
					      .call = call,
					      .is_head = http_is_head(wsi),
					      .answer.route = match->route};
	call->later = request.later;
	request.query = &query;
	read_headers(wsi, &request, address);
	status = charge(&request, match->route, &body);
	if (!status)
		status = route_admit(&request, match->route->access, &body);
	if (!status)
		status = match->route->handler(&request, &body);
	free_headers(&request);
	http_query_finish(&query);
	if (status != ROUTE_LATER)
		route_answer(call->later, status, body);
	if (call->answer.status)
		return send_answer(wsi, call);
	call->later->waiting = true;
	lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, LATE_SECONDS);
	lws_rx_flow_control(wsi, 0); /* the next request has to wait */
	return 0;
}

/*
 * A body must say that it is JSON: other sites' pages can't without asking
 * first (the CORS protocol), which only those that are listed are allowed.
 */
static bool is_json(struct lws *wsi)
{
	char *type = http_header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);
	bool is = type && !strncasecmp(type, "application/json", 16) &&
		  (!type[16] || type[16] == ';' || type[16] == ' ');

	free(type);
	return is;
}

static int expect_body(struct lws *wsi, struct call *call)
{
	bool is_large;
	char *length;

	call->since = turn_now(&service_of(wsi)->turn);
	if (!is_json(wsi))
		return answer_problem(wsi, 415, "expected Content-Type: application/json");
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
		return http_continue(wsi);
	length = http_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
	if (!length)
		return answer_problem(wsi, 411, "expected Content-Length");
	is_large = strtoull(length, NULL, 10) > server_of(wsi)->config->limits.max_payload;
	free(length);
	return is_large ? answer_problem(wsi, 413, TOO_LARGE) : http_continue(wsi);
}

static int begin(struct lws *wsi, struct call *call)
{
	struct match match = {0};
	char allow[64];
	int r;

	if (answer_is_for_pages(wsi) && http_is_preflight(wsi))
		return http_reply_preflight(wsi);
	if (!find_route(wsi, &match, allow, sizeof(allow)))
		r = *allow ? answer_not_allowed(wsi, allow)
			   : answer_problem(wsi, 404, "no such resource");
	else if (!is_possible(&match))
		r = answer_problem(wsi, 404, "no such room");
	else if (!strcmp(match.route->method, "POST"))
		r = expect_body(wsi, call);
	else
		r = call_handler(wsi, call, &match, NULL);
	http_path_finish(&match.path);
	return r;
}

/* lws begins to wait anew with each byte. */
static bool is_too_slow(struct lws *wsi, const struct call *call)
{
	uint64_t seconds = server_of(wsi)->config->limits.handshake_seconds +
			   call->size / SESSION_BYTES_PER_SECOND;

	return turn_now(&service_of(wsi)->turn) - call->since > seconds * 1000000000;
}

static int collect(struct lws *wsi, struct call *call, const void *in, size_t size)
{
	size_t limit = server_of(wsi)->config->limits.max_payload;
	char *body;

	http_turn_charge(wsi, 1 + (unsigned)(size / 256));
	if (size > limit || call->size > limit - size)
		return answer_problem(wsi, 413, TOO_LARGE);
	if (is_too_slow(wsi, call))
		return answer_problem(wsi, 408, "the body comes too slowly");
	body = realloc(call->body, call->size + size + 1);
	if (!body)
		return -1;
	call->body = body;
	call->pending = &server_of(wsi)->pending;
	if (!pending_charge(call->pending, size))
		return answer_problem(wsi, 503, "too much is on its way; try again");
	if (size)
		memcpy(body + call->size, in, size);
	call->size += size;
	return 0;
}

static struct json_object *parse(const struct call *call)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *json = NULL;

	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	if (call->size < INT_MAX && json_scan_fits(call->body, call->size, VALUES_MAX))
		json = json_tokener_parse_ex(tokener, call->body, (int)call->size);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != call->size) {
		json_object_put(json);
		json = NULL;
	}
	json_tokener_free(tokener);
	return json;
}

static int complete(struct lws *wsi, struct call *call)
{
	struct json_object *json = parse(call);
	struct match match = {0};
	char allow[64];
	int r = -1;

	if (!json_object_is_type(json, json_type_object))
		r = answer_problem(wsi, 400, "expected a JSON object");
	else if (find_route(wsi, &match, allow, sizeof(allow)))
		r = call_handler(wsi, call, &match, json);
	http_path_finish(&match.path);
	json_object_put(json);
	return r;
}

static void finish(struct call *call)
{
	if (!call)
		return;
	free(call->body);
	if (call->pending)
		pending_release(call->pending, call->size);
	if (call->later)
		call->later->call = NULL;
	answer_finish(&call->answer);
	http_body_finish(&call->sending);
	*call = (struct call){0};
}

static int routes_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			   size_t size)
{
	struct call *call = user;

	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return begin(wsi, call);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return writable(wsi, call);
	case LWS_CALLBACK_HTTP_BODY:
		return collect(wsi, call, in, size);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return complete(wsi, call);
	case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED_HTTP:
		finish(call);
		return 0;
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return handshake_refuse(wsi);
	default:
		return 0;
	}
}

const struct lws_protocols routes_protocol = {
	.name = "routes",
	.callback = routes_callback,
	.per_session_data_size = sizeof(struct call),
	.tx_packet_size = HTTP_TX_PACKET,
};
