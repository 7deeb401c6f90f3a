#include "mount/routes.h"

#include "auth.h"
#include "handshake.h"
#include "json-scan.h"
#include "limiter.h"
#include "mount/table.h"
#include "session.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROMETHEUS_TEXT "text/plain; version=0.0.4; charset=utf-8"

static const struct route routes[] = {
	{"GET", "/api/rooms", route_rooms, NULL},
	{"GET", "/api/rooms/{}/bans", route_room_bans, NULL},
	{"POST", "/api/rooms/{}/bans", route_room_ban, NULL},
	{"DELETE", "/api/rooms/{}/bans/{}", route_room_unban, NULL},
	{"POST", "/api/rooms/{}/kicks", route_room_kick, NULL},
	{"GET", "/api/rooms/{}/members", route_room_members, NULL},
	{"GET", "/api/rooms/{}/messages", route_room_messages, "application/json"},
	{"POST", "/api/rooms/{}/messages", route_room_publish, NULL},
	{"DELETE", "/api/rooms/{}/messages/{}", route_room_delete_message, NULL},
	{"GET", "/api/rooms/{}/mutes", route_room_mutes, NULL},
	{"POST", "/api/rooms/{}/mutes", route_room_mute, NULL},
	{"DELETE", "/api/rooms/{}/mutes/{}", route_room_unmute, NULL},
	{"POST", "/api/tickets", route_tickets, NULL},
	{"GET", "/asyncapi.json", route_asyncapi, "application/json"},
	{"GET", "/healthz", route_healthz, NULL},
	{"GET", "/metrics", route_metrics, PROMETHEUS_TEXT},
	{"GET", "/openapi.json", route_openapi, "application/json"},
	{"GET", "/readyz", route_readyz, NULL},
};

/* In a request's body, see json-scan.h. */
#define VALUES_MAX 1000

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

/* The request of a connection, for as long as it takes to come in, and its answer where that takes time. */
struct call {
	char *body;
	size_t size;
	uint64_t since;		   /* it began to come in, as turn_now() */
	struct route_later *later; /* the handler has yet to answer */
	const struct route *route;
	struct json_object *answer; /* has come, and is to be sent */
	char *headers;		    /* that go with it */
	unsigned status;
};

struct route_later {
	struct lws *wsi;
	struct call *call; /* NULL: the connection is gone */
	const struct route *route;
	char *headers; /* of the answer; NULL: none yet */
};

struct match {
	const struct route *route;
	char *segments; /* a copy of the path, cut where the parameters end */
	const char *parameters[ROUTE_PARAMETERS_MAX];
};

void route_add_header(struct route_later *later, const char *format, ...)
{
	char *line = NULL, *all = NULL;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vasprintf(&line, format, arguments);
	va_end(arguments);
	if (n < 0)
		return;
	if (asprintf(&all, "%s%s\r\n", later->headers ? later->headers : "", line) >= 0) {
		free(later->headers);
		later->headers = all;
	}
	free(line);
}

static void free_later(struct route_later *later)
{
	free(later->headers);
	free(later);
}

unsigned route_problem(struct json_object **body, unsigned status, const char *detail)
{
	*body = json_object_new_object();
	json_object_object_add(*body, "type", json_object_new_string("about:blank"));
	json_object_object_add(*body, "title", json_object_new_string(http_reason(status)));
	json_object_object_add(*body, "status", json_object_new_int((int)status));
	json_object_object_add(*body, "detail", json_object_new_string(detail));
	return status;
}

