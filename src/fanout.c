#include "fanout.h"

#include "fanout-part.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>

#define LOG_MODULE "fanout"

/* So long whoever appends waits for a thread that doesn't flush at all. */
#define WAIT_NANOSECONDS INT64_C(1000000000)

struct fanout {
	struct wire *wire; /* NULL: nobody reads */
	size_t ring;
	size_t readers;
	_Atomic uint64_t frames; /* ever appended */
	pthread_mutex_t *lock;
	size_t n_parts;
	struct part parts[]; /* one for each flusher */
};

int fanout_create(struct fanout **fanoutp, struct flushers *flushers, size_t ring,
		  pthread_mutex_t *lock)
{
	size_t n = flushers_count(flushers);
	size_t size = sizeof(struct fanout) + n * sizeof(struct part);
	struct fanout *fanout = aligned_alloc(_Alignof(struct fanout), size);

	if (!fanout)
		return -ENOMEM;
	*fanout = (struct fanout){.ring = ring, .lock = lock, .n_parts = n};
	for (size_t i = 0; i < n; i++)
		fanout->parts[i] = (struct part){
			.fanout = fanout,
			.flusher = flushers_at(flushers, i),
			.floor = UINT64_MAX,
		};
	*fanoutp = fanout;
	return 0;
}

void fanout_destroy(struct fanout *fanout)
{
	if (!fanout)
		return;
	for (size_t i = 0; i < fanout->n_parts; i++) {
		flusher_forget(&fanout->parts[i]);
		free(fanout->parts[i].readers);
	}
	wire_destroy(fanout->wire);
	free(fanout);
}

size_t fanout_readers(const struct fanout *fanout)
{
	return fanout->readers;
}

static int make_place(struct part *part)
{
	size_t capacity = part->capacity ? part->capacity * 2 : 4;
	struct reader **readers;

	if (part->count < part->capacity)
		return 0;
	readers = reallocarray(part->readers, capacity, sizeof(struct reader *));
	if (!readers)
		return -ENOMEM;
	part->readers = readers;
	part->capacity = capacity;
	return 0;
}

/* The wire log lasts from the first reader to the last, and its positions begin anew. */
static int open_wire(struct fanout *fanout)
{
	if (fanout->wire)
		return 0;
	for (size_t i = 0; i < fanout->n_parts; i++) {
		fanout->parts[i].required = 0;
		fanout->parts[i].floor = UINT64_MAX;
	}
	return wire_create(&fanout->wire, fanout->ring);
}

static void detach(struct reader *reader);

static void drop_all(struct part *part)
{
	while (part->count) {
		struct reader *reader = part->readers[part->count - 1];

		detach(reader);
		reader->sink->overrun(reader);
	}
	part->cursor = 0;
	part->lost = false;
}

/* The order of these two, and of those in abandon(), is what keeps a log from being overwritten while it is read. */
void part_enter(struct part *part)
{
	atomic_store(&part->reading, true);
	if (atomic_load(&part->lost))
		drop_all(part);
}

void part_leave(struct part *part)
{
	atomic_store_explicit(&part->reading, false, memory_order_release);
}

int fanout_join(struct fanout *fanout, struct flusher *flusher, struct reader *reader,
		const struct reader_sink *sink)
{
	struct part *part = &fanout->parts[flusher_index(flusher)];
	int r = make_place(part);

	if (part->lost)
		drop_all(part);
	if (!r)
		r = open_wire(fanout);
	if (r < 0)
		return r;
	*reader = (struct reader){
		.sink = sink,
		.part = part,
		.position = wire_head(fanout->wire),
		.frames = fanout->frames,
		.index = part->count,
	};
	if (!part->count)
		part->floor = reader->position;
	part->readers[part->count++] = reader;
	fanout->readers++;
	return 0;
}

/* The last one takes its place, which a pass may have gone by already. */
static void fill_gap(struct part *part, size_t gap)
{
	struct reader *last = part->readers[--part->count];

	part->readers[gap] = last;
	last->index = gap;
	if (gap < part->cursor && part->count >= part->cursor) {
		if (last->position < part->lowest)
			part->lowest = last->position;
		part->begun_at = PASS_MISSED;
	}
	if (part->cursor > part->count)
		part->cursor = part->count;
}

static void detach(struct reader *reader)
{
	struct part *part = reader->part;
	struct fanout *fanout = part->fanout;

	pthread_mutex_lock(fanout->lock);
	reader->part = NULL;
	reader->waiting = false;
	fill_gap(part, reader->index);
	if (!part->count)
		part_raise_floor(part, UINT64_MAX);
	if (!--fanout->readers) {
		wire_destroy(fanout->wire);
		fanout->wire = NULL;
	}
	pthread_mutex_unlock(fanout->lock);
}

void reader_leave(struct reader *reader)
{
	if (reader->part)
		detach(reader);
}

bool reader_is_reading(const struct reader *reader)
{
	return reader->part != NULL;
}

/* Frames are counted before the head is read, so that none is ever counted twice or not at all. */
static void send_rest(struct reader *reader)
{
	struct fanout *fanout = reader->part->fanout;
	const void *bytes;
	size_t size = wire_read(fanout->wire, reader->position, &bytes);
	uint64_t frames = atomic_load_explicit(&fanout->frames, memory_order_relaxed);
	ssize_t taken;

	if (!size) {
		reader->waiting = false;
		return;
	}
	taken = reader->sink->write(reader, bytes, size, frames - reader->frames);
	if (taken < 0) {
		detach(reader);
		return;
	}
	reader->position += (size_t)taken;
	reader->waiting = (size_t)taken < size;
	if (!reader->waiting)
		reader->frames = frames;
}

