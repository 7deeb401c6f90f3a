#include "opening.h"

#include "rooms.h"
#include "server.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct opening {
	struct worker_job job;
	struct rooms *rooms;
	opening_done_fn done; /* NULL: nobody wants it any more */
	void *user;
	struct room *room;
	int error;
	char name[];
};

static void work(struct worker_job *job)
{
	struct opening *opening = (struct opening *)job;

	opening->error = room_open(opening->rooms, opening->name, &opening->room);
}

static void run(struct service_task *task, struct service *service)
{
	struct opening *opening = (struct opening *)task;

	if (opening->done && service)
		opening->done(opening->user, opening->error < 0 ? NULL : opening->room,
			      opening->error);
	else if (opening->done)
		opening->done(opening->user, NULL, -ECANCELED);
	if (!opening->error)
		room_release(opening->room);
	free(opening);
}

static struct opening *create(struct rooms *rooms, const char *name, opening_done_fn done,
			      void *user)
{
	size_t size = strlen(name) + 1;
	struct opening *opening = malloc(sizeof(*opening) + size);

	if (!opening)
		return NULL;
	*opening = (struct opening){
		.job = {.task.run = run, .work = work},
		.rooms = rooms,
		.done = done,
		.user = user,
	};
	memcpy(opening->name, name, size);
	return opening;
}

struct opening *opening_begin(struct service *service, const char *name, opening_done_fn done,
			      void *user)
{
	struct rooms *rooms = service->server->rooms;
	struct room *room = rooms_find(rooms, name);
	struct opening *opening = NULL;
	int error = 0;

	if (!room && rooms_may_wait(rooms)) {
		opening = create(rooms, name, done, user);
		error = opening ? worker_post(service->server->worker, service, &opening->job,
					      WORKER_OPENING, name)
				: -ENOMEM;
		if (!error)
			return opening;
		free(opening);
	} else if (!room) {
		error = room_open(rooms, name, &room);
	}
	done(user, error < 0 ? NULL : room, error);
	if (!error)
		room_release(room);
	return NULL;
}

void opening_forget(struct opening *opening)
{
	if (opening)
		opening->done = NULL;
}
