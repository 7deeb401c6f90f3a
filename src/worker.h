#pragma once

#include "service.h"

/*
 * Threads for what would keep a service thread waiting, such as a disk. Each job
 * is handed back to the service that it is for. There are some of them, so that
 * a job that takes long doesn't hold up all others; jobs end in any order.
 */
struct worker;

/* Begins whatever else it needs. */
struct worker_job {
	struct service_task task; /* whose run() is called on the service's thread, afterwards */
	void (*work)(struct worker_job *job); /* on one of the worker's */
	struct service *service;
};

/* With n threads. Returns 0 or -errno. */
int worker_create(struct worker **workerp, unsigned n);

/* What has been posted is done first; nothing more may be. */
void worker_destroy(struct worker *worker);

/* Any thread. */
void worker_post(struct worker *worker, struct service *service, struct worker_job *job);
