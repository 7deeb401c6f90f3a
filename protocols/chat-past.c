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

/* Payload of a piece, whose frames take some more. */
#define PIECE_BYTES ((size_t)64 * 1024)

/* And so many messages: none is more than a thousandth of the turn of a loop. */
#define PIECE_MESSAGES 500

/* Who has been sent so many and still hasn't all won't ever. */
#define MESSAGES_MAX (2 * MISSED_MAX)

struct chat_past {
	struct worker_job job;
	/* What the client asked for. */
	bool resume;
	uint64_t since;
	char *epoch;
	unsigned history;
	/* How far it has come. */
	bool begun;
	bool taken;  /* some of it is on its way to the client */
	bool newest; /* the newest messages are wanted, and the first one isn't known yet */
	bool reset;  /* the client is to be told that all begins anew */
	bool was_reset;
	bool gap;      /* the next message is gone */
	uint64_t last; /* up to here all has been in the frames */
	size_t bytes;  /* of the payloads that are in them now */
	struct frames frames;
	unsigned messages; /* that have been in them */
	char room_epoch[40];
	/* While the worker has it. */
	bool busy;
	chat_past_fetch_fn done; /* NULL: nobody wants it any more */
	void *user;
	struct room *room;
	int error;
};

/* Whether it is there. What is no number is UINT64_MAX, as is what is too large for one. */
static bool read_number(struct session *session, const char *name, uint64_t *number)
{
	char *text = session_query(session, name);
	bool is_there = text != NULL;
	char *end;

	*number = UINT64_MAX;
	if (text && *text >= '0' && *text <= '9') {
		*number = strtoull(text, &end, 10);
		if (*end)
			*number = UINT64_MAX;
	}
	free(text);
	return is_there;
}

struct chat_past *chat_past_create(struct session *session)
{
	struct chat_past *past = calloc(1, sizeof(*past));
	uint64_t history;

	if (!past)
		return NULL;
	past->epoch = session_query(session, "epoch");
	/* Who names what there can't be wanted to resume all the same, and gets a reset. */
	past->resume = read_number(session, "since", &past->since);
	if (read_number(session, "history",
			&history)) /* as admission_check_past() lets it through */
		past->history = history < HISTORY_MAX ? (unsigned)history : HISTORY_MAX;
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

static void put_reset(struct chat_past *past, uint64_t sequence)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "type", json_object_new_string("reset"));
	json_object_object_add(object, "epoch", json_object_new_string(past->room_epoch));
	json_object_object_add(object, "seq", json_object_new_uint64(sequence));
	frames_put_json(&past->frames, object);
}

/* The newest messages are those after that one. */
static void begin_newest(struct chat_past *past, uint64_t sequence)
{
	past->newest = false;
	past->last = sequence;
	if (past->reset)
		put_reset(past, sequence);
	past->reset = false;
}

static void put_entry(void *user, const struct journal_entry *entry)
{
	struct chat_past *past = user;
	char text[64 * 1024];
	size_t size;

	if (past->newest)
		begin_newest(past, entry->sequence - 1);
	if (entry->sequence != past->last + 1)
		past->gap = true;
	if (past->gap)
		return;
	past->last = entry->sequence;
	past->bytes += entry->size;
	past->messages++;
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

/* The newest, as many as were asked for, or a few for who has missed more than there is. */
static int want_newest(struct chat_past *past, uint64_t end)
{
	int r = 0;
	/* Who has fallen behind what is kept comes no closer with many of them. */
	unsigned n = past->history && !past->taken ? past->history : HISTORY_AFTER_RESET;

	if (!past->taken) {
		past->bytes = 0;
		r = frames_open(&past->frames); /* what is there is no longer of use */
	}
	past->gap = false;
	past->newest = true;
	past->reset = past->was_reset = past->resume || past->taken;
	past->last = end > n ? end - n : 0;
	return r;
}

static int begin(struct chat_past *past, struct room *room, uint64_t end)
{
	past->begun = true;
	past->last = end; /* nothing is wanted */
	snprintf(past->room_epoch, sizeof(past->room_epoch), "%s", room_epoch(room));
	if (past->resume && may_resume(past, room, end))
		past->last = past->since;
	else if (past->resume || past->history)
		return want_newest(past, end);
	return 0;
}

/* All that comes up to end, as far as it fits. Returns 0, or -errno as room_read(). */
static int read_next(struct chat_past *past, struct room *room, uint64_t end, bool at_hand)
{
	const struct journal_range range = {
		.after = past->last,
		.before = end + 1,
		.limit = PIECE_MESSAGES - past->frames.n,
		.bytes = PIECE_BYTES - past->bytes,
		.at_hand = at_hand,
	};
	int r = room_read(room, &range, put_entry, past);

	if (r < 0)
		return r;
	if (!r && past->newest)
		begin_newest(past, end); /* nothing is kept */
	else if (!r || past->gap)
		return want_newest(past, end);
	return 0;
}

static bool is_full(const struct chat_past *past)
{
	return past->bytes >= PIECE_BYTES || past->frames.n >= PIECE_MESSAGES;
}

/* Up to what has been delivered by now, or until the piece is full. */
static int read_on(struct chat_past *past, struct room *room, bool at_hand)
{
	uint64_t end = room_delivered(room);
	int r = past->frames.out ? 0 : frames_open(&past->frames);

	if (!r && !past->begun)
		r = begin(past, room, end);
	if (!past->resume && !past->history)
		past->last = end; /* the welcome says where it begins */
	while (!r && (past->newest || past->last < end)) {
		if (is_full(past))
			return 1;
		if (past->messages > MESSAGES_MAX)
			return -EBUSY;
		r = read_next(past, room, end, at_hand);
	}
	return r;
}

int chat_past_read(struct chat_past *past, struct room *room)
{
	return read_on(past, room, true);
}

int chat_past_take(struct chat_past *past, struct frames *frames)
{
	int r = frames_close(&past->frames);

	*frames = past->frames;
	past->frames = (struct frames){0};
	past->bytes = 0;
	past->taken = true;
	return r;
}

static void work(struct worker_job *job)
{
	struct chat_past *past = (struct chat_past *)job;
	int r = read_on(past, past->room, false);

	past->error = r < 0 ? r : 0;
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

int chat_past_fetch(struct chat_past *past, struct service *service, struct room *room,
		    chat_past_fetch_fn done, void *user)
{
	int r;

	room_hold(room);
	past->room = room;
	past->done = done;
	past->user = user;
	past->busy = true;
	past->job.work = work;
	past->job.task.run = run;
	r = worker_post(service->server->worker, service, &past->job, WORKER_PAST, room_name(room));
	if (r < 0) {
		past->busy = false;
		room_release(room);
	}
	return r;
}

bool chat_past_is_resumed(const struct chat_past *past)
{
	return past->resume && !past->was_reset;
}

bool chat_past_is_reset(const struct chat_past *past)
{
	return past->was_reset;
}
