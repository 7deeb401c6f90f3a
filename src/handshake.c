#include "handshake.h"

#include "admission/admission.h"
#include "auth.h"
#include "http.h"
#include "http-client.h"
#include "http-cors.h"
#include "http-request.h"
#include "limiter.h"
#include "metrics.h"
#include "rooms.h"
#include "server.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define LOG_MODULE "handshake"

struct refusal {
	unsigned status;
	const char *reason; /* in the log and the metrics */
	const char *headers;
	const char *body;
};

static const struct refusal not_found = {404, "path", NULL, "Not found\n"};
static const struct refusal bad_method = {405, "method", "Allow: GET\r\n", "Method not allowed\n"};
static const struct refusal bad_version = {426, "version",
					   "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n",
					   "This server speaks WebSocket version 13\n"};
static const struct refusal bad_upgrade = {400, "upgrade", NULL, "Bad WebSocket handshake\n"};
static const struct refusal bad_key = {400, "key", NULL,
				       "Sec-WebSocket-Key missing or malformed\n"};
static const struct refusal has_body = {400, "body", NULL, "A handshake has no body\n"};
static const struct refusal bad_subprotocol = {400, "subprotocol", NULL,
					       "Subprotocol not spoken here\n"};
static const struct refusal too_many = {429, "handshakes", "Retry-After: 1\r\n",
					"Connection rejected\n"};
static const struct refusal going_away = {503, "drain", "Retry-After: 1\r\n",
					  "Connection rejected\n"};

static const struct refusal not_permitted[] = {
	{403, "room", NULL, "Connection rejected\n"},
	{403, "rights", NULL, "Connection rejected\n"},
};

static const char *endpoint_name(const struct endpoint *endpoint)
{
	return endpoint->name ? endpoint->name : endpoint->path;
}

static int refuse(struct lws *wsi, const struct session *session, const struct refusal *refusal)
{
	const char *path;
	char status[8];

	http_method(wsi, &path);
	snprintf(status, sizeof(status), "%u", refusal->status);
	/* Of those that come too often limiter.h tells once a second. */
	log_event(refusal->status == 429 ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE, LOG_MODULE,
		  "refused", "path", path, "peer", session->peer, "user", session->user, "status",
		  status, "reason", refusal->reason, NULL);
	metrics_count_rejection(service_of(wsi)->metrics, refusal->reason);
	http_reply(wsi, &(struct http_reply){
				.status = refusal->status,
				.type = "text/plain; charset=utf-8",
				.headers = refusal->headers,
				.body = refusal->body,
				.size = strlen(refusal->body),
				.close = true,
			});
	return -1;
}

/* Whether a comma-separated list has that token, whatever the case (RFC 9110 section 5.6.1). */
static bool has_token(const char *list, const char *token, bool any_case)
{
	size_t length = strlen(token);

	while (list && *list) {
		size_t n;

		list += strspn(list, " \t,");
		n = strcspn(list, " \t,");
		if (n == length &&
		    !(any_case ? strncasecmp(list, token, n) : strncmp(list, token, n)))
			return true;
		list += n;
	}
	return false;
}

static bool header_has(struct lws *wsi, enum lws_token_indexes header, const char *token,
		       bool any_case)
{
	char *value = http_header(wsi, header);
	bool has = has_token(value, token, any_case);

	free(value);
	return has;
}

/* 16 bytes in base64: 22 characters and two equals signs. */
static bool is_key(struct lws *wsi)
{
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *key = http_header(wsi, WSI_TOKEN_KEY);
	bool good =
		key && strlen(key) == 24 && strspn(key, base64) == 22 && !strcmp(key + 22, "==");

	free(key);
	return good;
}

/* It would be taken for frames. */
static bool announces_body(struct lws *wsi)
{
	char *length = http_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
	bool announces = (length && strspn(length, "0") < strlen(length)) ||
			 lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;

	free(length);
	return announces;
}

