#include "proxy-wait.h"

#include "proxy-protocol.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct proxy_waiting {
	struct proxy_waiting *next, **link; /* what points here */
	struct proxy_wait *wait;
	struct ev_io readable;
	struct ev_timer limit;
	int fd;
	char peer[ADDRESS_PEER_SIZE];
	size_t size; /* that has been read, all of it the header's */
	unsigned char header[PROXY_PROTOCOL_MAX];
};

static void end(struct proxy_waiting *waiting, bool is_good)
{
	struct proxy_wait *wait = waiting->wait;

	ev_io_stop(wait->loop, &waiting->readable);
	ev_timer_stop(wait->loop, &waiting->limit);
	*waiting->link = waiting->next;
	if (waiting->next)
		waiting->next->link = waiting->link;
	wait->done(wait->user, waiting->fd, is_good ? waiting->peer : NULL);
	free(waiting);
}

/* Takes so much from the socket that is known to be there and the header's: nothing stays that would wake the loop. */
static bool take(struct proxy_waiting *waiting, size_t size)
{
	ssize_t n = recv(waiting->fd, waiting->header + waiting->size, size, MSG_DONTWAIT);

	waiting->size += size;
	return n == (ssize_t)size;
}

/* Returns 1 where the header is whole, 0 where it isn't yet, or -1. */
static int read_more(struct proxy_waiting *waiting)
{
	unsigned char *more = waiting->header + waiting->size;
	ssize_t n = recv(waiting->fd, more, sizeof(waiting->header) - waiting->size,
			 MSG_PEEK | MSG_DONTWAIT);
	int size;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	size = proxy_protocol_read(waiting->header, waiting->size + (size_t)n, waiting->peer);
	if (size < 0)
		return -1;
	return take(waiting, size ? (size_t)size - waiting->size : (size_t)n) ? size > 0 : -1;
}

static void go_on(struct proxy_waiting *waiting)
{
	int r = read_more(waiting);

	if (r)
		end(waiting, r > 0);
}

static void on_readable(struct ev_loop *loop, struct ev_io *watcher, int events)
{
	go_on(watcher->data);
}

static void on_limit(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	end(watcher->data, false);
}

void proxy_wait_for(struct proxy_wait *wait, int fd, const char *peer)
{
	struct proxy_waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting) {
		wait->done(wait->user, fd, NULL);
		return;
	}
	waiting->wait = wait;
	waiting->fd = fd;
	snprintf(waiting->peer, sizeof(waiting->peer), "%s", peer);
	waiting->next = wait->first;
	waiting->link = &wait->first;
	if (waiting->next)
		waiting->next->link = &waiting->next;
	wait->first = waiting;
	ev_io_init(&waiting->readable, on_readable, fd, EV_READ);
	ev_timer_init(&waiting->limit, on_limit, wait->seconds, 0.);
	waiting->readable.data = waiting;
	waiting->limit.data = waiting;
	ev_io_start(wait->loop, &waiting->readable);
	ev_timer_start(wait->loop, &waiting->limit);
	go_on(waiting); /* most of the time it has come along with the connection */
}

void proxy_wait_finish(struct proxy_wait *wait)
{
	struct proxy_waiting *waiting = wait->first;

	while (waiting) {
		struct proxy_waiting *next = waiting->next;

		end(waiting, false);
		waiting = next;
	}
}
