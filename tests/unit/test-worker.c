#include "unit-service.h"

#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

struct job {
	struct worker_job job;
	sem_t *wait_for; /* NULL: nothing */
	sem_t *post;
	pthread_t worked_by;
	unsigned finished;
	unsigned begun; /* as which one of all, from 1 on */
};

static atomic_uint begun;

static void work(struct worker_job *base)
{
	struct job *job = (struct job *)base;

	job->worked_by = pthread_self();
	job->begun = ++begun;
	if (job->wait_for)
		sem_wait(job->wait_for);
	if (job->post)
		sem_post(job->post);
}

static void finish(struct service_task *task, struct service *service)
{
	struct job *job = (struct job *)task;

	assert_true(service_is_here(service));
	assert_false(pthread_equal(job->worked_by, pthread_self()));
	job->finished++;
}

static int try_post(struct worker *worker, struct service *service, struct job *job,
		    enum worker_kind kind, const char *room)
{
	job->job.work = work;
	job->job.task.run = finish;
	return worker_post(worker, service, &job->job, kind, room);
}

static void post_as(struct worker *worker, struct service *service, struct job *job,
		    enum worker_kind kind, const char *room)
{
	assert_int_equal(try_post(worker, service, job, kind, room), 0);
}

static void post(struct worker *worker, struct service *service, struct job *job)
{
	post_as(worker, service, job, WORKER_PAGE, "lobby");
}

static struct worker *create(unsigned n)
{
	struct worker *worker;

	assert_int_equal(worker_create(&worker, n), 0);
	return worker;
}

static void works_elsewhere_and_comes_back(void **state)
{
	struct worker *worker = create(2);
	struct job jobs[100] = {0};
	struct service service;

	unit_service_init(&service);
	for (size_t i = 0; i < LENGTH(jobs); i++)
		post(worker, &service, &jobs[i]);
	unit_service_run(&service, LENGTH(jobs));
	for (size_t i = 0; i < LENGTH(jobs); i++)
		assert_int_equal(jobs[i].finished, 1);
	worker_destroy(worker);
	worker_destroy(NULL);
	unit_service_finish(&service);
}

/* The first one waits for what only the second one does. */
static void one_that_takes_long_does_not_hold_up_others(void **state)
{
	struct worker *worker = create(4);
	struct service service;
	sem_t second;
	struct job jobs[2] = {{.wait_for = &second}, {.post = &second}};

	sem_init(&second, 0, 0);
	unit_service_init(&service);
	post(worker, &service, &jobs[0]);
	post(worker, &service, &jobs[1]);
	unit_service_run(&service, 2);
	assert_int_equal(jobs[0].finished + jobs[1].finished, 2);
	worker_destroy(worker);
	unit_service_finish(&service);
	sem_destroy(&second);
}

static void what_was_posted_is_done_first(void **state)
{
	struct worker *worker = create(1);
	struct job jobs[10] = {0};
	struct service service;

	unit_service_init(&service);
	for (size_t i = 0; i < LENGTH(jobs); i++)
		post(worker, &service, &jobs[i]);
	worker_destroy(worker);
	unit_service_run(&service, LENGTH(jobs));
	unit_service_finish(&service);
}

/* One thread, and a job that it is held up with until there are others. */
struct held {
	struct worker *worker;
	struct service service;
	struct job first;
	sem_t release;
};

static void hold(struct held *held)
{
	*held = (struct held){.first = {.wait_for = &held->release}};
	sem_init(&held->release, 0, 0);
	unit_service_init(&held->service);
	held->worker = create(1);
	begun = 0;
	post(held->worker, &held->service, &held->first);
	while (!begun)
		sched_yield();
}

static void release(struct held *held, unsigned jobs)
{
	sem_post(&held->release);
	unit_service_run(&held->service, 1 + jobs);
	worker_destroy(held->worker);
	unit_service_finish(&held->service);
	sem_destroy(&held->release);
}