/* What RFC 6455 section 4.2.1 asks of the request; NULL: all is well. */
static const struct refusal *check_request(struct lws *wsi, struct session *session)
{
	const char *path;

	if (!session->endpoint->websocket)
		return &not_found;
	if (http_method(wsi, &path) != LWSHUMETH_GET)
		return &bad_method;
	if (!header_has(wsi, WSI_TOKEN_CONNECTION, "upgrade", true) ||
	    lws_hdr_total_length(wsi, WSI_TOKEN_HOST) <= 0)
		return &bad_upgrade;
	if (!header_has(wsi, WSI_TOKEN_VERSION, "13", true))
		return &bad_version;
	if (!is_key(wsi))
		return &bad_key;
	if (announces_body(wsi))
		return &has_body;
	if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) <= 0)
		return NULL;
	session->subprotocol =
		session->endpoint->subprotocol &&
		header_has(wsi, WSI_TOKEN_PROTOCOL, session->endpoint->subprotocol, false);
	return session->subprotocol ? NULL : &bad_subprotocol;
}

/* RFC 6750 section 3: who brought none is told no more than that one is needed. */
static int refuse_credentials(struct lws *wsi, const struct session *session, const char *reason)
{
	bool is_missing = !strcmp(reason, "token_missing");

	return refuse(
		wsi, session,
		&(struct refusal){
			.status = 401,
			.reason = reason,
			.headers = is_missing
					   ? "WWW-Authenticate: Bearer\r\n"
					   : "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n",
			.body = "Connection rejected\n",
		});
}

/* Fills in the session's identity. Returns NULL, or what is wrong. */
static const char *read_identity(struct lws *wsi, struct session *session, const char *ticket)
{
	char *authorization = http_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
	const struct config_admission *settings =
		config_admission_for(server_of(wsi)->config, endpoint_name(session->endpoint));
	char *cookies = http_may_use_cookies(wsi, settings)
				? http_header(wsi, WSI_TOKEN_HTTP_COOKIE)
				: NULL;
	const struct auth_credentials credentials = {authorization, cookies, ticket};
	const char *reason =
		auth_admit(server_of(wsi)->auth, &credentials, time(NULL), &session->identity);

	free(authorization);
	free(cookies);
	return reason;
}

/* Whatever name the query has, it is the identity's now. */
static void put_username(struct http_query *query, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < query->n; i++)
		if (strcmp(query->fields[i].name, "username"))
			query->fields[n++] = query->fields[i];
	if (n == HTTP_QUERY_MAX)
		n--;
	query->fields[n++] =
		(struct admission_field){.name = "username", .value = name, .size = strlen(name)};
	query->n = n;
}

static int identify(struct lws *wsi, struct session *session, struct http_query *query)
{
	const struct admission_request request = {.query = query->fields, .n_query = query->n};
	const struct admission_field *ticket, *room;
	const char *reason;

	if (session->endpoint->open || !auth_is_needed(server_of(wsi)->auth))
		return 0;
	ticket = admission_query(&request, "ticket");
	room = admission_query(&request, "room");
	reason = read_identity(wsi, session, ticket ? ticket->value : NULL);
	if (reason)
		return refuse_credentials(wsi, session, reason);
	if (session->endpoint->room &&
	    !identity_may_enter(session->identity, room ? room->value : session->endpoint->room))
		return refuse(wsi, session, &not_permitted[0]);
	if (!(session->identity->rights & RIGHT_READ))
		return refuse(wsi, session, &not_permitted[1]);
	put_username(query, session->identity->name);
	return 0;
}

static int keep_user(struct session *session, const struct admission_request *request)
{
	const struct admission_field *username = admission_query(request, "username");

	if (!username)
		return 0;
	session->user = strndup(username->value, username->size);
	return session->user ? 0 : -1;
}

/* The headers that the endpoint's settings ask for. */
static struct admission_field *copy_headers(struct lws *wsi,
					    const struct config_admission *settings, size_t *n)
{
	struct admission_field *headers;

	*n = 0;
	if (!settings || !settings->n_require_headers)
		return NULL;
	headers = calloc(settings->n_require_headers, sizeof(*headers));
	if (!headers)
		return NULL;
	for (size_t i = 0; i < settings->n_require_headers; i++) {
		char *value = http_header_by_name(wsi, settings->require_headers[i].name);

		if (value)
			headers[(*n)++] = (struct admission_field){
				.name = settings->require_headers[i].name,
				.value = value,
				.size = strlen(value),
			};
	}
	return headers;
}

