#include "server.h"

#include "journal.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "metrics.h"
#include "room.h"
#include "session.h"
#include "tls.h"

#include <errno.h>
#include <lws-mbedtls-configs.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define LOG_MODULE "server"

/* Bytes of a room's wire log: what a slow member may be behind, beyond what the kernel holds for it. */
#define ROOM_RING (256 * 1024)

/* What one read(2) may bring. */
#define SERVICE_BUFFER (64 * 1024)

/* File descriptors beyond those of WebSocket connections: HTTP, listeners, files. */
#define SPARE_DESCRIPTORS 4096

#define DRAIN_SECONDS 3.

/* So many connections are a crowd. */
#define CROWD 1000

/* How often the certificates' files are looked at. */
#define WATCH_SECONDS 10.

struct server *server_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

const struct config_listen *server_listen_of(struct lws *wsi)
{
	return lws_get_opaque_user_data(wsi);
}

double server_now(const struct server *server)
{
	return ev_now(server->loop);
}

bool server_is_draining(const struct server *server)
{
	return server->draining;
}

unsigned char *server_scratch(struct server *server, size_t size)
{
	if (size > server->scratch_size) {
		unsigned char *scratch = realloc(server->scratch, size * 2);

		if (!scratch)
			return NULL;
		server->scratch = scratch;
		server->scratch_size = size * 2;
	}
	return server->scratch;
}

static void on_lws_log(int level, const char *line)
{
	size_t size = strcspn(line, "\n");

	if (level & LLL_ERR)
		log_write(LOG_LEVEL_WARNING, "lws", "%.*s", (int)size, line);
	else
		log_write(LOG_LEVEL_DEBUG, "lws", "%.*s", (int)size, line);
}

/* Once a turn of the loop, when nothing is left to do but to wait. */
static void on_flush(struct ev_loop *loop, struct ev_prepare *watcher, int events)
{
	struct server *server = watcher->data;

	rooms_flush(server->rooms);
}

/* What a crowd has left behind goes back to the system: malloc keeps it otherwise. */
static void give_back_memory(struct server *server)
{
	unsigned used = server->connections.used;

	if (used > server->crowd)
		server->crowd = used;
	if (server->crowd < CROWD || used > server->crowd / 2)
		return;
	malloc_trim(0);
	server->crowd = used;
}

static void on_sweep(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	struct server *server = watcher->data;
	struct server_metrics *metrics = metrics_server(server->metrics);
	double now = ev_now(loop);

	metrics->loop_lag = now > server->sweep_due ? now - server->sweep_due : 0;
	if (metrics->loop_lag > metrics->loop_lag_max)
		metrics->loop_lag_max = metrics->loop_lag;
	server->sweep_due = now + watcher->repeat;
	give_back_memory(server);

	lws_start_foreach_dll_safe(struct lws_dll2 *, p, next, lws_dll2_get_head(&server->sessions))
	{
		session_check_idle(lws_container_of(p, struct session, list), now,
				   server->config->limits.idle_seconds);
	}
	lws_end_foreach_dll_safe(p, next);
}

static void stop_if_drained(struct server *server)
{
	if (server->draining && !server->sessions.count)
		ev_break(server->loop, EVBREAK_ALL);
}

void server_session_closed(struct server *server)
{
	stop_if_drained(server);
}

static void on_drain_limit(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	struct server *server = watcher->data;

	log_notice("%u connections did not close in time", server->sessions.count);
	ev_break(loop, EVBREAK_ALL);
}

static void drain(struct server *server)
{
	server->draining = true;
	rooms_flush(server->rooms); /* what has been said is still heard */
	listener_close(server->listeners);
	server->listeners = NULL;
	log_notice("draining, %u connections to close", server->sessions.count);
	lws_start_foreach_dll_safe(struct lws_dll2 *, p, next, lws_dll2_get_head(&server->sessions))
	{
		session_close(lws_container_of(p, struct session, list), LWS_CLOSE_STATUS_GOINGAWAY,
			      "server going away");
	}
	lws_end_foreach_dll_safe(p, next);
	ev_timer_start(server->loop, &server->drain_limit);
	stop_if_drained(server);
}

