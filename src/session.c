#include "session.h"

#include "address.h"
#include "admission/admission.h"
#include "handshake.h"
#include "http.h"
#include "http-request.h"
#include "identity.h"
#include "metrics.h"
#include "server.h"
#include "session-input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOG_MODULE "session"

/* How long a connection that takes nothing any more may delay its own closing. */
#define CLOSE_GRACE_SECONDS 5

#define CLOSE_EXPIRED 4401

const char *session_endpoint_name(const struct session *session)
{
	return session->endpoint->name ? session->endpoint->name : session->endpoint->path;
}

static void log_close(const struct session *session, unsigned code)
{
	char text[8];

	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	snprintf(text, sizeof(text), "%u", code);
	log_event(LOG_LEVEL_INFO, LOG_MODULE, "close", "endpoint", session_endpoint_name(session),
		  "peer", session->peer, "user", session->user, "code", text, NULL);
}

static int admit(struct lws *wsi, struct session *session)
{
	const struct lws_protocols *protocol = lws_get_protocol(wsi);

	session->wsi = wsi;
	session->endpoint = protocol->user;
	return handshake_check(wsi, session);
}

static int add_headers(const struct session *session, struct lws_process_html_args *args)
{
	int n;

	if (!session->subprotocol)
		return 0;
	n = snprintf(args->p, (size_t)args->max_len, "Sec-WebSocket-Protocol: %s\r\n",
		     session->endpoint->subprotocol);
	if (n < 0 || n >= args->max_len)
		return -1;
	args->p += n;
	return 0;
}

static int establish(struct session *session)
{
	struct service *service = service_of(session->wsi);

	session->metrics = metrics_endpoint(service->metrics, session_endpoint_name(session));
	if (!session->metrics)
		return -1;
	quota_charge(&service->server->connections);
	lws_dll2_add_tail(&session->list, &service->sessions);
	session->established = true;
	session->heard = service_now(service);
	session->metrics->connections++;
	session->metrics->opened++;
	log_event(LOG_LEVEL_INFO, LOG_MODULE, "open", "endpoint", session_endpoint_name(session),
		  "peer", session->peer, "user", session->user, NULL);
	return 0;
}

/* RFC 6455 section 7.4.1: a close frame need not have a code. */
static void note_peer_close(struct session *session, const unsigned char *payload, size_t size)
{
	unsigned code = LWS_CLOSE_STATUS_NO_STATUS;

	if (size >= 2)
		code = (unsigned)payload[0] << 8 | payload[1];
	session->peer_code = (uint16_t)code;
}

/* The code of whoever closed first; lws has that of its own close frames; without any it is 1006. */
static unsigned final_code(const struct session *session)
{
	const unsigned char *payload = lws_get_close_payload(session->wsi);

	if (session->close_code)
		return session->close_code;
	if (session->peer_code)
		return session->peer_code;
	if (lws_get_close_length(session->wsi) >= 2)
		return (unsigned)payload[0] << 8 | payload[1];
	return LWS_CLOSE_STATUS_ABNORMAL_CLOSE;
}

static void settle(struct session *session)
{
	pending_release(&server_of(session->wsi)->pending, session->owed);
	session->owed = 0;
}

bool session_owe(struct session *session, size_t size)
{
	if (!pending_charge(&server_of(session->wsi)->pending, size))
		return false;
	session->owed += size;
	return true;
}

void session_settle(struct session *session)
{
	if (session->owed && !lws_partial_buffered(session->wsi))
		settle(session);
}

static void finish(struct session *session)
{
	if (session->established) {
		struct service *service = service_of(session->wsi);
		unsigned code = final_code(session);

		session->established = false;
		lws_dll2_remove(&session->list);
		quota_release(&service->server->connections);
		session->metrics->connections--;
		metrics_count_close(service->metrics, code);
		log_close(session, code);
	}
	free(session->user);
	session->user = NULL;
	identity_unref(session->identity);
	session->identity = NULL;
	session_drop_input(session);
	settle(session);
	turn_forget(&service_of(session->wsi)->turn, &session->rester);
}

static int send_ping(struct session *session)
{
	unsigned char buffer[LWS_PRE];

	session->ping_due = false;
	return lws_write(session->wsi, buffer + LWS_PRE, 0, LWS_WRITE_PING) < 0 ? -1 : 0;
}

/* What session_close() has put off, once; a close that is on its way already needs nothing more. */
static int close_now(struct session *session)
{
	const char *reason = session->close_reason;

	session->close_reason = NULL;
	return reason ? session_fail(session, session->close_code, reason) : 0;
}

static int writable(struct session *session)
{
	if (!session->established)
		return 0;
	session_settle(session);
	if (session->close_code)
		return close_now(session);
	if (session->paused && !lws_partial_buffered(session->wsi)) {
		session->paused = false;
		lws_rx_flow_control(session->wsi, 1);
	}
	return session->ping_due ? send_ping(session) : 0;
}

/* An endpoint that has nothing to say over plain HTTP. */
static int answer_http(struct lws *wsi)
{
	if (!http_is_get_or_head(wsi))
		return http_reply_not_allowed(wsi, "GET, HEAD");
	return http_reply_upgrade_required(wsi);
}

void session_note_alive(struct session *session)
{
	session->heard = service_now(service_of(session->wsi));
	session->pinged = false;
}

