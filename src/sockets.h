#pragma once

#include "quota.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * File descriptors, and who has them. All connections count, from accept to
 * close, whatever they speak, and so do files that are being sent; what stays
 * free of the system's limit is for the journal, the certificates, and whatever
 * else is opened for a moment.
 *
 * Near the limit the connections that have been idle longest are closed, those
 * that wait for a request or don't come to an end with their TLS handshake. At
 * the limit a newcomer is refused, and the log is told once a second how many
 * were.
 */

struct metrics;
struct service;

/* Connections that were refused stay open for a moment, so that they hear it. */
#define SOCKETS_LINGERING 8

struct sockets {
	struct quota quota;
	_Atomic unsigned open; /* connections that lws has */
	unsigned
		refused; /* since the log was told; this and what follows is the listening thread's */
	int lingering[SOCKETS_LINGERING];
	unsigned next;
};

/* What the system's limit leaves after what is open now. Before the first connection; metrics shows the limit. */
void sockets_init(struct sockets *sockets, struct metrics *metrics);
void sockets_finish(struct sockets *sockets);

/* So that nothing is idle where others need it. Any thread. */
static inline bool sockets_are_scarce(const struct sockets *sockets)
{
	return sockets->quota.used > sockets->quota.max / 10 * 9;
}

/* Closes some of the service's idle connections where sockets are scarce. On its thread, outside of any callback of lws. */
void sockets_make_room(struct sockets *sockets, struct service *service);

/* lws has one connection more, LWS_CALLBACK_WSI_CREATE, or less, LWS_CALLBACK_WSI_DESTROY. */
void sockets_note(struct lws *wsi, enum lws_callback_reasons reason);

/* Closes one that has been accepted but finds no place, with a 503 where it is plain HTTP. */
void sockets_refuse(struct sockets *sockets, struct metrics *metrics, int fd, bool plain);

/* Once a second: tells the log, and closes those who were refused. */
void sockets_report(struct sockets *sockets);
