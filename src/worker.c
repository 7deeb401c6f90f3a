#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct worker {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct service_task *first;
	struct service_task **last; /* the link behind the last one */
	bool stopping;
	unsigned n;
	pthread_t threads[];
};

/* The next one, or NULL when there will be none. */
static struct worker_job *take(struct worker *worker)
{
	struct service_task *task;

	pthread_mutex_lock(&worker->lock);
	while (!worker->first && !worker->stopping)
		pthread_cond_wait(&worker->filled, &worker->lock);
	task = worker->first;
	if (task)
		worker->first = task->next;
	if (!worker->first)
		worker->last = &worker->first;
	pthread_mutex_unlock(&worker->lock);
	return (struct worker_job *)task;
}

static void *run(void *user)
{
	struct worker *worker = user;
	struct worker_job *job;

	while ((job = take(worker))) {
		job->work(job);
		service_post(job->service, &job->task);
	}
	return NULL;
}

/* Signals are for the thread that has the server's loop. */
static int start(struct worker *worker, unsigned n)
{
	sigset_t all, before;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (!r && worker->n < n) {
		r = pthread_create(&worker->threads[worker->n], NULL, run, worker);
		if (!r)
			pthread_setname_np(worker->threads[worker->n++], "worker");
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int worker_create(struct worker **workerp, unsigned n)
{
	struct worker *worker = calloc(1, sizeof(*worker) + n * sizeof(worker->threads[0]));
	int r;

	if (!worker)
		return -ENOMEM;
	worker->last = &worker->first;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->filled, NULL);
	r = start(worker, n);
	if (r < 0)
		worker_destroy(worker);
	else
		*workerp = worker;
	return r;
}

void worker_destroy(struct worker *worker)
{
	if (!worker)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	pthread_cond_broadcast(&worker->filled);
	pthread_mutex_unlock(&worker->lock);
	for (unsigned i = 0; i < worker->n; i++)
		pthread_join(worker->threads[i], NULL);
	pthread_cond_destroy(&worker->filled);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

void worker_post(struct worker *worker, struct service *service, struct worker_job *job)
{
	job->service = service;
	job->task.next = NULL;
	pthread_mutex_lock(&worker->lock);
	*worker->last = &job->task;
	worker->last = &job->task.next;
	pthread_cond_signal(&worker->filled);
	pthread_mutex_unlock(&worker->lock);
}
