#include "unit-service.h"

static void on_wake(struct ev_loop *loop, struct ev_async *watcher, int events)
{
	/* It is enough that the loop has turned. */
}

void unit_service_init(struct service *service)
{
	*service = (struct service){.thread = pthread_self(), .loop = ev_loop_new(0)};
	assert_non_null(service->loop);
	service->last_task = &service->first_task;
	pthread_mutex_init(&service->lock, NULL);
	ev_async_init(&service->wake, on_wake);
	ev_async_start(service->loop, &service->wake);
}

void unit_service_finish(struct service *service)
{
	assert_null(service->first_task);
	ev_loop_destroy(service->loop);
	pthread_mutex_destroy(&service->lock);
}

static struct service_task *take(struct service *service)
{
	struct service_task *task;

	pthread_mutex_lock(&service->lock);
	task = service->first_task;
	if (task)
		service->first_task = task->next;
	if (!service->first_task)
		service->last_task = &service->first_task;
	pthread_mutex_unlock(&service->lock);
	return task;
}

void unit_service_run(struct service *service, unsigned tasks)
{
	while (tasks) {
		struct service_task *task = take(service);

		if (task) {
			task->run(task, service);
			tasks--;
		} else {
			ev_run(service->loop, EVRUN_ONCE);
		}
	}
}
