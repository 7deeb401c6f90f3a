#include "protocols/chat-past.h"

#include "message.h"
#include "rooms.h"
#include "server.h"
#include "session.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Messages that a client may ask for when it joins: who wants more asks for pages over HTTP. */
#define HISTORY_MAX 1000

/* And that it may have missed. */
#define MISSED_MAX 10000

/* And what one gets who asked for messages that are gone. */
#define HISTORY_AFTER_RESET 50

/* Turns of the worker; each brings it closer to what is said meanwhile, unless that is too much. */
#define TURNS_MAX 32

struct chat_past {
	struct worker_job job;
	/* What the client asked for. */
	bool resume;
	uint64_t since;
	char *epoch;
	unsigned history;
	/* How far it has come. */
	bool begun;
	bool newest; /* a page of the newest messages is wanted, and its first one not known yet */
	bool reset;
	bool gap;	 /* the next message is gone */
	uint64_t before; /* the sequence in front of the first one */
	uint64_t last;	 /* up to here all is in the frames */
	struct frames frames;
	unsigned turns;
	/* While the worker has it. */
	bool busy;
	chat_past_read_fn done; /* NULL: nobody wants it any more */
	void *user;
	struct room *room;
	int error;
};

static bool read_number(struct session *session, const char *name, uint64_t *number)
{
	char *text = session_query(session, name);
	char *end = NULL;
	bool is = false;

	if (text && *text >= '0' && *text <= '9') {
		*number = strtoull(text, &end, 10);
		is = !*end;
	}
	free(text);
	return is;
}

struct chat_past *chat_past_create(struct session *session)
{
	struct chat_past *past = calloc(1, sizeof(*past));
	uint64_t history;

	if (!past)
		return NULL;
	past->epoch = session_query(session, "epoch");
	past->resume = read_number(session, "since", &past->since);
	if (read_number(session, "history", &history))
		past->history = history < HISTORY_MAX ? (unsigned)history : HISTORY_MAX;
	if (frames_open(&past->frames) < 0) {
		chat_past_destroy(past);
		return NULL;
	}
	return past;
}

void chat_past_destroy(struct chat_past *past)
{
	if (!past)
		return;
	if (past->busy) {
		past->done = NULL;
		return;
	}
	frames_finish(&past->frames);
	free(past->epoch);
	free(past);
}

static void put_entry(void *user, const struct journal_entry *entry)
{
	struct chat_past *past = user;
	char text[64 * 1024];
	size_t size;

	if (past->newest)
		past->before = entry->sequence - 1;
	else if (entry->sequence != past->last + 1)
		past->gap = true;
	if (past->gap)
		return;
	past->newest = false;
	past->last = entry->sequence;
	size = message_encode(entry, text, sizeof(text));
	if (size <= sizeof(text))
		frames_put(&past->frames, text, size);
}

/* Whether what was said after since may still be there, and isn't too much. */
static bool may_resume(const struct chat_past *past, struct room *room, uint64_t end)
{
	return past->epoch && !strcmp(past->epoch, room_epoch(room)) && past->since <= end &&
	       end - past->since <= MISSED_MAX;
}

static void begin(struct chat_past *past, struct room *room, uint64_t end)
{
	past->begun = true;
	past->last = end; /* nothing is wanted */
	if (past->resume && may_resume(past, room, end)) {
		past->last = past->since;
	} else if (past->resume || past->history) {
		past->newest = true;
		past->reset = past->resume;
	}
}

/* What is there is no longer of use. */
static int begin_anew(struct chat_past *past)
{
	past->gap = false;
	past->newest = true;
	past->reset = past->resume;
	return frames_open(&past->frames);
}

static int read_newest(struct chat_past *past, struct room *room, uint64_t end, bool at_hand)
{
	const struct journal_range range = {
		.before = end + 1,
		.limit = past->history ? past->history : HISTORY_AFTER_RESET,
		.newest = true,
		.at_hand = at_hand,
	};
	int r = room_read(room, &range, put_entry, past);

	if (r)
		return r < 0 ? r : 0;
	past->newest = false; /* nothing is kept */
	past->before = past->last = end;
	return 0;
}

static int read_next(struct chat_past *past, struct room *room, uint64_t end, bool at_hand)
{
	const struct journal_range range = {
		.after = past->last, .before = end + 1, .limit = MISSED_MAX, .at_hand = at_hand};
	int r = room_read(room, &range, put_entry, past);

	if (!r || past->gap)
		r = begin_anew(past);
	return r < 0 ? r : 0;
}

/* Up to what has been delivered by now. */
static int read_on(struct chat_past *past, struct room *room, bool at_hand)
{
	uint64_t end = room_delivered(room);
	int r = 0;

	if (!past->begun)
		begin(past, room, end);
	while (!r && (past->newest || past->last < end))
		r = past->newest ? read_newest(past, room, end, at_hand)
				 : read_next(past, room, end, at_hand);
	return r;
}

int chat_past_complete(struct chat_past *past, struct room *room)
{
	int r = read_on(past, room, true);

	if (r == -EAGAIN && (past->turns >= TURNS_MAX || past->frames.n > 2 * MISSED_MAX))
		return -EBUSY;
	return r ? r : frames_close(&past->frames);
}

static void work(struct worker_job *job)
{
	struct chat_past *past = (struct chat_past *)job;

	past->error = read_on(past, past->room, false);
}

static void run(struct service_task *task, struct service *service)
{
	struct chat_past *past = (struct chat_past *)task;
	struct room *room = past->room;

	past->busy = false;
	if (past->done)
		past->done(past->user, room, service ? past->error : -ECANCELED);
	else
		chat_past_destroy(past);
	room_release(room);
}

void chat_past_read(struct chat_past *past, struct service *service, struct room *room,
		    chat_past_read_fn done, void *user)
{
	room_hold(room);
	past->room = room;
	past->done = done;
	past->user = user;
	past->busy = true;
	past->turns++;
	past->job.work = work;
	past->job.task.run = run;
	if (worker_post(service->server->worker, service, &past->job, WORKER_PAST,
			room_name(room)) < 0)
		abort();
}

bool chat_past_is_resumed(const struct chat_past *past)
{
	return past->resume && !past->reset;
}

bool chat_past_is_reset(const struct chat_past *past, uint64_t *sequence)
{
	*sequence = past->before;
	return past->reset;
}

const struct frames *chat_past_frames(const struct chat_past *past)
{
	return &past->frames;
}
