#include "listener.h"

#include "address.h"
#include "config-listen.h"
#include "limiter.h"
#include "log.h"
#include "metrics.h"
#include "proxy-wait.h"
#include "server.h"
#include "source.h"
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOG_MODULE "listener"

/* At most so many connections are accepted before others get their turn. */
#define BATCH 64

/* Out of file descriptors: how long to leave the waiting ones in the backlog. */
#define PAUSE_SECONDS 0.25

/* No place free: how long to wait for one of somebody idle. */
#define ROOM_SECONDS 0.01

/* The log isn't told again before it has gone well for so long. */
#define QUIET_SECONDS 1.

struct listener {
	struct listener *next;
	struct server *server;
	const struct config_listen *settings;
	struct ev_io readable;
	struct ev_timer pause;
	double waited_until; /* whoever finds no place before that is refused: room was asked for */
	double quiet_until;  /* the log knows until then */
	struct proxy_wait proxies;
	char *unix_path; /* to be removed at the end */
	int fd;
};

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static socklen_t parse_address(const struct config_listen *where, union address *address)
{
	memset(address, 0, sizeof(*address));
	if (!strncmp(where->address, "unix:", 5)) {
		address->un.sun_family = AF_UNIX;
		snprintf(address->un.sun_path, sizeof(address->un.sun_path), "%s",
			 where->address + 5);
		return sizeof(address->un);
	}
	if (inet_pton(AF_INET, where->address, &address->in.sin_addr) == 1) {
		address->in.sin_family = AF_INET;
		address->in.sin_port = htons((uint16_t)where->port);
		return sizeof(address->in);
	}
	address->in6.sin6_family = AF_INET6;
	address->in6.sin6_port = htons((uint16_t)where->port);
	inet_pton(AF_INET6, where->address, &address->in6.sin6_addr);
	return sizeof(address->in6);
}

/* Removes a socket that a server which is gone has left behind, never one that is in use. */
static void remove_stale(const union address *address, socklen_t length)
{
	struct stat st;
	int fd;

	if (lstat(address->un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, &address->any, length) < 0 && errno == ECONNREFUSED)
		unlink(address->un.sun_path);
	close(fd);
}

/* Who may connect; it isn't listened on yet, so that nobody could before. Returns 0 or -errno. */
static int restrict_access(const struct config_listen *where, const char *path)
{
	gid_t gid;
	int r;

	if (where->group) {
		r = config_find_group(where->group, &gid);
		if (r < 0)
			return r;
		if (lchown(path, (uid_t)-1, gid) < 0)
			return -errno;
	}
	return where->mode && chmod(path, where->mode) < 0 ? -errno : 0;
}

static int begin_listening(int fd, const struct config_listen *where, const union address *address,
			   socklen_t length, unsigned backlog)
{
	int r = 0;

	if (bind(fd, &address->any, length) < 0)
		return -errno;
	if (address->any.sa_family == AF_UNIX)
		r = restrict_access(where, address->un.sun_path);
	if (!r && listen(fd, (int)backlog) < 0)
		r = -errno;
	if (r < 0 && address->any.sa_family == AF_UNIX)
		unlink(address->un.sun_path);
	return r;
}

static int open_socket(const struct config_listen *where, const union address *address,
		       socklen_t length, unsigned backlog)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, off = 0, r;

	if (fd < 0)
		return -errno;
	if (address->any.sa_family == AF_UNIX)
		remove_stale(address, length);
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	r = begin_listening(fd, where, address, length, backlog);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

/* The port that the system chose where the config leaves it open. */
static unsigned bound_port(const struct config_listen *where, int fd)
{
	union address address = {0};
	socklen_t length = sizeof(address);

	if (fd < 0 || getsockname(fd, &address.any, &length))
		return where->port;
	return ntohs(address.any.sa_family == AF_INET ? address.in.sin_port
						      : address.in6.sin6_port);
}

/* For people: the address as it goes into a URL. */
static void describe(const struct config_listen *where, unsigned port, char *text, size_t size)
{
	const char *scheme = where->tls ? "https" : "http";
	const char *host = where->address;

	if (!strncmp(host, "unix:", 5)) {
		snprintf(text, size, "%s", host);
		return;
	}
	if (!strcmp(host, "::") || !strcmp(host, "0.0.0.0"))
		host = "localhost";
	snprintf(text, size, strchr(host, ':') ? "%s://[%s]:%u/" : "%s://%s:%u/", scheme, host,
		 port);
}