/* Whether the path, which is cut up for it, has the pattern's shape. */
static bool match_path(const char *pattern, char *path, const char **parameters)
{
	size_t n = 0;

	while (*pattern) {
		if (pattern[0] == '{' && n < ROUTE_PARAMETERS_MAX) {
			size_t length = strcspn(path, "/");

			if (!length)
				return false;
			parameters[n++] = path;
			pattern += 2;
			path += length;
			if (*pattern != *path)
				return false;
			if (!*path)
				return true;
			*path = '\0';
		} else if (*pattern != *path) {
			return false;
		}
		pattern++;
		path++;
	}
	return !*path;
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
static bool find_route(const char *path, int method, struct match *match, char *allow, size_t size)
{
	*allow = '\0';
	for (size_t i = 0; i < N_ROUTES; i++) {
		free(match->segments);
		match->segments = strdup(path);
		if (!match->segments)
			return false;
		if (!match_path(routes[i].path, match->segments, match->parameters))
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

/* Takes the references to headers, which may be NULL, and body. */
static int answer(struct lws *wsi, const struct route *route, unsigned status, char *headers,
		  struct json_object *body)
{
	bool is_cached = headers && strstr(headers, "Cache-Control:");
	char *all = NULL;
	struct http_reply reply = {
		.status = status,
		.type = status >= 400 ? "application/problem+json" : "application/json",
	};
	int r;

	if (asprintf(&all, "%s%s", headers ? headers : "",
		     is_cached ? "" : "Cache-Control: no-store\r\n") >= 0)
		reply.headers = all;
	if (status == 304)
		reply.type = NULL;
	else if (route && route->type && status < 400) {
		reply.type = route->type;
		reply.body = json_object_get_string(body);
		reply.size = (size_t)json_object_get_string_len(body);
	} else {
		reply.body = json_object_to_json_string_length(
			body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &reply.size);
	}
	r = http_reply(wsi, &reply);
	json_object_put(body);
	free(headers);
	free(all);
	return r;
}

/* The connection ends with it, since a request's body may still be on its way. */
static int answer_problem(struct lws *wsi, unsigned status, const char *detail)
{
	struct json_object *body;

	route_problem(&body, status, detail);
	answer(wsi, NULL, status, NULL, body);
	return -1;
}

static int answer_not_allowed(struct lws *wsi, const char *allow)
{
	struct json_object *body;
	char *headers;

	route_problem(&body, 405, "the resource doesn't know this method");
	if (asprintf(&headers, "Allow: %s\r\n", allow) < 0)
		headers = NULL;
	answer(wsi, NULL, 405, headers, body);
	return -1;
}

void route_answer(struct route_later *later, unsigned status, struct json_object *body)
{
	struct call *call = later->call;

	if (call) {
		call->later = NULL;
		call->route = later->route;
		call->status = status;
		call->answer = body;
		call->headers = later->headers;
		later->headers = NULL;
		lws_callback_on_writable(later->wsi);
	} else {
		json_object_put(body);
	}
	free_later(later);
}

static int send_late_answer(struct lws *wsi, struct call *call)
{
	unsigned status;
	struct json_object *body = call->answer;
	char *headers = call->headers;

	if (!call->status)
		return 0;
	call->answer = NULL;
	call->headers = NULL;
	lws_rx_flow_control(wsi, 1);
	status = call->status;
	call->status = 0;
	return answer(wsi, call->route, status, headers, body);
}

static void read_headers(struct lws *wsi, struct route_request *request, char *address)
{
	struct session peer = {0};

	http_peer(wsi, peer.peer);
	request->address = session_address(&peer, address);
	request->authorization = http_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
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
	char address[SESSION_PEER_SIZE], *headers;

	memcpy(request.parameters, match->parameters, sizeof(request.parameters));
	request.later = malloc(sizeof(*request.later));
	if (!request.later || http_query_read(wsi, &query) < 0) {
		free(request.later);
		return -1;
	}
	*request.later = (struct route_later){.wsi = wsi, .call = call, .route = match->route};
	call->later = request.later;
	request.query = &query;
	read_headers(wsi, &request, address);
	status = charge(&request, match->route, &body);
	if (!status)
		status = match->route->handler(&request, &body);
	free_headers(&request);
	http_query_finish(&query);
	if (status == ROUTE_LATER && call->status)
		return send_late_answer(wsi, call); /* it was fast */
	if (status == ROUTE_LATER) {
		lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
		lws_rx_flow_control(wsi, 0); /* the next request has to wait */
		return 0;
	}
	headers = call->later->headers;
	free(call->later);
	call->later = NULL;
	return answer(wsi, match->route, status, headers, body);
}

/*
 * A body must say that it is JSON: other sites' pages can't without asking
 * first (the CORS protocol), which nobody here allows.
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
	call->since = turn_now(&service_of(wsi)->turn);
	if (!is_json(wsi))
		return answer_problem(wsi, 415, "expected Content-Type: application/json");
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
		return answer_problem(wsi, 411, "expected Content-Length");
	return 0;
}

static int begin(struct lws *wsi, struct call *call)
{
	struct match match = {0};
	const char *path;
	int method = http_method(wsi, &path);
	char allow[64];
	int r;

	if (!find_route(path, method, &match, allow, sizeof(allow)))
		r = *allow ? answer_not_allowed(wsi, allow)
			   : answer_problem(wsi, 404, "no such resource");
	else if (method == LWSHUMETH_POST)
		r = expect_body(wsi, call);
	else
		r = call_handler(wsi, call, &match, NULL);
	free(match.segments);
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

	if (size > limit || call->size > limit - size)
		return answer_problem(wsi, 413, "the body is too large");
	if (is_too_slow(wsi, call))
		return answer_problem(wsi, 408, "the body comes too slowly");
	body = realloc(call->body, call->size + size + 1);
	if (!body)
		return -1;
	call->body = body;
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
	const char *path;
	int method = http_method(wsi, &path);
	char allow[64];
	int r = -1;

	if (!json_object_is_type(json, json_type_object))
		r = answer_problem(wsi, 400, "expected a JSON object");
	else if (find_route(path, method, &match, allow, sizeof(allow)))
		r = call_handler(wsi, call, &match, json);
	free(match.segments);
	json_object_put(json);
	return r;
}

static void finish(struct call *call)
{
	if (!call)
		return;
	free(call->body);
	if (call->later)
		call->later->call = NULL;
	json_object_put(call->answer);
	free(call->headers);
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
		return send_late_answer(wsi, call);
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
