#include "server.h"

#include "auth.h"
#include "bans-journal.h"
#include "flusher.h"
#include "journal.h"
#include "limiter.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "metrics.h"
#include "presence.h"
#include "rate.h"
#include "rooms.h"
#include "session.h"
#include "tls.h"
#include "worker.h"

#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define LOG_MODULE "server"

/* File descriptors beyond those of WebSocket connections, and a quarter of these: HTTP, listeners, files. */
#define SPARE_DESCRIPTORS 4096

#define DRAIN_SECONDS 3.

/* People who are typing at a time. */
#define TYPING_MAX 100000

/* Bans and mutes at a time. */
#define BANS_MAX 100000

/* Threads of the worker: as many readings of the disk at a time. */
#define WORKERS 4

/* So many connections are a crowd. */
#define CROWD 1000

/* How often it is looked whether a crowd has gone, and at the certificates' files. */
#define TIDY_SECONDS 1.
#define WATCH_SECONDS 10.

struct server *server_of(struct lws *wsi)
{
	return service_of(wsi)->server;
}

struct ev_loop *server_loop(const struct server *server)
{
	return server->services[0].loop;
}

bool server_is_draining(const struct server *server)
{
	return server->draining;
}

static void on_lws_log(int level, const char *line)
{
	size_t size = strcspn(line, "\n");

	if (level & LLL_ERR)
		log_write(LOG_LEVEL_WARNING, "lws", "%.*s", (int)size, line);
	else
		log_write(LOG_LEVEL_DEBUG, "lws", "%.*s", (int)size, line);
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

static void on_tidy(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	struct server *server = watcher->data;

	presence_flush(server->presence);
	give_back_memory(server);
	sockets_report(&server->sockets);
}

/* Answers that are on their way are waited for like WebSockets, which have a last word to say. */
static bool is_drained(const struct server *server)
{
	return server->draining && !server->sockets.open;
}

void server_connection_closed(struct server *server)
{
	if (is_drained(server))
		service_stop(&server->services[0]);
}

static void on_drain_limit(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	struct server *server = watcher->data;

	log_notice("%u connections did not close in time", server->sockets.open);
	ev_break(loop, EVBREAK_ALL);
}

static void drain(struct server *server)
{
	server->draining = true;
	listener_close(server->listeners);
	server->listeners = NULL;
	log_notice("draining, %u connections to close", server->sockets.open);
	for (size_t i = 0; i < server->n_services; i++)
		service_wake(&server->services[i]);
	ev_timer_start(server_loop(server), &server->drain_limit);
	if (is_drained(server))
		service_stop(&server->services[0]);
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
	rlim_t wanted = (rlim_t)max_connections + max_connections / 4 + SPARE_DESCRIPTORS;
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

static void init_watchers(struct server *server)
{
	ev_timer_init(&server->tidy, on_tidy, TIDY_SECONDS, TIDY_SECONDS);
	ev_timer_init(&server->drain_limit, on_drain_limit, DRAIN_SECONDS, 0.);
	ev_timer_init(&server->watch_files, on_watch_files, WATCH_SECONDS, WATCH_SECONDS);
	ev_signal_init(&server->hung_up, on_hangup, SIGHUP);
	ev_signal_init(&server->interrupted, on_signal, SIGINT);
	ev_signal_init(&server->terminated, on_signal, SIGTERM);
	server->tidy.data = server;
	server->drain_limit.data = server;
	server->watch_files.data = server;
	server->hung_up.data = server;
	server->interrupted.data = server;
	server->terminated.data = server;
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

static int create_tls(struct server *server)
{
	for (size_t i = 0; i < server->config->n_listen; i++)
		if (server->config->listen[i].tls)
			return tls_create(&server->tls, server->metrics);
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
	journal_limit_age(server->journal, config->chat.history_seconds);
	journal_limit_bytes(server->journal, config->chat.journal_bytes);
	journal_limit_rooms(server->journal, config->chat.max_kept_rooms);
	r = flushers_create(&server->flushers, server->n_services);
	if (!r)
		r = rooms_create(&server->rooms, server->journal, server->flushers, message_encode,
				 config->chat.ring_bytes);
	if (!r)
		rooms_limit(server->rooms, config->chat.max_rooms);
	if (!r)
		r = presence_create(&server->presence, config->chat.presence_merge);
	if (!r && rooms_may_wait(server->rooms)) /* else libc may leave its locks alone */
		r = worker_create(&server->worker, WORKERS);
	return r;
}

static int create_rates(struct server *server)
{
	int r = limiter_create(&server->limiter, server->config);

	if (!r)
		r = rate_table_create(&server->typing_rates, rate_limit(1, 1, 1), TYPING_MAX);
	return r;
}

/* Those who are banned are so before anybody is let in. */
static int create_bans(struct server *server)
{
	int r = bans_create(&server->bans, BANS_MAX);

	if (!r)
		r = bans_restore(server->bans, server->journal);
	if (r < 0)
		log_error("can't read the bans: %s", strerror(-r));
	return r;
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

static int create_services(struct server *server)
{
	int r = 0;

	for (size_t i = 0; !r && i < server->n_services; i++)
		r = service_init(&server->services[i], server, (unsigned)i);
	return r;
}

static int build(struct server *server, const struct lws_http_mount *mounts)
{
	int r = metrics_create(&server->metrics);

	if (!r)
		r = create_rooms(server);
	if (!r)
		r = create_rates(server);
	if (!r)
		r = auth_create(&server->auth, server->config->auth);
	if (!r)
		r = create_bans(server);
	if (!r)
		r = create_mounts(server, server->protocols, mounts);
	if (!r)
		r = create_tls(server);
	if (!r)
		r = create_services(server);
	if (!r)
		r = listen_everywhere(server);
	return r;
}

/* As many as the config says, or as there are cores for this process. */
static size_t count_threads(const struct config *config)
{
	cpu_set_t cores;

	if (config->threads)
		return config->threads;
	if (sched_getaffinity(0, sizeof(cores), &cores) < 0)
		return 1;
	return (size_t)CPU_COUNT(&cores);
}

int server_create(struct server **serverp, const struct config *config,
		  const struct lws_protocols **protocols, const struct lws_http_mount *mounts)
{
	size_t n = count_threads(config);
	struct server *server = calloc(1, sizeof(*server) + n * sizeof(server->services[0]));
	int r;

	if (!server)
		return -ENOMEM;
	server->config = config;
	server->protocols = protocols;
	server->n_services = n;
	server->connections.max = config->limits.max_connections;
	server->pending.max = config->limits.pending_bytes;
	raise_descriptor_limit(config->limits.max_connections);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log or a journal that may not grow fails alone */
	lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
	init_watchers(server);
	r = build(server, mounts);
	if (r >= 0)
		sockets_init(&server->sockets, server->metrics);
	if (r < 0) {
		server_destroy(server);
		return r;
	}
	flusher_enter(server->services[0].flusher);
	*serverp = server;
	return 0;
}

void server_destroy(struct server *server)
{
	if (!server)
		return;
	listener_close(server->listeners);
	for (size_t i = 0; i < server->n_services; i++)
		service_close(&server->services[i]);
	presence_destroy(server->presence);
	worker_destroy(server->worker);
	for (size_t i = 0; i < server->n_services; i++)
		service_discard_tasks(&server->services[i]); /* which may hold rooms */
	if (server->rooms)
		rooms_wait(server->rooms);
	for (size_t i = 0; i < server->n_services; i++)
		service_finish(&server->services[i]);
	rate_table_destroy(server->typing_rates);
	limiter_destroy(server->limiter);
	bans_destroy(server->bans);
	auth_destroy(server->auth);
	tls_destroy(server->tls);
	sockets_finish(&server->sockets);
	rooms_destroy(server->rooms);
	flushers_destroy(server->flushers);
	journal_destroy(server->journal);
	metrics_destroy(server->metrics);
	free(server->mounts);
	free(server);
}

static void start_watchers(struct server *server)
{
	struct ev_loop *loop = server_loop(server);

	ev_timer_start(loop, &server->tidy);
	if (server->tls)
		ev_timer_start(loop, &server->watch_files);
	ev_signal_start(loop, &server->hung_up);
	ev_signal_start(loop, &server->interrupted);
	ev_signal_start(loop, &server->terminated);
}

/* Returns how many run. One that can't be had is no reason not to serve with the others. */
static size_t start_threads(struct server *server)
{
	for (size_t i = 1; i < server->n_services; i++) {
		int r = service_start(&server->services[i]);

		if (r < 0) {
			log_error("can't start service thread %zu: %s", i, strerror(-r));
			return i;
		}
	}
	return server->n_services;
}

/* Threads close what is still open on their own, side by side: one may have to wait for another one's readers. */
void server_run(struct server *server)
{
	server->services[0].thread = pthread_self();
	server->n_running = start_threads(server);
	start_watchers(server);
	listener_start(server->listeners);
	service_run(&server->services[0]);
	/* From here on a signal does what it does to any process: nothing else could end one whose thread never comes back. */
	ev_signal_stop(server_loop(server), &server->interrupted);
	ev_signal_stop(server_loop(server), &server->terminated);
	for (size_t i = 1; i < server->n_running; i++)
		service_stop(&server->services[i]);
	for (size_t i = 1; i < server->n_running; i++)
		service_join(&server->services[i]);
}
