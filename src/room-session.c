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

	if (session->close_code)
		return -1;
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

int room_session_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			  size_t size)
{
	struct room_session *rs = user;
	int r;

	switch (reason) {
	case LWS_CALLBACK_SERVER_WRITEABLE:
		r = session_callback(wsi, reason, user, in, size);
		if (!r && !lws_partial_buffered(wsi))
			member_writable(&rs->member);
		return r;
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED:
		room_leave(&rs->member);
		return session_callback(wsi, reason, user, in, size);
	default:
		return session_callback(wsi, reason, user, in, size);
	}
}