static void on_signal(struct ev_loop *loop, struct ev_signal *watcher, int events)
{
	struct server *server = watcher->data;

	log_notice("%s", watcher->signum == SIGINT ? "SIGINT" : "SIGTERM");
	if (server->draining)
		ev_break(loop, EVBREAK_ALL);
	else
		drain(server);
}

static void on_hangup(struct ev_loop *loop, struct ev_signal *watcher, int events)
{
	struct server *server = watcher->data;

	log_notice("SIGHUP");
	if (server->tls)
		tls_reload(server->tls);
}

static void on_watch_files(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	struct server *server = watcher->data;

	tls_reload_changed(server->tls);
}

/* Every connection is a file descriptor: as many as the config allows, if the system does. */
static void raise_descriptor_limit(unsigned max_connections)
{
	rlim_t wanted = max_connections + SPARE_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	if (limit.rlim_max < max_connections)
		log_warning(
			"limits.max_connections is %u, but the system allows only %llu open files",
			max_connections, (unsigned long long)limit.rlim_max);
	if (limit.rlim_max < wanted)
		wanted = limit.rlim_max;
	limit.rlim_cur = wanted;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int create_loop(struct server *server)
{
	server->loop = ev_loop_new(EVFLAG_AUTO);
	if (!server->loop)
		return -ENOMEM;
	ev_prepare_init(&server->flush, on_flush);
	ev_timer_init(&server->sweep, on_sweep, 1., 1.);
	ev_timer_init(&server->drain_limit, on_drain_limit, DRAIN_SECONDS, 0.);
	ev_timer_init(&server->watch_files, on_watch_files, WATCH_SECONDS, WATCH_SECONDS);
	ev_signal_init(&server->hung_up, on_hangup, SIGHUP);
	ev_signal_init(&server->interrupted, on_signal, SIGINT);
	ev_signal_init(&server->terminated, on_signal, SIGTERM);
	server->flush.data = server;
	server->sweep.data = server;
	server->drain_limit.data = server;
	server->watch_files.data = server;
	server->hung_up.data = server;
	server->interrupted.data = server;
	server->terminated.data = server;
	return 0;
}

/* Endpoints are mounted where their rows in the protocol table say, in front of all other mounts. */
static int create_mounts(struct server *server, const struct lws_protocols **protocols,
			 const struct lws_http_mount *mounts)
{
	size_t n = 0;

	while (protocols[n])
		n++;
	server->mounts = calloc(n + 1, sizeof(*server->mounts));
	if (!server->mounts)
		return -ENOMEM;
	server->first_mount = mounts;
	for (size_t i = 0; i < n; i++) {
		const struct endpoint *endpoint = protocols[i]->user;

		if (!endpoint || !endpoint->path)
			continue;
		server->mounts[i] = (struct lws_http_mount){
			.mount_next = server->first_mount,
			.mountpoint = endpoint->path,
			.mountpoint_len = (unsigned char)strlen(endpoint->path),
			.origin = protocols[i]->name,
			.origin_protocol = LWSMPRO_CALLBACK,
			.protocol = protocols[i]->name,
			.exact = 1,
		};
		server->first_mount = &server->mounts[i];
	}
	return 0;
}

/*
 * A window of 4 KiB, and no more state than goes with it: 43 KiB for a
 * connection that has sent and received, where the defaults take 101.
 */
static const struct lws_extension extensions[] = {
	{"permessage-deflate", lws_extension_callback_pm_deflate,
	 "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12; mem_level=5; "
	 "min_size=32"},
	{0},
};

static const mbedtls_ssl_config *acquire_tls(void *opaque, struct lws *wsi)
{
	struct server *server = opaque;

	return tls_acquire(server->tls, server_listen_of(wsi)->tls);
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

static int create_tls(struct server *server)
{
	for (size_t i = 0; i < server->config->n_listen; i++)
		if (server->config->listen[i].tls)
			return tls_create(&server->tls, server->metrics);
	return 0;
}

static int create_context(struct server *server, const struct lws_protocols **protocols)
{
	/* We look after idle connections ourselves: lws would keep a timer for each, in one sorted list. */
	static const lws_retry_bo_t no_validity_checks = {0};
	void *loops[] = {server->loop};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_LIBEV |
			   LWS_SERVER_OPTION_VALIDATE_UTF8,
		.foreign_loops = loops,
		.user = server,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.pprotocols = protocols,
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
		.opaque = server,
	};

	if (server->tls)
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
				LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX;
	lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
	server->context = lws_create_context(&info);
	if (!server->context)
		return -ENOMEM;
	server->vhost = lws_create_vhost(server->context, &info);
	if (!server->vhost)
		return -ENOMEM;
	if (server->tls)
		lws_mbedtls_set_configs(server->vhost, &configs);
	/* Or lws would prepare the protocols only once the loop is idle, maybe after the first requests. */
	lws_service_adjust_timeout(server->context, 1, 0);
	return 0;
}

static int create_rooms(struct server *server)
{
	const struct config *config = server->config;
	int r = journal_create(&server->journal, config->chat.journal, config->chat.history);

	if (r < 0) {
		log_error("can't open the journal %s: %s", config->chat.journal, strerror(-r));
		return r;
	}
	return rooms_create(&server->rooms, server->journal, message_encode, ROOM_RING);
}

static int listen_everywhere(struct server *server)
{
	for (size_t i = 0; i < server->config->n_listen; i++) {
		int r = listener_open(&server->listeners, server, &server->config->listen[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int build(struct server *server, const struct lws_protocols **protocols,
		 const struct lws_http_mount *mounts)
{
	int r = metrics_create(&server->metrics);

	if (!r)
		r = create_loop(server);
	if (!r)
		r = create_rooms(server);
	if (!r)
		r = create_tls(server);
	if (!r)
		r = create_mounts(server, protocols, mounts);
	if (!r)
		r = create_context(server, protocols);
	if (!r)
		r = listen_everywhere(server);
	return r;
}

int server_create(struct server **serverp, const struct config *config,
		  const struct lws_protocols **protocols, const struct lws_http_mount *mounts)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->config = config;
	server->connections.max = config->limits.max_connections;
	raise_descriptor_limit(config->limits.max_connections);
	signal(SIGPIPE, SIG_IGN);
	r = build(server, protocols, mounts);
	if (r < 0) {
		server_destroy(server);
		return r;
	}
	*serverp = server;
	return 0;
}

void server_destroy(struct server *server)
{
	if (!server)
		return;
	listener_close(server->listeners);
	if (server->context)
		lws_context_destroy(server->context);
	tls_destroy(server->tls);
	rooms_destroy(server->rooms);
	journal_destroy(server->journal);
	metrics_destroy(server->metrics);
	if (server->loop)
		ev_loop_destroy(server->loop);
	free(server->mounts);
	free(server->scratch);
	free(server);
}

void server_run(struct server *server)
{
	ev_prepare_start(server->loop, &server->flush);
	ev_timer_start(server->loop, &server->sweep);
	if (server->tls)
		ev_timer_start(server->loop, &server->watch_files);
	ev_signal_start(server->loop, &server->hung_up);
	ev_signal_start(server->loop, &server->interrupted);
	ev_signal_start(server->loop, &server->terminated);
	server->sweep_due = ev_now(server->loop) + 1.;
	listener_start(server->listeners);
	ev_run(server->loop, 0);
	ev_prepare_stop(server->loop, &server->flush);
	ev_timer_stop(server->loop, &server->sweep);
	ev_timer_stop(server->loop, &server->drain_limit);
	ev_timer_stop(server->loop, &server->watch_files);
	ev_signal_stop(server->loop, &server->hung_up);
	ev_signal_stop(server->loop, &server->interrupted);
	ev_signal_stop(server->loop, &server->terminated);
	log_notice("stopped");
}
