#pragma once

#include "config.h"
#include "pending.h"
#include "quota.h"
#include "service.h"
#include "sockets.h"

#include <ev.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The server: its service threads, the sockets that it listens on, and what all
 * connections share. The thread that runs it is the first of the service
 * threads, and has the signals, the listening sockets and the files to watch.
 *
 * It ends by draining: no new connections, 1001 to every WebSocket, and a few
 * seconds for them to go.
 */

struct auth;
struct bans;
struct flushers;
struct listener;
struct presence;
struct limiter;
struct rate_table;
struct metrics;
struct rooms;
struct journal;
struct tls;
struct worker;

struct server {
	const struct config *config;
	const struct lws_protocols **protocols;
	struct lws_http_mount *mounts; /* of the endpoints */
	const struct lws_http_mount *first_mount;
	struct listener *listeners;
	struct metrics *metrics; /* of what no service thread counts for itself */
	struct tls *tls;	 /* NULL: nobody speaks it */
	struct auth *auth;
	struct bans *bans;
	struct limiter *limiter;
	struct journal *journal;
	struct flushers *flushers;
	struct rooms *rooms;
	struct presence *presence;
	struct worker *worker;
	struct rate_table *typing_rates;
	unsigned https_port; /* of the first address that speaks TLS; 0: none does */
	struct quota connections;
	struct sockets sockets;
	struct pending pending;
	unsigned crowd; /* the most connections since memory was last given back */
	struct ev_timer tidy;
	struct ev_timer drain_limit;
	struct ev_timer watch_files;
	struct ev_signal hung_up;
	struct ev_signal interrupted;
	struct ev_signal terminated;
	_Atomic bool draining;
	unsigned next_service; /* whose turn it is to get a connection */
	size_t n_running;      /* of the services */
	size_t n_services;
	struct service services[];
};

/*
 * Builds everything and listens. protocols ends with NULL; mounts is the chain
 * of mounts that stand before those of the endpoints, and both must last as
 * long as the server. Returns 0, or -errno after saying in the log what is
 * wrong.
 */
int server_create(struct server **serverp, const struct config *config,
		  const struct lws_protocols **protocols, const struct lws_http_mount *mounts);
void server_destroy(struct server *server);

/* Serves until a signal ends it and the drain is over. */
void server_run(struct server *server);

/* The server that a connection belongs to. */
struct server *server_of(struct lws *wsi);

/* The loop of the thread that has created the server. */
struct ev_loop *server_loop(const struct server *server);

/* On any thread. */
bool server_is_draining(const struct server *server);

/* A connection has ended: the drain may be over with it. On any thread. */
void server_connection_closed(struct server *server);
