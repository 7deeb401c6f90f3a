#include "flusher.h"

#include "fanout-part.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* How many readers come between two looks at the clock. */
#define READERS_AT_ONCE 16

/* Who waits for another flusher looks after its own so often, since others may wait for that. */
#define WAIT_NANOSECONDS 1000000

struct flusher {
	_Alignas(64) struct flushers *all;
	pthread_mutex_t lock; /* of the parts' list */
	struct part *first;
	struct part **last; /* the link behind the last one */
	void (*wake)(void *user);
	void *user;
};

struct flushers {
	pthread_mutex_t lock; /* for the condition only */
	pthread_cond_t progress;
	atomic_uint waiting;
	size_t n;
	struct flusher each[];
};

static _Thread_local struct flusher *mine;

int flushers_create(struct flushers **flushersp, size_t n)
{
	size_t size = sizeof(struct flushers) + n * sizeof(struct flusher);
	struct flushers *flushers = aligned_alloc(_Alignof(struct flushers), size);
	pthread_condattr_t attributes;

	if (!flushers)
		return -ENOMEM;
	*flushers = (struct flushers){.n = n};
	pthread_mutex_init(&flushers->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&flushers->progress, &attributes);
	pthread_condattr_destroy(&attributes);
	for (size_t i = 0; i < n; i++) {
		struct flusher *flusher = &flushers->each[i];

		*flusher = (struct flusher){.all = flushers, .last = &flusher->first};
		pthread_mutex_init(&flusher->lock, NULL);
	}
	*flushersp = flushers;
	return 0;
}

void flushers_destroy(struct flushers *flushers)
{
	if (!flushers)
		return;
	for (size_t i = 0; i < flushers->n; i++) {
		if (mine == &flushers->each[i])
			mine = NULL;
		pthread_mutex_destroy(&flushers->each[i].lock);
	}
	pthread_cond_destroy(&flushers->progress);
	pthread_mutex_destroy(&flushers->lock);
	free(flushers);
}

size_t flushers_count(const struct flushers *flushers)
{
	return flushers->n;
}

struct flusher *flushers_at(struct flushers *flushers, size_t i)
{
	return &flushers->each[i];
}

size_t flusher_index(const struct flusher *flusher)
{
	return (size_t)(flusher - flusher->all->each);
}

void flusher_set_wake(struct flusher *flusher, void (*wake)(void *user), void *user)
{
	flusher->wake = wake;
	flusher->user = user;
}

void flusher_enter(struct flusher *flusher)
{
	mine = flusher;
}

/* Returns whether it is the only one there. */
static bool push(struct flusher *flusher, struct part *part)
{
	bool only;

	pthread_mutex_lock(&flusher->lock);
	only = !flusher->first;
	part->next_dirty = NULL;
	*flusher->last = part;
	flusher->last = &part->next_dirty;
	pthread_mutex_unlock(&flusher->lock);
	return only;
}

void part_mark_dirty(struct part *part)
{
	struct flusher *flusher = part->flusher;

	if (atomic_exchange(&part->dirty, true))
		return;
	if (push(flusher, part) && flusher != mine && flusher->wake)
		flusher->wake(flusher->user);
}

static void unlink_after(struct flusher *flusher, struct part **link)
{
	struct part *part = *link;

	*link = part->next_dirty;
	if (!*link)
		flusher->last = link;
	atomic_exchange(&part->dirty,
			false); /* so that what was appended before it was marked is seen */
}

/* What is marked from now on is due again. A part without readers may be gone the moment the lock is. */
static struct part *pop(struct flusher *flusher)
{
	struct part *part = NULL;

	pthread_mutex_lock(&flusher->lock);
	while (flusher->first && !part) {
		if (flusher->first->count)
			part = flusher->first;
		unlink_after(flusher, &flusher->first);
	}
	pthread_mutex_unlock(&flusher->lock);
	return part;
}

void flusher_forget(struct part *part)
{
	struct flusher *flusher = part->flusher;

	pthread_mutex_lock(&flusher->lock);
	for (struct part **link = &flusher->first; *link; link = &(*link)->next_dirty)
		if (*link == part) {
			unlink_after(flusher, link);
			break;
		}
	pthread_mutex_unlock(&flusher->lock);
}

void part_raise_floor(struct part *part, uint64_t floor)
{
	struct flushers *all = part->flusher->all;

	atomic_store_explicit(&part->floor, floor, memory_order_release);
	if (!atomic_load(&all->waiting))
		return;
	pthread_mutex_lock(&all->lock);
	pthread_cond_broadcast(&all->progress);
	pthread_mutex_unlock(&all->lock);
}

int64_t flusher_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Returns false when the deadline comes first; a pass goes on where it was. */
static bool finish_pass(struct part *part, int64_t deadline)
{
	if (!part->cursor)
		part_begin_pass(part);
	for (unsigned n = 1; part->cursor < part->count; n++) {
		part_visit(part);
		if (deadline && n % READERS_AT_ONCE == 0 && flusher_now() > deadline)
			return false;
	}
	part_end_pass(part);
	return true;
}

static bool run_part(struct part *part, int64_t deadline)
{
	bool finished;

	part_enter(part);
	finished = finish_pass(part, deadline);
	part_leave(part);
	return finished;
}

static bool is_idle(struct flusher *flusher)
{
	bool is;

	pthread_mutex_lock(&flusher->lock);
	is = !flusher->first;
	pthread_mutex_unlock(&flusher->lock);
	return is;
}

bool flusher_run(struct flusher *flusher, int64_t nanoseconds)
{
	int64_t deadline = nanoseconds ? flusher_now() + nanoseconds : 0;
	struct part *part;

	while ((part = pop(flusher))) {
		if (!run_part(part, deadline)) {
			part_mark_dirty(part);
			return true;
		}
		if (deadline && flusher_now() > deadline)
			return !is_idle(flusher);
	}
	return false;
}

static struct timespec in_a_moment(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += WAIT_NANOSECONDS;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

void flusher_wait(struct flusher *any)
{
	struct flushers *all = any->all;
	struct timespec until = in_a_moment();

	if (mine && mine->all == all && !is_idle(mine)) {
		flusher_run(mine, 0);
		return; /* that may have been it */
	}
	pthread_mutex_lock(&all->lock);
	all->waiting++;
	pthread_cond_timedwait(&all->progress, &all->lock, &until);
	all->waiting--;
	pthread_mutex_unlock(&all->lock);
}
