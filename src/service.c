#include "service.h"

#include "flusher.h"
#include "log.h"
#include "metrics.h"
#include "server.h"
#include "session.h"
#include "source.h"
#include "tls.h"

#include <errno.h>
#include <lws-idle.h>
#include <lws-mbedtls-configs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG_MODULE "service"

/* What one read(2) may bring. */
#define SERVICE_BUFFER (64 * 1024)

/* So long a flush may keep others waiting. */
#define FLUSH_NANOSECONDS 1000000

/* As long may all TLS handshakes together, in each turn of the loop. */
#define HANDSHAKES_MICROSECONDS 1000

/* How often a service that drains looks for connections that have become idle. */
#define CLOSING_SECONDS 0.05

struct service *service_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

const struct source *service_source_of(struct lws *wsi)
{
	return lws_get_opaque_user_data(wsi);
}

const struct config_listen *service_listen_of(struct lws *wsi)
{
	const struct source *source = service_source_of(wsi);

	return source ? source->listen : NULL;
}

bool service_speaks_tls(struct lws *wsi)
{
	const struct config_listen *listen = service_listen_of(wsi);

	return listen ? listen->tls != NULL : lws_is_ssl(wsi);
}

double service_now(struct service *service)
{
	return (double)turn_now(&service->turn) / 1e9;
}

unsigned char *service_scratch(struct service *service, size_t size)
{
	if (size > service->scratch_size) {
		unsigned char *scratch = realloc(service->scratch, size * 2);

		if (!scratch)
			return NULL;
		service->scratch = scratch;
		service->scratch_size = size * 2;
	}
	return service->scratch;
}

/* Once a turn of the loop, when nothing is left to do but to wait. */
static void on_flush(struct ev_loop *loop, struct ev_prepare *watcher, int events)
{
	struct service *service = watcher->data;

	turn_begin(&service->turn, loop);
	if (service->server->tls)
		lws_mbedtls_begin_turn(service->vhost);
	if (flusher_run(service->flusher, FLUSH_NANOSECONDS))
		ev_idle_start(loop, &service->unfinished);
	else
		ev_idle_stop(loop, &service->unfinished);
}

static void on_unfinished(struct ev_loop *loop, struct ev_idle *watcher, int events)
{
	/* That the loop has turned is all it is for. */
}

static void on_sweep(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	struct service *service = watcher->data;
	struct server_metrics *metrics = metrics_server(service->metrics);
	double now = service_now(service);
	double lag = now > service->sweep_due ? now - service->sweep_due : 0;

	metrics->loop_lag = lag;
	if (lag > metrics->loop_lag_max)
		metrics->loop_lag_max = lag;
	service->sweep_due = now + watcher->repeat;
	sockets_make_room(&service->server->sockets, service);
	lws_start_foreach_dll_safe(struct lws_dll2 *, p, next,
				   lws_dll2_get_head(&service->sessions))
	{
		session_check(lws_container_of(p, struct session, list), now);
	}
	lws_end_foreach_dll_safe(p, next);
}

bool service_is_here(const struct service *service)
{
	return pthread_equal(service->thread, pthread_self());
}

void service_wake(struct service *service)
{
	ev_async_send(service->loop, &service->wake);
}

void service_post(struct service *service, struct service_task *task)
{
	task->next = NULL;
	pthread_mutex_lock(&service->lock);
	*service->last_task = task;
	service->last_task = &task->next;
	pthread_mutex_unlock(&service->lock);
	service_wake(service);
}

/* over: the thread is, and tasks are only freed. */
static void run_tasks(struct service *service, bool over)
{
	struct service_task *task;

	pthread_mutex_lock(&service->lock);
	task = service->first_task;
	service->first_task = NULL;
	service->last_task = &service->first_task;
	pthread_mutex_unlock(&service->lock);
	while (task) {
		struct service_task *next = task->next;

		task->run(task, over ? NULL : service);
		task = next;
	}
}

/* lws has its own charge for it from here on, if it takes it. */
static void adopt(struct service *service, const struct service_connection *connection)
{
	struct sockets *sockets = &service->server->sockets;
	int on = 1;

	lws_adopt_desc_t adopted = {
		.vh = service->vhost,
		.type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP |
			(connection->source->listen->tls ? LWS_ADOPT_ALLOW_SSL : 0),
		.fd.sockfd = connection->fd,
		.opaque = connection->source,
	};

	/* Fails on a unix socket, which has no such delay. */
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	sockets_make_room(sockets, service);
	service->adopting = connection->source;
	if (!lws_adopt_descriptor_vhost_via_info(&adopted)) /* which has closed the socket */
		source_destroy(service->adopting);
	service->adopting = NULL;
	quota_release(&sockets->quota);
}