static void who_comes_in_is_before_who_reads(void **state)
{
	struct job jobs[6] = {0};
	struct held held;

	hold(&held);
	for (int i = 0; i < 6; i++)
		post_as(held.worker, &held.service, &jobs[i],
			(enum worker_kind)(WORKER_PAGE - i / 2), "lobby");
	release(&held, 6);
	for (int i = 0; i < 6; i++)
		assert_int_equal((jobs[i].begun - 2) / 2, 2 - i / 2);
}

static void each_room_has_its_turn(void **state)
{
	static const char *const rooms[] = {"a", "a", "a", "b", "b", "c"};
	static const unsigned order[] = {1, 4, 6, 2, 5, 3};

	for (unsigned kind = 0; kind < WORKER_KINDS; kind++) {
		struct job jobs[LENGTH(rooms)] = {0};
		struct held held;

		hold(&held);
		for (size_t i = 0; i < LENGTH(rooms); i++)
			post_as(held.worker, &held.service, &jobs[i], (enum worker_kind)kind,
				rooms[i]);
		release(&held, LENGTH(rooms));
		for (size_t i = 0; i < LENGTH(rooms); i++)
			assert_int_equal(jobs[i].begun - 1, order[i]);
	}
}

static void so_many_may_wait(void **state)
{
	struct job *jobs = calloc(WORKER_QUEUE_MAX + 2, sizeof(*jobs));
	struct held held;

	hold(&held);
	for (unsigned i = 0; i < WORKER_QUEUE_MAX; i++)
		post(held.worker, &held.service, &jobs[i]);
	assert_int_equal(
		try_post(held.worker, &held.service, &jobs[WORKER_QUEUE_MAX], WORKER_PAGE, "other"),
		-EBUSY);
	post_as(held.worker, &held.service, &jobs[WORKER_QUEUE_MAX + 1], WORKER_OPENING, "other");
	release(&held, WORKER_QUEUE_MAX + 1);
	assert_int_equal(jobs[WORKER_QUEUE_MAX].finished, 0);
	free(jobs);
}

/* So many of a kind hang, each in a room of its own or all in one, and one of another kind doesn't. */
static void assert_does_not_hang(enum worker_kind hanging, bool in_one_room, enum worker_kind kind)
{
	struct worker *worker = create(4);
	struct job jobs[8] = {0}, other = {0};
	struct service service;
	sem_t end;

	sem_init(&end, 0, 0);
	unit_service_init(&service);
	for (size_t i = 0; i < LENGTH(jobs); i++) {
		const char room[] = {(char)('a' + i), '\0'};

		jobs[i].wait_for = &end;
		post_as(worker, &service, &jobs[i], hanging, in_one_room ? "a" : room);
	}
	post_as(worker, &service, &other, kind, "z");
	unit_service_run(&service, 1);
	assert_int_equal(other.finished, 1);
	for (size_t i = 0; i < LENGTH(jobs); i++)
		sem_post(&end);
	unit_service_run(&service, LENGTH(jobs));
	worker_destroy(worker);
	unit_service_finish(&service);
	sem_destroy(&end);
}

static void who_reads_leaves_threads_to_who_comes_in(void **state)
{
	assert_does_not_hang(WORKER_PAGE, false, WORKER_OPENING);
	assert_does_not_hang(WORKER_PAGE, false, WORKER_PAST);
	assert_does_not_hang(WORKER_PAST, false, WORKER_OPENING);
}

static void a_room_that_hangs_holds_one_thread(void **state)
{
	assert_does_not_hang(WORKER_OPENING, true, WORKER_OPENING);
	assert_does_not_hang(WORKER_OPENING, true, WORKER_PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(works_elsewhere_and_comes_back),
		cmocka_unit_test(one_that_takes_long_does_not_hold_up_others),
		cmocka_unit_test(what_was_posted_is_done_first),
		cmocka_unit_test(who_comes_in_is_before_who_reads),
		cmocka_unit_test(each_room_has_its_turn),
		cmocka_unit_test(so_many_may_wait),
		cmocka_unit_test(who_reads_leaves_threads_to_who_comes_in),
		cmocka_unit_test(a_room_that_hangs_holds_one_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
