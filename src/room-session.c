#include "room-session.h"

#include "metrics.h"
#include "server.h"

#define CLOSE_TRY_AGAIN_LATER 1013

static struct room_session *of_member(struct member *member)
{
	return lws_container_of(member, struct room_session, member);
}

/* The bytes are frames already, so lws has nothing to add to them. */
static int write_frames(struct member *member, const void *bytes, size_t size)
{
	struct session *session = &of_member(member)->session;
	unsigned char *p = (unsigned char *)(uintptr_t)bytes;

	if (session->close_code == LWS_CLOSE_STATUS_ABNORMAL_CLOSE)
		return -1; /* a write has failed */
	if (lws_write(session->wsi, p, size, LWS_WRITE_RAW) < 0) {
		session_close(session, LWS_CLOSE_STATUS_ABNORMAL_CLOSE, "write failed");
		return -1;
	}
	session->metrics->messages_out += member_count_frames(member);
	session->metrics->bytes_out += size;
	if (!lws_partial_buffered(session->wsi))
		return 0;
	lws_callback_on_writable(session->wsi);
	return 1;
}

static void too_slow(struct member *member)
{
	struct session *session = &of_member(member)->session;

	metrics_server(server_of(session->wsi)->metrics)->overruns++;
	room_leave(member);
	session_close(session, CLOSE_TRY_AGAIN_LATER, "too slow");
}

static const struct member_sink sink = {
	.write = write_frames,
	.overrun = too_slow,
};

int room_session_join(struct room_session *rs, struct room *room)
{
	return room_join(room, &rs->member, &sink, rs->session.user);
}

/* What was said before it closes comes first. Returns what the callback must return. */
static int writable(struct lws *wsi, struct room_session *rs, void *in, size_t size)
{
	if (rs->member.waiting && !lws_partial_buffered(wsi)) {
		session_note_alive(&rs->session); /* it has taken what there was */
		member_writable(&rs->member);
	}
	if (rs->member.waiting && rs->session.close_code != LWS_CLOSE_STATUS_ABNORMAL_CLOSE)
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