static void free_headers(struct admission_field *headers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((char *)(uintptr_t)headers[i].value);
	free(headers);
}

/* Whether joining would make one room more than there may be. */
static bool has_no_more_rooms(struct server *server, const char *name)
{
	struct room *room;

	if (rooms_count(server->rooms) < server->config->chat.max_rooms)
		return false;
	room = rooms_find(server->rooms, name);
	room_release(room);
	return !room;
}

/* What only rules for rooms want to know. */
static void describe_room(const struct session *session, struct server *server,
			  struct admission_request *request, char address[SESSION_PEER_SIZE])
{
	const struct admission_field *room = admission_query(request, "room");

	request->room = room ? room->value : session->endpoint->room;
	request->address = session_address(session, address);
	request->moderates = session_moderates(session);
	request->no_more_rooms = has_no_more_rooms(server, request->room);
	request->bans = server->bans;
	request->limiter = server->limiter;
	request->time = time(NULL);
	request->now = turn_now(&service_of(session->wsi)->turn);
}

/* When another try may do (RFC 9110 section 10.2.3). */
static void put_retry_after(const struct server *server, struct refusal *refusal, char *text,
			    size_t size)
{
	if (refusal->status != 429)
		return;
	snprintf(text, size, "Retry-After: %u\r\n",
		 limiter_retry_seconds(server->limiter, LIMIT_JOINS));
	refusal->headers = text;
}

static int ask_rules(struct lws *wsi, struct session *session, const struct http_query *query)
{
	struct server *server = server_of(wsi);
	const struct endpoint *endpoint = session->endpoint;
	const struct config_admission *settings =
		config_admission_for(server->config, endpoint_name(endpoint));
	size_t n_headers;
	struct admission_field *headers = copy_headers(wsi, settings, &n_headers);
	char *origin = http_header(wsi, WSI_TOKEN_ORIGIN);
	char *host = http_host(wsi);
	struct admission_request request = {
		.query = query->fields,
		.n_query = query->n,
		.headers = headers,
		.n_headers = n_headers,
		.origin = origin,
		.host = host,
		.secure = http_is_secure(wsi),
		.connections = &server->connections,
		.needs_username = endpoint->needs_username,
	};
	struct refusal refusal = {.body = "Connection rejected\n"};
	char address[SESSION_PEER_SIZE], retry[40];
	int r;

	if (endpoint->room)
		describe_room(session, server, &request, address);
	refusal.status = (unsigned)admission_decide(&request, settings, &refusal.reason);
	put_retry_after(server, &refusal, retry, sizeof(retry));
	r = refusal.status ? refuse(wsi, session, &refusal) : keep_user(session, &request);
	free_headers(headers, n_headers);
	free(origin);
	free(host);
	return r;
}

/* Charged before anything is looked at: a bad handshake costs as much as a good one. */
static bool may_try(struct lws *wsi, const struct session *session)
{
	struct service *service = service_of(wsi);
	char address[SESSION_PEER_SIZE];

	return limiter_take(service->server->limiter, LIMIT_HANDSHAKES,
			    session_address(session, address), turn_now(&service->turn));
}

int handshake_check(struct lws *wsi, struct session *session)
{
	const struct refusal *refusal;
	struct http_query query;
	int r;

	if (http_wants_redirect(wsi))
		return http_redirect_to_https(wsi);
	http_peer(wsi, session->peer);
	if (!may_try(wsi, session))
		return refuse(wsi, session, &too_many);
	refusal = check_request(wsi, session);
	if (!refusal && server_is_draining(server_of(wsi)))
		refusal = &going_away;
	if (refusal)
		return refuse(wsi, session, refusal);
	if (http_query_read(wsi, &query) < 0)
		return -1;
	r = identify(wsi, session, &query);
	if (!r)
		r = ask_rules(wsi, session, &query);
	http_query_finish(&query);
	return r;
}

int handshake_refuse(struct lws *wsi)
{
	struct session nobody = {0};

	http_peer(wsi, nobody.peer);
	return refuse(wsi, &nobody, may_try(wsi, &nobody) ? &not_found : &too_many);
}