/* A connection that fails as it is adopted may have got so far, or not. */
void service_let_go(struct lws *wsi)
{
	struct service *service = service_of(wsi);
	struct source *source = lws_get_opaque_user_data(wsi);

	if (source == service->adopting)
		service->adopting = NULL;
	lws_set_opaque_user_data(wsi, NULL);
	source_destroy(source);
}

static void discard(struct server *server, const struct service_connection *connection)
{
	close(connection->fd);
	source_destroy(connection->source);
	quota_release(&server->sockets.quota);
}

struct handover {
	struct service_task task;
	struct server *server;
	size_t n;
	struct service_connection connections[];
};

static void run_handover(struct service_task *task, struct service *service)
{
	struct handover *handover = (struct handover *)task;

	for (size_t i = 0; i < handover->n; i++) {
		if (service)
			adopt(service, &handover->connections[i]);
		else
			discard(handover->server, &handover->connections[i]);
	}
	free(handover);
}

void service_adopt(struct service *service, const struct service_connection *connections, size_t n)
{
	size_t size = n * sizeof(*connections);
	struct handover *handover =
		service_is_here(service) ? NULL : malloc(sizeof(*handover) + size);

	if (handover) {
		handover->task.run = run_handover;
		handover->server = service->server;
		handover->n = n;
		memcpy(handover->connections, connections, size);
		service_post(service, &handover->task);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (service_is_here(service))
			adopt(service, &connections[i]);
		else
			discard(service->server, &connections[i]);
	}
}

static void drain(struct service *service)
{
	service->draining = true;
	flusher_run(service->flusher, 0); /* what has been said is still heard */
	lws_start_foreach_dll_safe(struct lws_dll2 *, p, next,
				   lws_dll2_get_head(&service->sessions))
	{
		session_close(lws_container_of(p, struct session, list), LWS_CLOSE_STATUS_GOINGAWAY,
			      "server going away");
	}
	lws_end_foreach_dll_safe(p, next);
	lws_callback_all_protocol_vhost_args(service->vhost, NULL, SERVICE_CALLBACK_DRAIN, NULL, 0);
	lws_close_idle(service->context);
	ev_timer_again(service->loop, &service->closing);
}

/* Their answers were promised to leave them open before it was known that the server ends. */
static void on_closing(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	struct service *service = watcher->data;

	lws_close_idle(service->context);
}

static void on_wake(struct ev_loop *loop, struct ev_async *watcher, int events)
{
	struct service *service = watcher->data;

	run_tasks(service, false);
	sockets_make_room(&service->server->sockets, service);
	if (server_is_draining(service->server) && !service->draining)
		drain(service);
	if (service->stopping)
		ev_break(loop, EVBREAK_ALL);
}

static void wake_to_flush(void *user)
{
	service_wake(user);
}

void service_stop(struct service *service)
{
	service->stopping = true;
	service_wake(service);
}

static int create_loop(struct service *service)
{
	service->loop = ev_loop_new(EVFLAG_AUTO);
	if (!service->loop)
		return -ENOMEM;
	ev_prepare_init(&service->flush, on_flush);
	ev_idle_init(&service->unfinished, on_unfinished);
	ev_timer_init(&service->sweep, on_sweep, 1., 1.);
	ev_timer_init(&service->closing, on_closing, 0., CLOSING_SECONDS);
	ev_async_init(&service->wake, on_wake);
	service->flush.data = service;
	service->sweep.data = service;
	service->closing.data = service;
	service->wake.data = service;
	ev_prepare_start(service->loop, &service->flush);
	ev_async_start(service->loop, &service->wake);
	return 0;
}

/*
 * A window of 4 KiB, and no more state than goes with it: 43 KiB for a
 * connection that has sent and received, where the defaults take 101. Nothing
 * is taken over from one message of ours to the next, so that a room's message
 * is deflated once for all its members (deflater.h).
 */
static const struct lws_extension extensions[] = {
	{"permessage-deflate", lws_extension_callback_pm_deflate,
	 "permessage-deflate; server_no_context_takeover; server_max_window_bits=12; "
	 "client_max_window_bits=12; mem_level=5; min_size=32"},
	{0},
};

static const mbedtls_ssl_config *acquire_tls(void *opaque, struct lws *wsi)
{
	struct server *server = opaque;
	const struct config_listen *listen = service_listen_of(wsi);

	return listen ? tls_acquire(server->tls, listen->tls) : NULL;
}

