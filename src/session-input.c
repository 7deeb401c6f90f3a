#include "session-input.h"

#include "identity.h"
#include "limiter.h"
#include "log.h"
#include "metrics.h"
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MODULE "session"

static void log_message(const struct session *session, const struct message *message)
{
	char size[24];

	if (!log_enabled(LOG_LEVEL_DEBUG))
		return;
	snprintf(size, sizeof(size), "%zu", message->size);
	log_event(LOG_LEVEL_DEBUG, LOG_MODULE, "message", "endpoint",
		  session_endpoint_name(session), "peer", session->peer, "user", session->user,
		  "opcode", message->binary ? "binary" : "text", "bytes", size, NULL);
}

/* Its input is held back for reasons of their own, whatever else holds it back. */
#define RXFLOW_RESTS (LWS_RXFLOW_REASON_APPLIES | 1 << 1)
#define RXFLOW_SLOWED (LWS_RXFLOW_REASON_APPLIES | 1 << 2)

static void resume(struct rester *rester)
{
	struct session *session = lws_container_of(rester, struct session, rester);

	lws_rx_flow_control(session->wsi, RXFLOW_RESTS | LWS_RXFLOW_REASON_APPLIES_ENABLE_BIT);
}

static void spend(struct session *session, size_t bytes)
{
	struct service *service = service_of(session->wsi);

	if (!turn_spend(&service->turn, session, 1 + (unsigned)(bytes / 4096)))
		return;
	lws_rx_flow_control(session->wsi, RXFLOW_RESTS);
	turn_rest(&service->turn, service->loop, &session->rester, resume);
}

static bool charge(struct session *session, enum limit limit, struct rate *rate)
{
	struct service *service = service_of(session->wsi);

	return limiter_take_own(service->server->limiter, limit, rate, session->peer,
				turn_now(&service->turn));
}

/* Who sends more than may be waits: nothing more is read of it until the next look at all sessions. */
static void charge_frame(struct session *session)
{
	if (session->slowed || charge(session, LIMIT_FRAMES, &session->frames))
		return;
	session->slowed = true;
	lws_rx_flow_control(session->wsi, RXFLOW_SLOWED);
}

void session_let_go_on(struct session *session)
{
	if (!session->slowed)
		return;
	session->slowed = false;
	lws_rx_flow_control(session->wsi, RXFLOW_SLOWED | LWS_RXFLOW_REASON_APPLIES_ENABLE_BIT);
}

void session_drop_input(struct session *session)
{
	pending_release(&server_of(session->wsi)->pending, session->partial_capacity);
	free(session->partial);
	session->partial = NULL;
	session->partial_size = 0;
	session->partial_capacity = 0;
}

int session_hear_control(struct session *session, size_t size)
{
	spend(session, size);
	if (charge(session, LIMIT_CONTROL, &session->control))
		return 0;
	return session_fail(session, LWS_CLOSE_STATUS_POLICY_VIOLATION, "too many pings");
}

/* As what lws hands out, partial has LWS_PRE bytes in front, for session_send_back(). */
static int grow_partial(struct session *session, size_t capacity)
{
	struct pending *pending = &server_of(session->wsi)->pending;
	char *partial;

	if (!pending_charge(pending, capacity - session->partial_capacity))
		return -EBUSY;
	partial = realloc(session->partial, LWS_PRE + capacity);
	if (!partial) {
		pending_release(pending, capacity - session->partial_capacity);
		return -ENOMEM;
	}
	session->partial = partial;
	session->partial_capacity = capacity;
	return 0;
}

static int append_partial(struct session *session, const void *in, size_t size)
{
	size_t needed = session->partial_size + size;
	int r = 0;

	if (!session->partial || needed > session->partial_capacity)
		r = grow_partial(session, needed * 2);
	if (r < 0)
		return r;
	if (size)
		memcpy(session->partial + LWS_PRE + session->partial_size, in, size);
	session->partial_size = needed;
	return 0;
}

static int fail_partial(struct session *session, int error)
{
	return error == -EBUSY ? session_fail(session, CLOSE_TRY_AGAIN_LATER,
					      "too many unfinished messages")
			       : session_fail(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION,
					      "out of memory");
}

bool session_is_too_slow(const struct session *session, unsigned idle_seconds)
{
	uint64_t seconds = idle_seconds + session->partial_size / SESSION_BYTES_PER_SECOND;

	return session->partial &&
	       turn_now(&service_of(session->wsi)->turn) - session->partial_since >
		       seconds * 1000000000;
}

static int dispatch(struct session *session, const struct message *message,
		    session_message_fn on_message)
{
	session->metrics->messages_in++;
	session->metrics->bytes_in += message->size;
	log_message(session, message);
	return on_message(session, message);
}

int session_receive(struct session *session, const void *in, size_t size,
		    session_message_fn on_message)
{
	struct lws *wsi = session->wsi;
	struct message message = {.data = in, .size = size, .binary = lws_frame_is_binary(wsi)};
	size_t limit = server_of(wsi)->config->limits.max_payload;
	int r;

	session_note_alive(session);
	spend(session, size);
	if (session->close_code)
		return 0; /* what comes after our decision to close is not heard (RFC 6455 section 5.5.1) */
	charge_frame(session);
	if (message.binary && session->endpoint->text_only)
		return session_fail(session, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "text only");
	if (size > limit || session->partial_size > limit - size)
		return session_fail(session, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "message too big");
	if (lws_is_final_fragment(wsi) && !session->partial)
		return dispatch(session, &message, on_message);
	if (!session->partial)
		session->partial_since = turn_now(&service_of(wsi)->turn);
	r = append_partial(session, in, size);
	if (r < 0)
		return fail_partial(session, r);
	if (!lws_is_final_fragment(wsi))
		return 0;
	message.data = session->partial + LWS_PRE;
	message.size = session->partial_size;
	r = dispatch(session, &message, on_message);
	session_drop_input(session);
	return r;
}
