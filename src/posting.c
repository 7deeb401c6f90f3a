#include "posting.h"

#include "rooms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct posting {
	struct service_task task; /* the way back */
	struct journal_publication publication;
	struct journal_redaction redaction;
	struct service *service;
	struct room *room;
	posting_done_fn done; /* NULL: nobody wants to hear of it */
	void *user;
	bool completed; /* before it did, on its own thread */
	char *payload;
	struct journal_mark *mark;
	char key[];
};

static void finish(struct posting *posting)
{
	if (posting->done)
		posting->done(posting->user, &posting->publication);
	free(posting->payload);
	free(posting->mark);
	free(posting);
}

static void run_finish(struct service_task *task, struct service *service)
{
	finish((struct posting *)task);
}

/* With the memory journal this is within room_publish(), whose lock is held; else on the journal's thread. */
static void on_published(struct journal_publication *publication)
{
	struct posting *posting =
		(struct posting *)((char *)publication - offsetof(struct posting, publication));
	struct room *room = posting->room;

	if (service_is_here(posting->service))
		posting->completed = true;
	else
		service_post(posting->service, &posting->task);
	room_release(room);
}

static struct posting *create(const struct posting_text *text)
{
	struct posting *posting = malloc(sizeof(*posting) + text->key_size);

	if (!posting)
		return NULL;
	*posting = (struct posting){
		.task.run = run_finish,
		.publication = {.payload = text->payload,
				.size = text->size,
				.mark = text->mark,
				.done = on_published},
		.payload = text->payload,
		.mark = text->mark,
	};
	if (text->key) {
		memcpy(posting->key, text->key, text->key_size);
		posting->publication.key = posting->key;
		posting->publication.key_size = text->key_size;
	}
	if (text->redaction) {
		posting->redaction = *text->redaction;
		posting->publication.redaction = &posting->redaction;
	}
	return posting;
}

struct posting *posting_send(struct service *service, struct room *room,
			     const struct posting_text *text, posting_done_fn done, void *user,
			     int *error)
{
	struct posting *posting = create(text);

	*error = 0;
	if (!posting) {
		free(text->payload);
		free(text->mark);
		*error = -ENOMEM;
		return NULL;
	}
	posting->service = service;
	posting->room = room;
	posting->done = done;
	posting->user = user;
	room_hold(room);
	room_hold(room); /* as long as this takes: it is locked while its journal answers */
	room_publish(room, &posting->publication);
	room_release(room);
	if (!posting->completed)
		return posting;
	finish(posting);
	return NULL;
}

void posting_forget(struct posting *posting)
{
	if (posting)
		posting->done = NULL;
}
