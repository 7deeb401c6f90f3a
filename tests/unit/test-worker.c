#include "unit-service.h"

#include "worker.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>

struct job {
	struct worker_job job;
	sem_t *wait_for; /* NULL: nothing */
	sem_t *post;
	pthread_t worked_by;
	unsigned finished;
};

static void work(struct worker_job *base)
{
	struct job *job = (struct job *)base;

	job->worked_by = pthread_self();
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

static void post(struct worker *worker, struct service *service, struct job *job)
{
	job->job.work = work;
	job->job.task.run = finish;
	worker_post(worker, service, &job->job);
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
	struct worker *worker = create(2);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(works_elsewhere_and_comes_back),
		cmocka_unit_test(one_that_takes_long_does_not_hold_up_others),
		cmocka_unit_test(what_was_posted_is_done_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
