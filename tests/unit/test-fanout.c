#include "unit.h"

#include "fanout.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RING 4096
#define MANY 100

/* A reader that checks what it is sent: numbers, each one more than the one before. */
struct counter {
	struct reader reader;
	uint32_t next;
	unsigned frames;
	unsigned overruns;
	unsigned
		patience; /* so many writes it takes only one frame of, again and again; 0: it takes all */
	unsigned writes;
};

static ssize_t count(struct reader *reader, const void *bytes, size_t size, uint64_t frames)
{
	struct counter *counter = (struct counter *)reader;
	const unsigned char *p = bytes;

	if (counter->patience && ++counter->writes % counter->patience)
		size = wire_frames_end(bytes, size, 1);
	for (size_t at = 0; at < size; at = wire_frames_end(bytes, size, at + 1)) {
		uint32_t number;

		assert_int_equal(p[at], 0x82);
		memcpy(&number, p + at + (p[at + 1] == 126 ? 4 : 2), sizeof(number));
		if (counter->frames++)
			assert_int_equal(number, counter->next);
		counter->next = number + 1;
	}
	return (ssize_t)size;
}

static void overrun(struct reader *reader)
{
	((struct counter *)reader)->overruns++;
}

static const struct reader_sink sink = {.write = count, .overrun = overrun};

struct fixture {
	struct flushers *flushers;
	struct fanout *fanout;
	pthread_mutex_t lock;
	uint32_t number; /* of the next frame, with the lock held */
	struct counter *counters;
	_Atomic unsigned wakes;
	_Atomic bool done;
};

static int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wake(void *user)
{
	((struct fixture *)user)->wakes++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	pthread_mutexattr_t attributes;

	*state = f;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&f->lock, &attributes);
	f->counters = calloc(MANY, sizeof(*f->counters));
	if (flushers_create(&f->flushers, 2) < 0)
		return -1;
	for (size_t i = 0; i < 2; i++)
		flusher_set_wake(flushers_at(f->flushers, i), wake, f);
	flusher_enter(flushers_at(f->flushers, 0));
	return fanout_create(&f->fanout, f->flushers, RING, &f->lock);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < MANY; i++)
		reader_leave(&f->counters[i].reader);
	fanout_destroy(f->fanout);
	flushers_destroy(f->flushers);
	pthread_mutex_destroy(&f->lock);
	free(f->counters);
	free(f);
	return 0;
}

static void join(struct fixture *f, size_t thread, struct counter *counter)
{
	pthread_mutex_lock(&f->lock);
	counter->frames = 0;
	assert_int_equal(
		fanout_join(f->fanout, flushers_at(f->flushers, thread), &counter->reader, &sink),
		0);
	pthread_mutex_unlock(&f->lock);
}

static void append(struct fixture *f, size_t size)
{
	char payload[RING] = "";

	pthread_mutex_lock(&f->lock);
	if (fanout_reserve(&f->fanout, 1, wire_frame_size(size)) > 0) {
		memcpy(payload, &f->number, sizeof(f->number));
		f->number++;
		fanout_append_frame(f->fanout, WIRE_BINARY, payload, size);
	}
	pthread_mutex_unlock(&f->lock);
}

/* One look at the clock, and the time is over. */
static void a_flush_goes_on_where_it_was_cut(void **state)
{
	struct fixture *f = *state;
	unsigned runs = 1;

	for (int i = 0; i < MANY; i++)
		join(f, 0, &f->counters[i]);
	append(f, 10);
	assert_true(flusher_run(flushers_at(f->flushers, 0), 1));
	assert_int_equal(f->counters[0].frames, 1);
	assert_int_equal(f->counters[MANY - 1].frames, 0);
	append(f, 10);
	reader_leave(&f->counters[1]
			      .reader); /* whose place somebody takes whose turn has not come yet */
	while (flusher_run(flushers_at(f->flushers, 0), 1))
		runs++;
	assert_in_range(runs, 5, 20);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(f->counters[i].frames, i == 1 ? 1 : 2);
}

/* Nothing is appended afterwards that would bring another pass about. */
static void whose_place_changes_while_a_flush_is_cut_misses_nothing(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < MANY; i++)
		join(f, 0, &f->counters[i]);
	append(f, 10);
	assert_true(flusher_run(flushers_at(f->flushers, 0), 1));
	for (int i = 0; i < 3; i++)
		reader_leave(&f->counters[i].reader);
	assert_int_equal(f->counters[MANY - 1].frames, 0);
	while (flusher_run(flushers_at(f->flushers, 0), 1))
		;
	for (int i = 0; i < MANY; i++)
		assert_int_equal(f->counters[i].frames, 1);
}