/* A TLS connection is charged as it comes: a signature for it is the dearest thing that a stranger can ask for. */
static bool may_shake_hands(struct listener *listener, const char *peer)
{
	struct server *server = listener->server;
	char network[ADDRESS_SIZE];

	return !listener->settings->tls ||
	       limiter_take(server->limiter, LIMIT_TLS, address_peer_network(peer, network),
			    turn_now(&server->services[0].turn));
}

/* Whether there is a place for it, which it has then; refuses it otherwise. */
static bool admit(struct listener *listener, int fd)
{
	struct server *server = listener->server;

	if (!quota_has_room(&server->sockets.quota)) {
		sockets_refuse(&server->sockets, server->metrics, fd, !listener->settings->tls);
		return false;
	}
	quota_charge(&server->sockets.quota);
	listener->waited_until = 0;
	return true;
}

/* ev_now() would be wall time, and step with it. */
static double now(const struct listener *listener)
{
	return service_now(&listener->server->services[0]);
}

/* One that has a place is served from here on; false: it has been closed. */
static bool welcome(struct listener *listener, int fd, const char *peer,
		    struct service_connection *connection)
{
	struct source *source =
		may_shake_hands(listener, peer) ? source_create(listener->settings, peer) : NULL;

	if (!source) {
		close(fd);
		quota_release(&listener->server->sockets.quota);
		return false;
	}
	*connection = (struct service_connection){.fd = fd, .source = source};
	return true;
}

/* Whether it may say by the PROXY protocol who it is. */
static bool is_proxy(const struct listener *listener, const char *peer)
{
	const struct config_listen *settings = listener->settings;

	return !settings->n_trusted_proxies ||
	       address_peer_is_in(peer, settings->trusted_proxies, settings->n_trusted_proxies);
}

