/*
 * Idle connections, for an application that runs out of descriptors or is about
 * to end (lws-idle.h). lws itself knows only a timeout for each.
 *
 * Distributed under the MIT License, like libwebsockets.
 */
#include "private-lib-core.h"

#include "lws-idle.h"

/* At most so many are looked for in one go over all connections. */
#define IDLE_AT_ONCE 64

struct idle {
	struct lws *wsi;
	lws_usec_t since;
};

/* Whether it waits for a request, or for the rest of its head. */
static int
idle_waits(struct lws *wsi)
{
	if (lwsi_state(wsi) != LRS_ESTABLISHED && lwsi_state(wsi) != LRS_HEADERS)
		return 0;

	return !wsi->hdr_parsing_completed && !lws_has_buffered_out(wsi) &&
	       !lws_buflist_next_segment_len(&wsi->buflist, NULL);
}

/* A request that has come and was not read yet is none of its fault. */
static int
idle_has_request(struct lws *wsi)
{
	char c;

	return lwsi_state(wsi) != LRS_SSL_ACK_PENDING &&
	       recv(wsi->desc.sockfd, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Since when; 0: it isn't, or hasn't had its time. The timeout was set when it began to wait. */
static lws_usec_t
idle_since(struct lws *wsi, lws_usec_t grace_until)
{
	lws_usec_t since;
	int secs = (int)wsi->a.context->timeout_secs;

	if (!lwsi_role_h1(wsi) || !lwsi_role_server(wsi) || !wsi->timeout_at)
		return 0;
	if (lwsi_state(wsi) != LRS_SSL_ACK_PENDING && !idle_waits(wsi))
		return 0;
	if (wsi->pending_timeout == PENDING_TIMEOUT_HTTP_KEEPALIVE_IDLE) {
		secs = wsi->a.vhost->keepalive_timeout;
		grace_until = 0;
	}
	since = wsi->timeout_at - (lws_usec_t)secs * LWS_US_PER_SEC;

	return grace_until && since > grace_until ? 0 : since;
}

/* list is sorted, the longest idle first. Returns its new length. */
static size_t
idle_insert(struct idle *list, size_t n, size_t max, struct idle fresh)
{
	size_t i;

	if (n == max && list[n - 1].since <= fresh.since)
		return n;
	if (n < max)
		n++;
	for (i = n - 1; i && list[i - 1].since > fresh.since; i--)
		list[i] = list[i - 1];
	list[i] = fresh;

	return n;
}

static void
idle_close(struct lws *wsi)
{
	wsi->socket_is_permanently_unusable = 1; /* nothing is to be said any more */
	lws_close_free_wsi(wsi, LWS_CLOSE_STATUS_NOSTATUS, "idle");
}

size_t
lws_close_longest_idle(struct lws_context *context, size_t max, lws_usec_t grace_us)
{
	struct lws_context_per_thread *pt = &context->pt[0];
	lws_usec_t grace_until = lws_now_usecs() - grace_us;
	struct idle list[IDLE_AT_ONCE];
	size_t n = 0, closed = 0, i;
	unsigned int k;

	if (max > IDLE_AT_ONCE)
		max = IDLE_AT_ONCE;
	for (k = 0; max && k < pt->fds_count; k++) {
		struct lws *wsi = wsi_from_fd(context, pt->fds[k].fd);
		lws_usec_t since = wsi ? idle_since(wsi, grace_until) : 0;

		if (since)
			n = idle_insert(list, n, max, (struct idle){ wsi, since });
	}
	for (i = 0; i < n; i++) {
		if (idle_has_request(list[i].wsi))
			continue;
		idle_close(list[i].wsi);
		closed++;
	}

	return closed;
}

void
lws_close_idle(struct lws_context *context)
{
	struct lws_context_per_thread *pt = &context->pt[0];
	unsigned int k = pt->fds_count;

	/* from the end: the last one takes the place of one that is gone */
	while (k--) {
		struct lws *wsi = wsi_from_fd(context, pt->fds[k].fd);

		if (wsi && idle_since(wsi, 0) && !idle_has_request(wsi))
			idle_close(wsi);
	}
}

void
lws_http_no_keep_alive(struct lws *wsi)
{
	wsi->http.conn_type = HTTP_CONNECTION_CLOSE;
}