static void readers_leave_at_any_point_of_a_pass(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < MANY; i++)
		join(f, 0, &f->counters[i]);
	for (int i = 0; i < MANY - 1; i += 3) {
		append(f, 10);
		flusher_run(flushers_at(f->flushers, 0), 1);
		reader_leave(&f->counters[i].reader);
		reader_leave(&f->counters[MANY - 1 - i].reader);
		append(f, 10);
		flusher_run(flushers_at(f->flushers, 0), 1);
	}
	flusher_run(flushers_at(f->flushers, 0), 0);
	for (int i = 0; i < MANY; i++)
		if (reader_is_reading(&f->counters[i].reader))
			assert_int_equal(f->counters[i].next, f->number);
}

static void other_threads_are_woken_once(void **state)
{
	struct fixture *f = *state;

	join(f, 0, &f->counters[0]);
	append(f, 10);
	assert_int_equal(f->wakes, 0);
	join(f, 1, &f->counters[1]);
	for (int i = 0; i < 10; i++)
		append(f, 10);
	assert_int_equal(f->wakes, 1);
	flusher_enter(flushers_at(f->flushers, 1));
	assert_false(flusher_run(flushers_at(f->flushers, 1), 0));
	assert_int_equal(f->counters[1].frames, 10);
	assert_int_equal(f->counters[0].frames, 0);
	flusher_enter(flushers_at(f->flushers, 0));
	append(f, 10);
	assert_int_equal(f->wakes, 2);
	assert_false(flusher_run(flushers_at(f->flushers, 0), 0));
	assert_int_equal(f->counters[0].frames, 12);
}

static void *flush_late(void *user)
{
	struct fixture *f = user;

	flusher_enter(flushers_at(f->flushers, 1));
	usleep(20000);
	while (!f->done) {
		flusher_run(flushers_at(f->flushers, 1), 0);
		usleep(100);
	}
	return NULL;
}

/* Its readers are not to blame: whoever appends waits for the thread. */
static void a_thread_that_is_late_loses_nothing(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	join(f, 0, &f->counters[0]);
	join(f, 1, &f->counters[1]);
	assert_int_equal(pthread_create(&thread, NULL, flush_late, f), 0);
	for (int i = 0; i < 200; i++)
		append(f, 200);
	flusher_run(flushers_at(f->flushers, 0), 0);
	usleep(5000);
	f->done = true;
	pthread_join(thread, NULL);
	assert_int_equal(f->counters[0].frames, 200);
	assert_int_equal(f->counters[1].frames + f->counters[1].overruns, 200);
}

/* But a reader that takes nothing is dropped, on whichever thread it is, and holds nobody up for long. */
static ssize_t take_nothing(struct reader *reader, const void *bytes, size_t size, uint64_t frames)
{
	return 0;
}

static void a_reader_that_is_late_is_dropped_on_its_thread(void **state)
{
	static const struct reader_sink stuck = {.write = take_nothing, .overrun = overrun};
	struct fixture *f = *state;
	pthread_t thread;

	join(f, 0, &f->counters[0]);
	pthread_mutex_lock(&f->lock);
	assert_int_equal(
		fanout_join(f->fanout, flushers_at(f->flushers, 1), &f->counters[1].reader, &stuck),
		0);
	pthread_mutex_unlock(&f->lock);
	join(f, 1, &f->counters[2]);
	assert_int_equal(pthread_create(&thread, NULL, flush_late, f), 0);
	for (int i = 0; i < 100; i++)
		append(f, 200);
	usleep(5000);
	f->done = true;
	pthread_join(thread, NULL);
	assert_int_equal(f->counters[1].overruns, 1);
	assert_int_equal(f->counters[2].overruns, 0);
	assert_int_equal(f->counters[2].frames, 100);
}

/* Readers join, read at their own pace, leave and are dropped on two threads, both of which append, as may a third. */
struct storm {
	struct fixture *f;
	size_t thread;
	struct counter *counters;
	uint32_t random;
	unsigned rounds;
};

#define STORM_READERS 20

static uint32_t next_random(struct storm *storm, uint32_t below)
{
	storm->random = storm->random * 1664525 + 1013904223;
	return (storm->random >> 8) % below;
}

static void come_or_go(struct storm *storm, struct counter *counter)
{
	if (reader_is_reading(&counter->reader)) {
		reader_leave(&counter->reader);
	} else {
		counter->patience = next_random(storm, 3) ? 0 : 1 + next_random(storm, 4);
		join(storm->f, storm->thread, counter);
	}
}

