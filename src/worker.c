#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define BUCKETS 1024

/* The jobs of one kind for one room. It is there as long as one of them waits or is being done. */
struct worker_lane {
	enum worker_kind kind;
	uint64_t room;
	struct service_task *first;
	struct service_task **last; /* the link behind the last one */
	unsigned running;
	struct worker_lane *next;      /* whose turn is after its own */
	struct worker_lane *next_same; /* of its bucket */
};

struct queue {
	struct worker_lane *first; /* whose turn it is; only those that have jobs waiting */
	struct worker_lane **last;
	unsigned waiting; /* jobs */
	unsigned max;
	unsigned running;
	struct worker_lane *buckets[BUCKETS];
};

struct worker {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct queue queues[WORKER_KINDS];
	bool stopping;
	unsigned n;
	pthread_t threads[];
};

/* FNV-1a: two rooms that have the same one are as one, and no worse off than that. */
static uint64_t hash(const char *name)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (; *name; name++)
		sum = (sum ^ (unsigned char)*name) * 0x100000001b3;
	return sum;
}

static struct worker_lane **find_lane(struct queue *queue, uint64_t room)
{
	struct worker_lane **link = &queue->buckets[room % BUCKETS];

	while (*link && (*link)->room != room)
		link = &(*link)->next_same;
	return link;
}

static void append_lane(struct queue *queue, struct worker_lane *lane)
{
	lane->next = NULL;
	*queue->last = lane;
	queue->last = &lane->next;
}

/* Jobs of a kind, and of those behind it, leave some threads to those before. */
static bool has_thread(const struct worker *worker, enum worker_kind kind)
{
	for (unsigned from = 1; from <= kind; from++) {
		unsigned running = 0;

		for (unsigned i = from; i < WORKER_KINDS; i++)
			running += worker->queues[i].running;
		if (running && running + from >= worker->n)
			return false;
	}
	return true;
}

static struct worker_job *take_first(struct queue *queue, struct worker_lane **link)
{
	struct worker_lane *lane = *link;
	struct service_task *task = lane->first;

	*link = lane->next;
	if (!*link)
		queue->last = link;
	lane->first = task->next;
	if (lane->first)
		append_lane(queue, lane);
	else
		lane->last = &lane->first;
	lane->running++;
	queue->waiting--;
	queue->running++;
	return (struct worker_job *)task;
}

static struct worker_job *take_of(struct worker *worker, enum worker_kind kind)
{
	struct queue *queue = &worker->queues[kind];
	struct worker_lane **link = &queue->first;

	if (!has_thread(worker, kind))
		return NULL;
	while (*link && kind == WORKER_OPENING && (*link)->running)
		link = &(*link)->next;
	return *link ? take_first(queue, link) : NULL;
}

static struct worker_job *take_any(struct worker *worker)
{
	struct worker_job *job = NULL;

	for (unsigned kind = 0; kind < WORKER_KINDS && !job; kind++)
		job = take_of(worker, (enum worker_kind)kind);
	return job;
}

static bool has_waiting(const struct worker *worker)
{
	for (unsigned kind = 0; kind < WORKER_KINDS; kind++)
		if (worker->queues[kind].first)
			return true;
	return false;
}

/* The next one, or NULL when there will be none. */
static struct worker_job *take(struct worker *worker)
{
	struct worker_job *job;

	pthread_mutex_lock(&worker->lock);
	while (!(job = take_any(worker)) && (!worker->stopping || has_waiting(worker)))
		pthread_cond_wait(&worker->changed, &worker->lock);
	pthread_mutex_unlock(&worker->lock);
	return job;
}

/* Something that had to wait for it may be taken now. */
static void note_end(struct worker *worker, struct worker_lane *lane)
{
	struct queue *queue = &worker->queues[lane->kind];

	pthread_mutex_lock(&worker->lock);
	queue->running--;
	lane->running--;
	if (!lane->running && !lane->first) {
		*find_lane(queue, lane->room) = lane->next_same;
		free(lane);
	}
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
}

static void *run(void *user)
{
	struct worker *worker = user;
	struct worker_job *job;

	while ((job = take(worker))) {
		job->work(job);
		note_end(worker, job->lane);
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
	pthread_mutex_lock(&worker->lock); /* they begin when all are there */
	while (!r && worker->n < n) {
		r = pthread_create(&worker->threads[worker->n], NULL, run, worker);
		if (!r)
			pthread_setname_np(worker->threads[worker->n++], "worker");
	}
	pthread_mutex_unlock(&worker->lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int worker_create(struct worker **workerp, unsigned n)
{
	struct worker *worker = calloc(1, sizeof(*worker) + n * sizeof(worker->threads[0]));
	int r;

	if (!worker)
		return -ENOMEM;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->changed, NULL);
	for (unsigned kind = 0; kind < WORKER_KINDS; kind++) {
		worker->queues[kind].last = &worker->queues[kind].first;
		worker->queues[kind].max =
			kind == WORKER_OPENING ? WORKER_OPENINGS_MAX : WORKER_QUEUE_MAX;
	}
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
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
	for (unsigned i = 0; i < worker->n; i++)
		pthread_join(worker->threads[i], NULL);
	pthread_cond_destroy(&worker->changed);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

static struct worker_lane *open_lane(struct queue *queue, enum worker_kind kind, uint64_t room)
{
	struct worker_lane **link = find_lane(queue, room);

	if (*link)
		return *link;
	*link = malloc(sizeof(**link));
	if (!*link)
		return NULL;
	**link = (struct worker_lane){.kind = kind, .room = room, .last = &(*link)->first};
	return *link;
}

static int append(struct queue *queue, struct worker_job *job, enum worker_kind kind, uint64_t room)
{
	struct worker_lane *lane;

	if (queue->waiting >= queue->max)
		return -EBUSY;
	lane = open_lane(queue, kind, room);
	if (!lane)
		return -ENOMEM;
	if (!lane->first)
		append_lane(queue, lane);
	job->lane = lane;
	job->task.next = NULL;
	*lane->last = &job->task;
	lane->last = &job->task.next;
	queue->waiting++;
	return 0;
}

int worker_post(struct worker *worker, struct service *service, struct worker_job *job,
		enum worker_kind kind, const char *room)
{
	int r;

	job->service = service;
	pthread_mutex_lock(&worker->lock);
	r = append(&worker->queues[kind], job, kind, hash(room));
	pthread_cond_signal(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
	return r;
}
