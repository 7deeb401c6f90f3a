#pragma once

#include "service.h"

/*
 * Threads for what would keep a service thread waiting, such as a disk. Each job
 * is handed back to the service that it is for. There are some of them, so that
 * a job that takes long doesn't hold up all others; jobs end in any order.
 *
 * Jobs are of kinds that wait in queues of their own, and those of the first
 * come first. Those of a later kind never have all threads, so that somebody who
 * only wants to come in doesn't wait for those who read. Within a kind it is the
 * turn of each room in turn, and a room is opened by one thread at a time: the
 * others that want to open it would only wait for that.
 */
struct worker;

enum worker_kind {
	WORKER_OPENING,
	WORKER_PAST,
	WORKER_PAGE,
	WORKER_KINDS,
};

/* So many may wait in a queue: all members of a large room may come back at once, but hardly all readers. */
#define WORKER_OPENINGS_MAX 16384
#define WORKER_QUEUE_MAX 1024

/* Begins whatever else it needs. */
struct worker_job {
	struct service_task task; /* whose run() is called on the service's thread, afterwards */
	void (*work)(struct worker_job *job); /* on one of the worker's */
	struct service *service;
	struct worker_lane *lane; /* the worker's own */
};

/* With n threads. Returns 0 or -errno. */
int worker_create(struct worker **workerp, unsigned n);

/* What has been posted is done first; nothing more may be. */
void worker_destroy(struct worker *worker);

/* Any thread. Returns 0, or -EBUSY where too many of the kind wait, or -ENOMEM; the job is the caller's then. */
int worker_post(struct worker *worker, struct service *service, struct worker_job *job,
		enum worker_kind kind, const char *room);