static void *rage(void *user)
{
	struct storm *storm = user;
	struct flusher *flusher = flushers_at(storm->f->flushers, storm->thread);

	flusher_enter(flusher);
	for (unsigned i = 0; i < storm->rounds; i++) {
		come_or_go(storm, &storm->counters[next_random(storm, STORM_READERS)]);
		for (uint32_t n = next_random(storm, 20); n; n--)
			append(storm->f, 4 + next_random(storm, 300));
		flusher_run(flusher, next_random(storm, 2) ? 0 : 1);
		reader_writable(&storm->counters[next_random(storm, STORM_READERS)].reader);
	}
	for (int i = 0; i < STORM_READERS; i++)
		reader_leave(&storm->counters[i].reader);
	return NULL;
}

static void *append_only(void *user)
{
	struct storm *storm = user;

	for (unsigned i = 0; i < storm->rounds; i++)
		append(storm->f, 4 + next_random(storm, 100));
	return NULL;
}

static void everybody_hears_the_same_in_order_through_a_storm(void **state)
{
	struct fixture *f = *state;
	struct storm storms[] = {
		{f, 0, f->counters, 1, 3000},
		{f, 1, f->counters + STORM_READERS, 2, 3000},
		{f, 0, NULL, 3, 5000},
	};
	pthread_t threads[2];

	assert_int_equal(pthread_create(&threads[0], NULL, rage, &storms[1]), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, append_only, &storms[2]), 0);
	rage(&storms[0]);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	assert_true(f->number > 10000);
	assert_int_equal(fanout_readers(f->fanout), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* Thread 1 never runs: its readers are in the way for a second, then no more. */
static void who_stands_still_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	struct counter *here = &f->counters[0], *there = &f->counters[1], *late = &f->counters[2];
	int64_t start;

	join(f, 0, here);
	join(f, 1, there);
	for (int i = 0; i < 3; i++)
		append(f, 1000);
	start = milliseconds();
	for (int i = 0; i < 20; i++)
		append(f, 1000);
	assert_in_range(milliseconds() - start, 900, 3000);
	flusher_run(flushers_at(f->flushers, 0), 0);
	assert_int_equal(here->frames, 23);
	assert_int_equal(here->overruns, 0);
	assert_true(reader_is_reading(&there->reader)); /* nobody else may touch it */

	flusher_enter(flushers_at(f->flushers, 1));
	flusher_run(flushers_at(f->flushers, 1), 0);
	assert_false(reader_is_reading(&there->reader));
	assert_int_equal(there->overruns, 1);
	assert_int_equal(there->frames, 0); /* and was never given what had been overwritten */
	join(f, 1, late);
	append(f, 1000);
	flusher_run(flushers_at(f->flushers, 1), 0);
	assert_int_equal(late->frames, 1);
}

/* The same where it comes back by way of a connection that can be written to again, or of somebody who joins. */
static void who_comes_back_is_dropped_first(void **state)
{
	struct fixture *f = *state;
	struct counter *here = &f->counters[0], *slow = &f->counters[1], *other = &f->counters[2];

	join(f, 0, here);
	join(f, 1, slow);
	join(f, 1, other);
	slow->patience = 1000;
	append(f, 500);
	append(f, 500);
	flusher_enter(flushers_at(f->flushers, 1));
	flusher_run(flushers_at(f->flushers, 1), 0);
	flusher_enter(flushers_at(f->flushers, 0));
	for (int i = 0; i < 20; i++)
		append(f, 1000);
	reader_writable(&slow->reader);
	assert_int_equal(slow->overruns, 1);
	assert_int_equal(slow->frames, 1);
	assert_int_equal(other->overruns, 1);

	join(f, 1, slow);
	for (int i = 0; i < 20; i++)
		append(f, 1000);
	join(f, 1, other);
	assert_int_equal(slow->overruns, 2);
	assert_true(reader_is_reading(&other->reader));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flush_goes_on_where_it_was_cut),
		TEST(whose_place_changes_while_a_flush_is_cut_misses_nothing),
		TEST(readers_leave_at_any_point_of_a_pass),
		TEST(other_threads_are_woken_once),
		TEST(a_thread_that_is_late_loses_nothing),
		TEST(a_reader_that_is_late_is_dropped_on_its_thread),
		TEST(who_stands_still_is_not_waited_for),
		TEST(who_comes_back_is_dropped_first),
		TEST(everybody_hears_the_same_in_order_through_a_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
