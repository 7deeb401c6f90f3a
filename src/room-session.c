#include "room-session.h"

#include "deflater.h"
#include "metrics.h"
#include "service.h"

#include <errno.h>
#include <sys/socket.h>

/* What goes into one TLS record, or a little more: whole frames. */
#define RECORD_SIZE (16 * 1024)

static struct room_session *of_reader(struct reader *reader)
{
	return lws_container_of(reader, struct room_session, member.reader);
}

static ssize_t fail(struct session *session)
{
	session_close(session, LWS_CLOSE_STATUS_ABNORMAL_CLOSE, "write failed");
	return -1;
}

static ssize_t overload(struct session *session)
{
	session_close(session, CLOSE_TRY_AGAIN_LATER, "too slow");
	return -1;
}

/* The bytes are frames already, so lws has nothing to add to them. It keeps what the socket doesn't take. */
static int write_frames(struct session *session, const void *bytes, size_t size)
{
	return lws_write(session->wsi, (unsigned char *)(uintptr_t)bytes, size, LWS_WRITE_RAW) < 0
		       ? -1
		       : 0;
}

/* Record by record, until lws has to keep something. Returns how much that was. */
static ssize_t write_records(struct session *session, const char *bytes, size_t size)
{
	size_t taken = 0;

	while (taken < size && !lws_partial_buffered(session->wsi)) {
		size_t rest = size - taken;
		size_t record = rest;

		if (rest > RECORD_SIZE)
			record = wire_frames_end(bytes + taken, rest, RECORD_SIZE);
		if (write_frames(session, bytes + taken, record) < 0)
			return -1;
		taken += record;
	}
	if (lws_partial_buffered(session->wsi) && !session_owe(session, RECORD_SIZE))
		return overload(session);
	return (ssize_t)taken;
}

/*
 * Straight to the socket: this is where the time goes when many are written to.
 * Where it takes only a part, lws gets the rest of the frame that was cut, so
 * that nothing comes in between, and no more.
 */
static ssize_t write_plain(struct session *session, const char *bytes, size_t size)
{
	ssize_t sent = send(lws_get_socket_fd(session->wsi), bytes, size, MSG_NOSIGNAL);
	size_t end;

	if (sent == (ssize_t)size)
		return sent;
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	if (sent <= 0)
		return 0;
	end = wire_frames_end(bytes, size, (size_t)sent);
	if (end > (size_t)sent && write_frames(session, bytes + sent, end - (size_t)sent) < 0)
		return -1;
	return session_owe(session, end - (size_t)sent) ? (ssize_t)end : overload(session);
}

static ssize_t give(struct reader *reader, const void *bytes, size_t size, uint64_t frames)
{
	struct session *session = &of_reader(reader)->session;
	ssize_t taken = 0;

	if (session->close_code == LWS_CLOSE_STATUS_ABNORMAL_CLOSE)
		return -1; /* a write has failed */
	if (!lws_partial_buffered(session->wsi))
		taken = service_speaks_tls(session->wsi) ? write_records(session, bytes, size)
							 : write_plain(session, bytes, size);
	if (taken < 0)
		return fail(session);
	session->metrics->bytes_out += (size_t)taken;
	if ((size_t)taken == size)
		session->metrics->messages_out += frames;
	else
		lws_callback_on_writable(session->wsi);
	return taken;
}

static void too_slow(struct reader *reader)
{
	struct session *session = &of_reader(reader)->session;

	metrics_server(service_of(session->wsi)->metrics)->overruns++;
	session_close(session, CLOSE_TRY_AGAIN_LATER, "too slow");
}

static void expect(struct reader *reader, unsigned turns)
{
	const struct session *session = &of_reader(reader)->session;

	if (turns > 1)
		__builtin_prefetch(&session->wsi);
	else
		lws_expect_write(session->wsi);
}

static const struct reader_sink sink = {
	.write = give,
	.expect = expect,
	.overrun = too_slow,
};

static struct room_joining joining_of(const struct session *session, enum room_kind kind)
{
	return (struct room_joining){
		.flusher = service_of(session->wsi)->flusher,
		.sink = &sink,
		.name = session->user,
		.kind = kind,
		.deflated = lws_ext_pm_deflate_window_bits(session->wsi) >= DEFLATER_WINDOW_BITS,
	};
}

int room_session_join(struct room_session *rs, struct room *room, enum room_kind kind)
{
	const struct room_joining how = joining_of(&rs->session, kind);

	return room_join(room, &rs->member, &how);
}

int room_session_enter(struct room_session *rs, struct room *room, enum room_kind kind)
{
	const struct room_joining how = joining_of(&rs->session, kind);

	return room_enter(room, &rs->member, &how);
}

int room_session_listen(struct room_session *rs, enum room_kind kind)
{
	const struct room_joining how = joining_of(&rs->session, kind);

	return room_listen(&rs->member, &how);
}

/* What was said before it closes comes first. Returns what the callback must return. */
static int writable(struct lws *wsi, struct room_session *rs, void *in, size_t size)
{
	struct reader *reader = &rs->member.reader;

	session_settle(&rs->session);
	if (reader->waiting && !lws_partial_buffered(wsi)) {
		session_note_alive(&rs->session); /* it has taken what there was */
		reader_writable(reader);
	}
	if (reader->waiting)
		return 0;
	return session_callback(wsi, LWS_CALLBACK_SERVER_WRITEABLE, rs, in, size);
}

int room_session_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			  size_t size)
{
	struct room_session *rs = user;

	switch (reason) {
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return writable(wsi, rs, in, size);
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED:
		room_leave(&rs->member);
		return session_callback(wsi, reason, user, in, size);
	default:
		return session_callback(wsi, reason, user, in, size);
	}
}