int session_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		     size_t size)
{
	struct session *session = user;

	switch (reason) {
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return admit(wsi, session);
	case LWS_CALLBACK_ADD_HEADERS:
		return add_headers(session, in);
	case LWS_CALLBACK_ESTABLISHED:
		return establish(session);
	case LWS_CALLBACK_RECEIVE_PING:
		return session_hear_control(session, size);
	case LWS_CALLBACK_RECEIVE_PONG:
		session_note_alive(session);
		return session_hear_control(session, size);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return writable(session);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		note_peer_close(session, in, size);
		return 0;
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
		/* Closing has begun; a handshake that came to nothing hears no more than this. */
		if (!session->established)
			finish(session);
		return 0;
	case LWS_CALLBACK_CLOSED:
		finish(session);
		return 0;
	case LWS_CALLBACK_HTTP:
		return answer_http(wsi);
	default:
		return 0;
	}
}

/* Nothing more is read until what could not be sent at once is gone. */
static int count_sent(struct session *session, size_t size, unsigned n)
{
	session->metrics->messages_out += n;
	session->metrics->bytes_out += size;
	if (lws_partial_buffered(session->wsi) && !session->paused) {
		session->paused = true;
		lws_rx_flow_control(session->wsi, 0);
		lws_callback_on_writable(session->wsi);
		if (!session_owe(session, size))
			return session_fail(session, CLOSE_TRY_AGAIN_LATER, "too slow");
	}
	return 0;
}

/* payload has LWS_PRE bytes in front, which lws writes the frame's header to. */
static int send_frame(struct session *session, unsigned char *payload, size_t size, bool binary)
{
	if (lws_write(session->wsi, payload, size, binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0)
		return -1;
	return count_sent(session, size, 1);
}

int session_send_frames(struct session *session, const void *frames, size_t size, unsigned n)
{
	if (session->close_code || !size)
		return 0;
	if (lws_write(session->wsi, (unsigned char *)(uintptr_t)frames, size, LWS_WRITE_RAW) < 0)
		return -1;
	return count_sent(session, size, n);
}

int session_send(struct session *session, const void *data, size_t size, bool binary)
{
	unsigned char *buffer;

	if (session->close_code)
		return 0;
	buffer = service_scratch(service_of(session->wsi), LWS_PRE + size);
	if (!buffer)
		return session_fail(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION,
				    "out of memory");
	if (size)
		memcpy(buffer + LWS_PRE, data, size);
	return send_frame(session, buffer + LWS_PRE, size, binary);
}

int session_send_back(struct session *session, const struct message *message)
{
	unsigned char *payload = (unsigned char *)(uintptr_t)message->data;

	if (session->close_code)
		return 0;
	return send_frame(session, payload, message->size, message->binary);
}

int session_fail(struct session *session, uint16_t code, const char *reason)
{
	unsigned char text[128];
	size_t size = strnlen(reason, sizeof(text) - 5);

	session->close_code = code;
	memcpy(text, reason, size);
	lws_close_reason(session->wsi, (enum lws_close_status)code, text, size);
	return -1;
}

void session_close(struct session *session, uint16_t code, const char *reason)
{
	if (session->close_code)
		return;
	session->close_code = code;
	session->close_reason = reason;
	/* Should it take nothing any more, the check for idle connections ends it. */
	session->heard = service_now(service_of(session->wsi));
	lws_callback_on_writable(session->wsi);
}

char *session_query(struct session *session, const char *name)
{
	struct http_query query;
	char *value = NULL;

	if (http_query_read(session->wsi, &query) < 0)
		return NULL;
	for (size_t i = 0; i < query.n && !value; i++)
		if (!strcmp(query.fields[i].name, name))
			value = strndup(query.fields[i].value, query.fields[i].size);
	http_query_finish(&query);
	return value;
}

const char *session_address(const struct session *session, char text[SESSION_PEER_SIZE])
{
	return address_peer_network(session->peer, text);
}

bool session_moderates(const struct session *session)
{
	return session->identity && session->identity->rights & RIGHT_MODERATE;
}

void session_abandon(struct lws *wsi)
{
	lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
	lws_cancel_service(lws_get_context(wsi)); /* which looks at its timeouts then */
}

/* Proxies cut connections on which nothing has passed for as little as 50 seconds. */
static bool is_ping_due(const struct session *session, double silent, const struct config *config)
{
	return !session->pinged &&
	       (silent > config->limits.ping_seconds || silent > config->limits.idle_seconds / 2.0);
}

void session_check(struct session *session, double now)
{
	const struct config *config = server_of(session->wsi)->config;
	double silent = now - session->heard;

	session_let_go_on(session);
	if (session->close_code) {
		if (silent > CLOSE_GRACE_SECONDS)
			session_abandon(session->wsi);
	} else if (session->identity && time(NULL) >= session->identity->expires) {
		session_close(session, CLOSE_EXPIRED, "token expired");
	} else if (silent > config->limits.idle_seconds) {
		session_abandon(session->wsi);
	} else if (session_is_too_slow(session, config->limits.idle_seconds)) {
		session_close(session, LWS_CLOSE_STATUS_POLICY_VIOLATION, "unfinished message");
	} else if (is_ping_due(session, silent, config)) {
		session->pinged = true;
		session->ping_due = true;
		lws_callback_on_writable(session->wsi);
	}
}