static int accept_waiting(struct listener *listener, char peer[ADDRESS_PEER_SIZE], int *error)
{
	union address address = {0};
	socklen_t length = sizeof(address);
	int fd;

	if (now(listener) >= listener->waited_until &&
	    !quota_has_room(&listener->server->sockets.quota)) {
		*error = EBUSY;
		return -1;
	}
	fd = accept4(listener->fd, &address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
		*error = errno;
	if (fd >= 0)
		address_peer(&address.any, peer);
	return fd;
}

/* Returns whether there is one to be served now. *error is why there is none that waits, or stays. */
static bool accept_one(struct listener *listener, struct service_connection *connection, int *error)
{
	char peer[ADDRESS_PEER_SIZE];
	int fd = accept_waiting(listener, peer, error);

	if (fd < 0 || !admit(listener, fd))
		return false;
	if (!listener->settings->proxy_protocol)
		return welcome(listener, fd, peer, connection);
	if (is_proxy(listener, peer))
		proxy_wait_for(&listener->proxies, fd, peer);
	else
		listener->proxies.done(listener, fd, NULL);
	return false;
}

/* Fills batch with waiting connections and returns how many there were. *error is why no more, or 0. */
static size_t accept_batch(struct listener *listener, struct service_connection *batch, int *error)
{
	size_t n = 0;

	*error = 0;
	for (size_t tries = 0; tries < BATCH && !*error; tries++)
		n += accept_one(listener, &batch[n], error);
	return n;
}

static bool is_out_of_something(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Each service gets its share of the batch, and who comes first next time is another one. */
static void deal(struct server *server, const struct service_connection *batch, size_t n)
{
	size_t share = (n + server->n_running - 1) / server->n_running;

	for (size_t i = 0; i < n; i += share) {
		struct service *service = &server->services[server->next_service];

		service_adopt(service, batch + i, n - i < share ? n - i : share);
		server->next_service = (server->next_service + 1) % (unsigned)server->n_running;
	}
}

/* Leaves those who wait in the backlog for a while. */
static void pause_for(struct listener *listener, double seconds)
{
	struct ev_loop *loop = server_loop(listener->server);

	ev_io_stop(loop, &listener->readable);
	ev_timer_set(&listener->pause, seconds, 0.);
	ev_timer_start(loop, &listener->pause);
}

/* Before anybody is refused, each service has looked who is idle. */
static void ask_for_room(struct listener *listener)
{
	struct server *server = listener->server;

	for (size_t i = 0; i < server->n_running; i++)
		service_wake(&server->services[i]);
	pause_for(listener, ROOM_SECONDS);
}

static void tell(struct listener *listener, const char *what)
{
	if (now(listener) >= listener->quiet_until)
		log_warning("accept: %s", what);
	listener->quiet_until = now(listener) + QUIET_SECONDS;
}

/* What a balancer says, or didn't say: see proxy_wait_done. */
static void on_proxy_header(void *user, int fd, const char *peer)
{
	struct listener *listener = user;
	struct server *server = listener->server;
	struct service_connection connection;

	if (!peer) {
		metrics_server(server->metrics)->proxy_headers_refused++;
		tell(listener, "no header of the PROXY protocol from who may send one");
		close(fd);
		quota_release(&server->sockets.quota);
	} else if (welcome(listener, fd, peer, &connection)) {
		deal(server, &connection, 1);
	}
}

static void on_readable(struct ev_loop *loop, struct ev_io *watcher, int events)
{
	struct listener *listener = watcher->data;
	struct service_connection batch[BATCH];
	int error;
	size_t n = accept_batch(listener, batch, &error);

	deal(listener->server, batch, n);
	listener->waited_until = 0;
	if (error == EBUSY) {
		ask_for_room(listener);
	} else if (is_out_of_something(error)) {
		tell(listener, strerror(error));
		pause_for(listener, PAUSE_SECONDS);
	}
}

static void on_pause_over(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	struct listener *listener = watcher->data;

	listener->waited_until = now(listener) + 5 * ROOM_SECONDS;
	ev_io_start(loop, &listener->readable);
}

static int prepare(struct listener *listener, const struct config_listen *where)
{
	union address address;
	socklen_t length = parse_address(where, &address);
	char any_ipv4[] = "0.0.0.0";
	struct config_listen ipv4 = {.address = any_ipv4, .port = where->port};
	unsigned backlog = listener->server->config->limits.backlog;

	listener->fd = open_socket(where, &address, length, backlog);
	if (listener->fd == -EAFNOSUPPORT && !strcmp(where->address, "::")) {
		/* A machine without IPv6: both families means the one that there is. */
		length = parse_address(&ipv4, &address);
		listener->fd = open_socket(&ipv4, &address, length, backlog);
	}
	if (listener->fd < 0)
		return listener->fd;
	if (address.any.sa_family == AF_UNIX) {
		listener->unix_path = strdup(address.un.sun_path);
		if (!listener->unix_path)
			return -ENOMEM;
	}
	return 0;
}

int listener_open(struct listener **chain, struct server *server, const struct config_listen *where)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	char text[160];
	unsigned port;
	int r;

	if (!listener)
		return -ENOMEM;
	listener->server = server;
	listener->settings = where;
	listener->next = *chain;
	listener->proxies = (struct proxy_wait){
		.loop = server_loop(server),
		.seconds = server->config->limits.handshake_seconds,
		.done = on_proxy_header,
		.user = listener,
	};
	ev_timer_init(&listener->pause, on_pause_over, PAUSE_SECONDS, 0.);
	listener->pause.data = listener;
	r = where->tls ? tls_load(server->tls, where->tls) : 0;
	if (r < 0) {
		free(listener);
		return r;
	}
	r = prepare(listener, where);
	port = bound_port(where, listener->fd);
	describe(where, port, text, sizeof(text));
	if (r < 0) {
		log_error("can't listen on %s: %s", text, strerror(-r));
		if (listener->fd >= 0)
			close(listener->fd);
		free(listener);
		return r;
	}
	ev_io_init(&listener->readable, on_readable, listener->fd, EV_READ);
	listener->readable.data = listener;
	*chain = listener;
	if (where->tls && !listener->unix_path && !server->https_port)
		server->https_port = port;
	log_notice("listening on %s", text);
	return 0;
}

void listener_start(struct listener *chain)
{
	for (; chain; chain = chain->next)
		ev_io_start(server_loop(chain->server), &chain->readable);
}

void listener_close(struct listener *chain)
{
	while (chain) {
		struct listener *listener = chain;

		chain = listener->next;
		ev_io_stop(server_loop(listener->server), &listener->readable);
		ev_timer_stop(server_loop(listener->server), &listener->pause);
		listener->quiet_until = HUGE_VAL; /* that nothing came is no wonder now */
		proxy_wait_finish(&listener->proxies);
		close(listener->fd);
		if (listener->unix_path)
			unlink(listener->unix_path);
		free(listener->unix_path);
		free(listener);
	}
}
