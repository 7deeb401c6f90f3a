#include "stream.h"

#include "http.h"
#include "metrics.h"
#include "server.h"

#include <ev.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define INTERVAL_SECONDS 1.

/* One for each stream, in the memory that lws keeps for a protocol of a vhost. */
struct stream {
	struct server *server;
	stream_next_fn next;
	struct room *messages; /* WebSocket frames */
	struct room *events;   /* server-sent events */
	struct ev_timer tick;
};

static struct stream *stream_of(struct lws *wsi)
{
	return lws_protocol_vh_priv_get(lws_get_vhost(wsi), lws_get_protocol(wsi));
}

unsigned stream_random(unsigned n)
{
	unsigned value;

	/* At most 256 bytes of /dev/urandom never come up short once it is seeded. */
	if (getrandom(&value, sizeof(value), 0) != sizeof(value))
		return 0;
	return value % n;
}

static void on_tick(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	struct stream *stream = watcher->data;
	const char *text = stream->next();
	char event[64];
	int n = snprintf(event, sizeof(event), "data: %s\n\n", text);

	room_announce(stream->messages, text, strlen(text));
	room_append(stream->events, event, (size_t)n);
}

static void start_or_stop(struct stream *stream)
{
	struct ev_loop *loop = stream->server->loop;
	bool wanted = room_size(stream->messages) + room_size(stream->events) > 0;

	if (wanted && !ev_is_active(&stream->tick))
		ev_timer_again(loop, &stream->tick);
	if (!wanted)
		ev_timer_stop(loop, &stream->tick);
}

static int create(struct lws *wsi, stream_next_fn next)
{
	struct stream *stream = lws_protocol_vh_priv_zalloc(lws_get_vhost(wsi),
							    lws_get_protocol(wsi), sizeof(*stream));

	if (!stream)
		return -1;
	stream->server = server_of(wsi);
	stream->next = next;
	ev_timer_init(&stream->tick, on_tick, 0., INTERVAL_SECONDS);
	stream->tick.data = stream;
	if (room_open_unlisted(stream->server->rooms, &stream->messages) < 0 ||
	    room_open_unlisted(stream->server->rooms, &stream->events) < 0)
		return -1;
	return 0;
}

static void destroy(struct stream *stream)
{
	if (!stream || !stream->server)
		return;
	ev_timer_stop(stream->server->loop, &stream->tick);
	room_release(stream->messages);
	room_release(stream->events);
}

static int listen_for_messages(struct lws *wsi, struct stream_session *ss)
{
	struct stream *stream = stream_of(wsi);

	if (room_session_join(&ss->room, stream->messages) < 0)
		return -1;
	start_or_stop(stream);
	return 0;
}

static int write_event(struct member *member, const void *bytes, size_t size)
{
	struct stream_session *ss = lws_container_of(member, struct stream_session, room.member);
	struct lws *wsi = ss->room.session.wsi;
	unsigned char *p = (unsigned char *)(uintptr_t)bytes;

	if (lws_write(wsi, p, size, LWS_WRITE_HTTP) < 0) {
		session_abandon(wsi);
		return -1;
	}
	if (!lws_partial_buffered(wsi))
		return 0;
	lws_callback_on_writable(wsi);
	return 1;
}

/* HTTP has no word for "too slow": the client finds the connection closed and opens another one. */
static void drop_events(struct member *member)
{
	struct stream_session *ss = lws_container_of(member, struct stream_session, room.member);

	room_leave(member);
	session_abandon(ss->room.session.wsi);
}

static const struct member_sink event_sink = {
	.write = write_event,
	.overrun = drop_events,
};

static int answer_http(struct lws *wsi, struct stream_session *ss)
{
	struct stream *stream = stream_of(wsi);
	const struct http_reply head = {
		.status = 200,
		.type = "text/event-stream",
		.headers = "Cache-Control: no-store\r\n",
		.close = true,
	};
	const char *path;
	int method = http_method(wsi, &path);

	if (method != LWSHUMETH_GET && method != LWSHUMETH_HEAD)
		return http_reply_not_allowed(wsi, "GET, HEAD");
	if (http_begin_body(wsi, &head, -1) < 0 || method == LWSHUMETH_HEAD)
		return -1;
	ss->room.session.wsi = wsi;
	if (room_join(stream->events, &ss->room.member, &event_sink, NULL) < 0)
		return -1;
	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
	metrics_server(stream->server->metrics)->listeners++;
	start_or_stop(stream);
	return 0;
}

static void stop_listening(struct lws *wsi, struct stream_session *ss, bool events)
{
	struct stream *stream = stream_of(wsi);

	if (!ss || !ss->room.member.room)
		return;
	room_leave(&ss->room.member);
	if (events)
		metrics_server(stream->server->metrics)->listeners--;
	start_or_stop(stream);
}

/* A stream has nothing to hear: what it is sent counts and is forgotten. */
static int ignore(struct session *session, const struct message *message)
{
	return 0;
}

int stream_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t size, stream_next_fn next)
{
	struct stream_session *ss = user;
	int r;

	switch (reason) {
	case LWS_CALLBACK_PROTOCOL_INIT:
		return create(wsi, next);
	case LWS_CALLBACK_PROTOCOL_DESTROY:
		destroy(stream_of(wsi));
		return 0;
	case LWS_CALLBACK_HTTP:
		return answer_http(wsi, ss);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return member_writable(&ss->room.member) < 0 ? -1 : 0;
	case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED_HTTP:
		stop_listening(wsi, ss, true);
		return 0;
	case LWS_CALLBACK_ESTABLISHED:
		r = room_session_callback(wsi, reason, user, in, size);
		return r ? r : listen_for_messages(wsi, ss);
	case LWS_CALLBACK_RECEIVE:
		return session_receive(&ss->room.session, in, size, ignore);
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED:
		stop_listening(wsi, ss, false);
		return room_session_callback(wsi, reason, user, in, size);
	default:
		return room_session_callback(wsi, reason, user, in, size);
	}
}