static void release_tls(void *opaque, const mbedtls_ssl_config *config)
{
	tls_release(config);
}

static void end_handshake(void *opaque, const mbedtls_ssl_context *ssl, int error)
{
	struct server *server = opaque;

	tls_count_handshake(server->tls, ssl, error);
}

static int create_context(struct service *service)
{
	/* We look after idle connections ourselves: lws would keep a timer for each, in one sorted list. */
	static const lws_retry_bo_t no_validity_checks = {0};
	const struct server *server = service->server;
	void *loops[] = {service->loop};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_LIBEV |
			   LWS_SERVER_OPTION_VALIDATE_UTF8,
		.foreign_loops = loops,
		.user = service,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.pprotocols = server->protocols,
		.extensions = extensions,
		.mounts = server->first_mount,
		.vhost_name = "switchboard",
		.max_http_header_data2 = server->config->limits.header_bytes,
		.timeout_secs = server->config->limits.handshake_seconds,
		.timeout_secs_ah_idle = server->config->limits.handshake_seconds,
		.keepalive_timeout = (int)server->config->limits.idle_seconds,
		.pt_serv_buf_size = SERVICE_BUFFER,
		.retry_and_idle_policy = &no_validity_checks,
	};

	const struct lws_mbedtls_configs configs = {
		.acquire = acquire_tls,
		.release = release_tls,
		.done = end_handshake,
		.opaque = service->server,
		.turn_us = HANDSHAKES_MICROSECONDS,
	};

	if (server->tls)
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
				LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
	service->context = lws_create_context(&info);
	if (!service->context)
		return -ENOMEM;
	service->vhost = lws_create_vhost(service->context, &info);
	if (!service->vhost)
		return -ENOMEM;
	if (server->tls)
		lws_mbedtls_set_configs(service->vhost, &configs);
	/* Or lws would prepare the protocols only once the loop is idle, maybe after the first requests. */
	lws_service_adjust_timeout(service->context, 1, 0);
	return 0;
}

int service_init(struct service *service, struct server *server, unsigned index)
{
	int r;

	service->server = server;
	service->index = index;
	service->last_task = &service->first_task;
	turn_init(&service->turn);
	pthread_mutex_init(&service->lock, NULL);
	service->flusher = flushers_at(server->flushers, index);
	r = metrics_create(&service->metrics);
	if (!r)
		r = create_loop(service);
	if (r < 0)
		return r;
	metrics_server(service->metrics)->threads = 1;
	flusher_set_wake(service->flusher, wake_to_flush, service);
	return create_context(service);
}

/* The sessions that are still open leave their rooms as this closes them. */
void service_close(struct service *service)
{
	if (service->context)
		lws_context_destroy(service->context);
	service->context = NULL;
}

void service_discard_tasks(struct service *service)
{
	if (service->server)
		run_tasks(service, true);
}

void service_finish(struct service *service)
{
	if (!service->server)
		return;
	run_tasks(service, true);
	metrics_destroy(service->metrics);
	if (service->loop)
		ev_loop_destroy(service->loop);
	pthread_mutex_destroy(&service->lock);
	free(service->scratch);
}

/* To a core of those that it may use: the first service to the first one, and so on, round and round. */
static void pin(const struct service *service)
{
	cpu_set_t cores, one;
	size_t core = 0;
	unsigned left;

	if (sched_getaffinity(0, sizeof(cores), &cores) < 0)
		return;
	left = service->index % (unsigned)CPU_COUNT(&cores);
	while (!CPU_ISSET(core, &cores) || left--)
		core++;
	CPU_ZERO(&one);
	CPU_SET(core, &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0)
		log_warning("can't stay on core %zu: %s", core, strerror(errno));
}

void service_run(struct service *service)
{
	if (service->server->config->pin_threads)
		pin(service);
	flusher_enter(service->flusher);
	service->sweep_due = service_now(service) + 1.;
	ev_timer_start(service->loop, &service->sweep);
	ev_run(service->loop, 0);
	service_close(service);
}

static void *run(void *service)
{
	service_run(service);
	return NULL;
}

/* Signals are for the thread that has the server's loop. */
int service_start(struct service *service)
{
	sigset_t all, before;
	char name[16];
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&service->thread, NULL, run, service);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		return -r;
	snprintf(name, sizeof(name), "service-%u", service->index);
	pthread_setname_np(service->thread, name);
	return 0;
}

void service_join(struct service *service)
{
	pthread_join(service->thread, NULL);
}