void reader_writable(struct reader *reader)
{
	struct part *part = reader->part;

	if (!part || !reader->waiting)
		return;
	part_enter(part);
	if (reader->part)
		send_rest(reader);
	part_leave(part);
}

void part_begin_pass(struct part *part)
{
	part->lowest = UINT64_MAX;
	part->begun_at = wire_head(part->fanout->wire);
}

void part_end_pass(struct part *part)
{
	part->cursor = 0;
	if (!part->count)
		return;
	part_raise_floor(part, part->lowest);
	/* Somebody was gone by, or the first ones have not had what came in the meantime. */
	if (part->begun_at != wire_head(part->fanout->wire))
		part_mark_dirty(part);
}

static void expect(const struct part *part, unsigned turns)
{
	struct reader *reader = part->readers[part->cursor + turns];

	if (reader->sink->expect)
		reader->sink->expect(reader, turns);
}

/* To wait for memory at each of thousands of readers takes about a tenth of the time. */
static void expect_next(const struct part *part)
{
	size_t left = part->count - part->cursor;

	if (left > 3)
		__builtin_prefetch(part->readers[part->cursor + 3]);
	if (left > 2)
		expect(part, 2);
	if (left > 1)
		expect(part, 1);
}

void part_visit(struct part *part)
{
	struct reader *reader = part->readers[part->cursor];

	expect_next(part);
	if (!reader->waiting)
		send_rest(reader);
	if (!reader->part)
		return; /* another one is in its place */
	if (reader->position < atomic_load_explicit(&part->required, memory_order_relaxed)) {
		detach(reader);
		reader->sink->overrun(reader);
		return;
	}
	if (reader->position < part->lowest)
		part->lowest = reader->position;
	part->cursor++;
}

/* Asks the readers of every part that is in the way to go on or to be dropped. Returns whether one is. */
static bool is_in_the_way(struct fanout *fanout, uint64_t oldest)
{
	bool is = false;

	for (size_t i = 0; i < fanout->n_parts; i++) {
		struct part *part = &fanout->parts[i];

		if (atomic_load_explicit(&part->floor, memory_order_acquire) >= oldest)
			continue;
		atomic_store_explicit(&part->required, oldest, memory_order_relaxed);
		part_mark_dirty(part);
		is = true;
	}
	return is;
}

/*
 * A thread that has not come to its readers for so long may not come at all: the
 * log goes on without them, and they are dropped when it does. Unless it is just
 * reading, and will be further in a moment.
 */
static void abandon(struct fanout *fanout, size_t size)
{
	uint64_t oldest = wire_head(fanout->wire) + size - wire_size(fanout->wire);

	for (size_t i = 0; i < fanout->n_parts; i++) {
		struct part *part = &fanout->parts[i];

		if (atomic_load_explicit(&part->floor, memory_order_acquire) >= oldest)
			continue;
		atomic_store(&part->lost, true);
		if (atomic_load(&part->reading)) {
			atomic_store(&part->lost, false);
			continue;
		}
		log_warning("service thread %zu stands still: the %zu members that it has are "
			    "dropped from a room",
			    i, part->count);
		part->floor = UINT64_MAX;
	}
}

/* Returns 1: there is room, 0: nobody would read it, -EAGAIN: readers are in the way, -EMSGSIZE. */
static int check_room(struct fanout *fanout, size_t size)
{
	uint64_t end;
	size_t ring;

	if (!fanout || !fanout->readers)
		return 0;
	end = wire_head(fanout->wire) + size;
	ring = wire_size(fanout->wire);
	if (size > ring)
		return -EMSGSIZE;
	return end > ring && is_in_the_way(fanout, end - ring) ? -EAGAIN : 1;
}

/* With the lock released meanwhile. Returns when the wait is over, which begins where deadline is 0. */
static int64_t wait_for_readers(struct fanout *fanout, size_t size, int64_t deadline)
{
	int64_t now = flusher_now();

	if (deadline && now > deadline) {
		abandon(fanout, size);
		return now + WAIT_NANOSECONDS;
	}
	pthread_mutex_unlock(fanout->lock);
	flusher_wait(fanout->parts[0].flusher);
	pthread_mutex_lock(fanout->lock);
	return deadline ? deadline : now + WAIT_NANOSECONDS;
}

int fanout_reserve(struct fanout *const *fanouts, size_t n, size_t size)
{
	int64_t deadline = 0;
	int result = 0;

	for (size_t i = 0; i < n; i++) {
		int r = check_room(fanouts[i], size);

		if (r == -EAGAIN) {
			deadline = wait_for_readers(fanouts[i], size, deadline);
			result = 0;
			i = SIZE_MAX; /* from the beginning, since others have appended */
		} else if (r < 0) {
			return r;
		} else {
			result |= r;
		}
	}
	return result;
}

static void appended(struct fanout *fanout)
{
	for (size_t i = 0; i < fanout->n_parts; i++)
		if (fanout->parts[i].count)
			part_mark_dirty(&fanout->parts[i]);
}

static void count_frame(struct fanout *fanout)
{
	atomic_fetch_add_explicit(&fanout->frames, 1, memory_order_relaxed);
}

void fanout_append_frame(struct fanout *fanout, enum wire_opcode opcode, const void *payload,
			 size_t size)
{
	count_frame(fanout);
	wire_append_frame(fanout->wire, opcode, payload, size);
	appended(fanout);
}

void fanout_append_raw(struct fanout *fanout, const void *bytes, size_t size)
{
	count_frame(fanout);
	wire_append_raw(fanout->wire, bytes, size);
	appended(fanout);
}
