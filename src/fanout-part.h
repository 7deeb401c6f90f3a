#pragma once

#include "fanout.h"

#include <stdatomic.h>

/* Of begun_at: the pass has gone by somebody's new place. */
#define PASS_MISSED UINT64_MAX

/*
 * What fanout.c and flusher.c share: the readers of one fan-out that live on
 * one thread.
 *
 * A pass goes through all of them once. Whoever appends sees only the floor:
 * the log may be overwritten up to there.
 */
struct part {
	/* Only the part's own thread writes these, but count with the lock held, since others read it. */
	_Alignas(64) struct fanout *fanout;
	struct flusher *flusher;
	struct reader **readers;
	size_t count;
	size_t capacity;
	size_t cursor;	   /* of the pass: whose turn it is */
	uint64_t lowest;   /* position of those that the pass has been to */
	uint64_t begun_at; /* the log's head when the pass began, or PASS_MISSED */
	/* Threads meet here. */
	_Alignas(64) _Atomic uint64_t
		floor;		   /* no reader's position is lower; UINT64_MAX: there is none */
	_Atomic uint64_t required; /* a reader that can't get there is dropped */
	_Atomic bool dirty;	   /* and among its flusher's parts */
	_Atomic bool reading;	   /* its thread is among the readers, and looks into the log */
	_Atomic bool lost; /* nobody has waited for it: all of its readers are to be dropped */
	struct part *next_dirty; /* the flusher's */
};

/* fanout.c: a pass begins; its next reader gets what it has not had; it has been to all of them. */
void part_begin_pass(struct part *part);
void part_visit(struct part *part);
void part_end_pass(struct part *part);

/*
 * Around everything that looks into the log. A part that was lost loses its
 * readers as its thread enters.
 */
void part_enter(struct part *part);
void part_leave(struct part *part);

/* flusher.c */
size_t flusher_index(const struct flusher *flusher);

/* There is something to flush: puts it among its flusher's parts and wakes that. On any thread. */
void part_mark_dirty(struct part *part);

/* All readers have got there: tells whoever waits for it. */
void part_raise_floor(struct part *part, uint64_t floor);

/* It is about to be freed. */
void flusher_forget(struct part *part);

/* The monotonic clock in nanoseconds. */
int64_t flusher_now(void);

/* Flushes what the calling thread's own flusher has to, then waits a moment for any other to come further. */
void flusher_wait(struct flusher *any);
