#pragma once

#include "service.h"

/*
 * A thread for what would keep a service thread waiting, such as a disk: one
 * thing after another, each handed back to the service that it is for.
 */
struct worker;

/* Begins whatever else it needs. */
struct worker_job {
	struct service_task task; /* whose run() is called on the service's thread, afterwards */
	void (*work)(struct worker_job *job); /* on the worker's */
	struct service *service;
};

/* Returns 0 or -errno. */
int worker_create(struct worker **workerp);

/* What has been posted is done first; nothing more may be. */
void worker_destroy(struct worker *worker);

/* Any thread. */
void worker_post(struct worker *worker, struct service *service, struct worker_job *job);
