#pragma once

#include "turn.h"

#include <ev.h>
#include <libwebsockets.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A service thread: an lws context with one vhost on a libev loop of its own.
 * A connection lives on one of them from its first byte to its last. Nothing
 * here is shared but what the comments name; what all threads share is in
 * struct server.
 *
 * lws can serve one context with several threads, too. A context for each is
 * simpler: none of its code has to be safe against other threads, no lock is
 * on any connection's way, and what one thread does to its context no other one
 * can notice.
 */

/* To every connection, of the protocol that it is bound to, as the server begins to drain: streams without end end now. */
#define SERVICE_CALLBACK_DRAIN LWS_CALLBACK_USER

struct config_listen;
struct flusher;
struct metrics;
struct server;
struct service;
struct source;

/*
 * Something for another service thread to do, which is also the way to hand over
 * what belongs to it. Begins whatever else run() needs, which also frees it.
 */
struct service_task {
	struct service_task *next;
	/* service is NULL where its thread is over: nothing is left to do but to free. */
	void (*run)(struct service_task *task, struct service *service);
};

/* A connection that has been accepted. */
struct service_connection {
	int fd;
	struct source *source; /* its own */
};

struct service {
	struct server *server;
	unsigned index;
	struct ev_loop *loop;
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct metrics *metrics;
	struct flusher *flusher;
	struct lws_dll2_owner sessions;
	struct turn turn;
	unsigned char *scratch;
	size_t scratch_size;
	struct ev_prepare flush;
	struct ev_idle unfinished; /* keeps the loop from waiting while there is more to flush */
	struct ev_timer sweep;
	double sweep_due;
	double nobody_idle_until; /* see sockets_make_room() */
	struct source *adopting;  /* of the connection that lws is being given */
	bool draining;
	struct ev_timer closing; /* of connections that become idle while it drains */
	pthread_t thread;
	/* Other threads use these: see service_wake() and service_post(). */
	struct ev_async wake;
	_Atomic bool stopping;
	pthread_mutex_t lock; /* of the tasks */
	struct service_task *first_task;
	struct service_task **last_task; /* the link behind the last one */
};

/*
 * Builds everything but the server's tables, which must be there. Nothing
 * happens before the loop runs. Returns 0 or -errno.
 */
int service_init(struct service *service, struct server *server, unsigned index);

/* Closes all connections; the thread is over or about to be. Tasks still come in. */
void service_close(struct service *service);

/* Frees the tasks that are still to do, as service_finish() does those that come after; the thread is over. */
void service_discard_tasks(struct service *service);

/* Frees everything; nobody posts a task any more. */
void service_finish(struct service *service);

/* Serves on the calling thread, which is the service's, until it is stopped, then closes what is still open. */
void service_run(struct service *service);

/* The same on a thread of its own. Returns 0 or -errno. */
int service_start(struct service *service);

/* Any thread may call these. service_stop() waits for a thread that service_start() has made. */
void service_wake(struct service *service);
void service_stop(struct service *service);
void service_join(struct service *service);

/* Gives a task to a service, which runs it on its thread, in the order of posting. Any thread. */
void service_post(struct service *service, struct service_task *task);

/* The connection is no more: for LWS_CALLBACK_WSI_DESTROY. */
void service_let_go(struct lws *wsi);

/* Gives it connections to serve, each charged to the server's quota of sockets. Any thread. What can't be taken is closed. */
void service_adopt(struct service *service, const struct service_connection *connections, size_t n);

/* Whether the calling thread is the service's. */
bool service_is_here(const struct service *service);

/* The service that a connection belongs to. */
struct service *service_of(struct lws *wsi);

/* Where a connection has come from; NULL: that isn't known. */
const struct source *service_source_of(struct lws *wsi);

/* What the config says of the address that a connection came in by. */
const struct config_listen *service_listen_of(struct lws *wsi);

/* Whether it speaks TLS. lws_is_ssl() says so of all connections where one address does. */
bool service_speaks_tls(struct lws *wsi);

/* The monotonic clock in seconds, as of this turn: what has passed doesn't depend on what time it is. */
double service_now(struct service *service);

/* Memory of at least that size until the next call; NULL: out of memory. */
unsigned char *service_scratch(struct service *service, size_t size);
