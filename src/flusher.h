#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Flushers: each service thread has one, which gives the thread's readers of
 * all fan-outs what they have not had. Whoever appends to a fan-out, on any
 * thread, makes the flushers of its readers dirty, and wakes them once.
 */
struct flusher;
struct flushers;

/* n of them, for as many threads. Returns 0 or -ENOMEM. */
int flushers_create(struct flushers **flushersp, size_t n);
void flushers_destroy(struct flushers *flushers);

size_t flushers_count(const struct flushers *flushers);
struct flusher *flushers_at(struct flushers *flushers, size_t i);

/* wake is called, on any thread, when there is something to flush. To be set before other threads exist. */
void flusher_set_wake(struct flusher *flusher, void (*wake)(void *user), void *user);

/* Makes it the calling thread's own: only that thread may run it from now on. */
void flusher_enter(struct flusher *flusher);

/*
 * Flushes for so many nanoseconds, or with 0 until all is done. Returns whether
 * more is to be done.
 */
bool flusher_run(struct flusher *flusher, int64_t nanoseconds);
