#include "stream.h"

#include "http.h"
#include "http-request.h"
#include "metrics.h"
#include "rooms.h"
#include "server.h"

#include <ev.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define INTERVAL_SECONDS 1.

/*
 * One for each stream and service thread, in the memory that lws keeps for a
 * protocol of a vhost. The rooms are the same for all; the first thread ticks.
 */
struct stream {
	struct service *service;
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

	room_announce(stream->messages, ROOM_PLAIN, text, strlen(text));
	room_append(stream->events, event, (size_t)n);
}

/* On the first thread. */
static void start_or_stop(struct stream *stream)
{
	struct ev_loop *loop = stream->service->loop;
	bool wanted = room_size(stream->messages) + room_size(stream->events) > 0;

	if (wanted && !ev_is_active(&stream->tick))
		ev_timer_again(loop, &stream->tick);
	if (!wanted)
		ev_timer_stop(loop, &stream->tick);
}

struct look {
	struct service_task task;
	const char *protocol;
};

static void run_look(struct service_task *task, struct service *service)
{
	struct look *look = (struct look *)task;

	if (service)
		start_or_stop(lws_protocol_vh_priv_get(
			service->vhost,
			lws_vhost_name_to_protocol(service->vhost, look->protocol)));
	free(look);
}

/* Somebody has come or gone: whoever ticks may have to begin or to end. */
static void tell_ticker(struct lws *wsi, struct stream *stream)
{
	struct look *look;

	if (!stream->service->index) {
		start_or_stop(stream);
		return;
	}
	look = malloc(sizeof(*look));
	if (!look)
		return;
	look->task.run = run_look;
	look->protocol = lws_get_protocol(wsi)->name;
	service_post(&stream->service->server->services[0], &look->task);
}

static int open_rooms(struct stream *stream, const char *name)
{
	struct rooms *rooms = stream->service->server->rooms;
	char events[64];
	int r = room_open_unlisted(rooms, name, &stream->messages);

	if (r < 0)
		return r;
	snprintf(events, sizeof(events), "%s events", name);
	return room_open_unlisted(rooms, events, &stream->events);
}

static int create(struct lws *wsi, stream_next_fn next)
{
	struct stream *stream = lws_protocol_vh_priv_zalloc(lws_get_vhost(wsi),
							    lws_get_protocol(wsi), sizeof(*stream));

	if (!stream)
		return -1;
	stream->service = service_of(wsi);
	stream->next = next;
	ev_timer_init(&stream->tick, on_tick, 0., INTERVAL_SECONDS);
	stream->tick.data = stream;
	return open_rooms(stream, lws_get_protocol(wsi)->name) < 0 ? -1 : 0;
}

static void destroy(struct stream *stream)
{
	if (!stream || !stream->service)
		return;
	ev_timer_stop(stream->service->loop, &stream->tick);
	room_release(stream->messages);
	room_release(stream->events);
}

static int listen_for_messages(struct lws *wsi, struct stream_session *ss)
{
	struct stream *stream = stream_of(wsi);

	if (room_session_join(&ss->room, stream->messages, ROOM_PLAIN) < 0)
		return -1;
	tell_ticker(wsi, stream);
	return 0;
}

static struct stream_session *of_reader(struct reader *reader)
{
	return lws_container_of(reader, struct stream_session, room.member.reader);
}

static ssize_t write_event(struct reader *reader, const void *bytes, size_t size, uint64_t frames)
{
	struct stream_session *ss = of_reader(reader);
	struct lws *wsi = ss->room.session.wsi;
	unsigned char *p = (unsigned char *)(uintptr_t)bytes;

	if (lws_partial_buffered(wsi)) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	if (lws_write(wsi, p, size, LWS_WRITE_HTTP) < 0) {
		session_abandon(wsi);
		return -1;
	}
	if (lws_partial_buffered(wsi)) { /* lws keeps what the socket doesn't take, for so long */
		lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, http_patience(wsi));
		lws_callback_on_writable(wsi);
	}
	return (ssize_t)size;
}

static void go_on(struct lws *wsi, struct stream_session *ss)
{
	if (lws_partial_buffered(wsi))
		return;
	if (ss->room.member.room)
		lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* it has taken what there was */
	reader_writable(&ss->room.member.reader);
}

/*
 * Events are so small that a socket takes them for hours from who takes nothing
 * any more: the system ends the connection where its window stays closed, or
 * nothing is acknowledged.
 */
static void limit_silence(struct lws *wsi)
{
	int milliseconds = 1000 * http_patience(wsi);

	setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds,
		   sizeof(milliseconds));
}

/* HTTP has no word for "too slow": the client finds the connection closed and opens another one. */
static void drop_events(struct reader *reader)
{
	session_abandon(of_reader(reader)->room.session.wsi);
}

static const struct reader_sink event_sink = {
	.write = write_event,
	.overrun = drop_events,
};

static int answer_http(struct lws *wsi, struct stream_session *ss)
{
	struct stream *stream = stream_of(wsi);
	const struct http_reply head = {
		.status = 200,
		.type = "text/event-stream",
		.headers = "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n",
		.close = true,
	};
	const char *path;
	const struct room_joining how = {
		.flusher = stream->service->flusher,
		.sink = &event_sink,
		.kind = ROOM_PLAIN,
	};
	int method = http_method(wsi, &path);

	if (method != LWSHUMETH_GET && method != LWSHUMETH_HEAD)
		return http_reply_not_allowed(wsi, "GET, HEAD");
	if (http_begin_body(wsi, &head, -1) < 0 || method == LWSHUMETH_HEAD)
		return -1;
	ss->room.session.wsi = wsi;
	if (room_join(stream->events, &ss->room.member, &how) < 0)
		return -1;
	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
	limit_silence(wsi);
	metrics_server(stream->service->metrics)->listeners++;
	tell_ticker(wsi, stream);
	return 0;
}

static void stop_listening(struct lws *wsi, struct stream_session *ss, bool events)
{
	struct stream *stream = stream_of(wsi);

	if (!ss || !ss->room.member.room)
		return;
	room_leave(&ss->room.member);
	if (events)
		metrics_server(stream->service->metrics)->listeners--;
	tell_ticker(wsi, stream);
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
		go_on(wsi, ss);
		return 0;
	case SERVICE_CALLBACK_DRAIN:
		if (ss && ss->room.member.room && !ss->room.session.established)
			session_abandon(wsi);
		return 0;
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
