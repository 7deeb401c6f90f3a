#pragma once

#include "config.h"
#include "quota.h"

#include <ev.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The server: one lws context with one vhost on a libev loop, the sockets that
 * it listens on, and what all connections share. It ends by draining: no new
 * connections, 1001 to every WebSocket, and a few seconds for them to go.
 */

struct listener;
struct metrics;
struct rooms;
struct journal;
struct tls;

struct server {
	const struct config *config;
	struct ev_loop *loop;
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct lws_http_mount *mounts; /* of the endpoints */
	const struct lws_http_mount *first_mount;
	struct listener *listeners;
	struct metrics *metrics;
	struct tls *tls; /* NULL: nobody speaks it */
	struct journal *journal;
	struct rooms *rooms;
	unsigned https_port; /* of the first address that speaks TLS; 0: none does */
	struct quota connections;
	unsigned crowd; /* the most connections since memory was last given back */
	struct lws_dll2_owner sessions;
	unsigned char *scratch;
	size_t scratch_size;
	struct ev_prepare flush;
	struct ev_timer sweep;
	struct ev_timer drain_limit;
	struct ev_timer watch_files;
	struct ev_signal hung_up;
	struct ev_signal interrupted;
	struct ev_signal terminated;
	double sweep_due;
	bool draining;
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

/* What the config says of the address that a connection came in by. */
const struct config_listen *server_listen_of(struct lws *wsi);

/* The loop's time in seconds, as of this turn. */
double server_now(const struct server *server);

bool server_is_draining(const struct server *server);

/* Memory of at least that size until the next call; NULL: out of memory. */
unsigned char *server_scratch(struct server *server, size_t size);

/* A session has ended: the drain may be over with it. */
void server_session_closed(struct server *server);
