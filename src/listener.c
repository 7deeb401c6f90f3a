#include "listener.h"

#include "log.h"
#include "server.h"
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOG_MODULE "listener"

#define BACKLOG 4096

/* At most so many connections are accepted before others get their turn. */
#define BATCH 64

/* Out of file descriptors: how long to leave the waiting ones in the backlog. */
#define PAUSE_SECONDS 0.25

struct listener {
	struct listener *next;
	struct server *server;
	const struct config_listen *settings;
	struct ev_io readable;
	struct ev_timer pause;
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

static int open_socket(const union address *address, socklen_t length)
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
	if (bind(fd, &address->any, length) < 0 || listen(fd, BACKLOG) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
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

static void adopt(struct listener *listener, int fd)
{
	int on = 1;

	lws_adopt_desc_t adopted = {
		.vh = listener->server->vhost,
		.type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP |
			(listener->settings->tls ? LWS_ADOPT_ALLOW_SSL : 0),
		.fd.sockfd = fd,
		.opaque = (void *)(uintptr_t)listener->settings,
	};

	/* Fails on a unix socket, which has no such delay. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	lws_adopt_descriptor_vhost_via_info(&adopted); /* closes fd where it fails */
}

static void on_readable(struct ev_loop *loop, struct ev_io *watcher, int events)
{
	struct listener *listener = watcher->data;

	for (int i = 0; i < BATCH; i++) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			adopt(listener, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			log_warning("accept: %s", strerror(errno));
			ev_io_stop(loop, watcher);
			ev_timer_start(loop, &listener->pause);
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

static void on_pause_over(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	struct listener *listener = watcher->data;

	ev_io_start(loop, &listener->readable);
}

static int prepare(struct listener *listener, const struct config_listen *where)
{
	union address address;
	socklen_t length = parse_address(where, &address);
	char any_ipv4[] = "0.0.0.0";
	struct config_listen ipv4 = {.address = any_ipv4, .port = where->port};

	listener->fd = open_socket(&address, length);
	if (listener->fd == -EAFNOSUPPORT && !strcmp(where->address, "::")) {
		/* A machine without IPv6: both families means the one that there is. */
		length = parse_address(&ipv4, &address);
		listener->fd = open_socket(&address, length);
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
		ev_io_start(chain->server->loop, &chain->readable);
}

void listener_close(struct listener *chain)
{
	while (chain) {
		struct listener *listener = chain;

		chain = listener->next;
		ev_io_stop(listener->server->loop, &listener->readable);
		ev_timer_stop(listener->server->loop, &listener->pause);
		close(listener->fd);
		if (listener->unix_path)
			unlink(listener->unix_path);
		free(listener->unix_path);
		free(listener);
	}
}
