#include "room.h"

#include "deflater.h"
#include "people.h"
#include "room-place.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The text of a message must fit here: it is encoded once, then copied into the wire log. */
#define ENCODED_SIZE (64 * 1024)

/* Of each kind of members, those who take the frames as they are and those who take them compressed. */
enum { PLAIN, PLAIN_DEFLATED, RICH, RICH_DEFLATED, N_FANOUTS };

static const enum room_kind kind_of[] = {ROOM_PLAIN, ROOM_PLAIN, ROOM_RICH, ROOM_RICH};
static const bool is_deflated[] = {false, true, false, true};

struct room {
	struct room_place place; /* first */
	const struct room_settings *settings;
	pthread_mutex_t lock; /* of all that follows */
	struct journal_stream *stream;
	uint64_t delivered; /* the last message that members have, or are about to have */
	struct fanout *fanouts[N_FANOUTS];
	struct deflater *deflater; /* NULL: not needed */
	struct people *people;
	size_t count; /* of members */
};

/* A fan-out waits with the lock released, which must be so whether or not it is the journal that called. */
static void init_recursive(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

int room_create(const struct room_settings *settings, const char *name, struct room **roomp)
{
	struct room *room = calloc(1, sizeof(*room));
	int r;

	if (!room)
		return -ENOMEM;
	room->settings = settings;
	init_recursive(&room->lock);
	room->place.name = strdup(name);
	r = room->place.name ? people_create(&room->people) : -ENOMEM;
	if (r < 0)
		room_destroy(room);
	else
		*roomp = room;
	return r;
}

void room_destroy(struct room *room)
{
	if (!room)
		return;
	journal_close(room->stream);
	for (int i = 0; i < N_FANOUTS; i++)
		fanout_destroy(room->fanouts[i]);
	deflater_destroy(room->deflater);
	people_destroy(room->people);
	pthread_mutex_destroy(&room->lock);
	free(room->place.name);
	free(room);
}

/* Compresses the text unless that has been done; false: it isn't worth it. */
static bool deflate_once(struct room *room, const char *text, size_t size, char *out, size_t *n)
{
	if (*n == SIZE_MAX)
		*n = size >= DEFLATER_MIN_SIZE && size <= ENCODED_SIZE && room->deflater
			     ? deflater_run(room->deflater, text, size, out, size)
			     : 0;
	return *n > 0;
}

static bool has_readers(const struct fanout *fanout)
{
	return fanout && fanout_readers(fanout);
}

/* With the lock held. */
static int announce(struct room *room, enum room_kind kinds, const char *text, size_t size)
{
	char deflated[ENCODED_SIZE];
	size_t n = SIZE_MAX;
	int r = fanout_reserve(room->fanouts, N_FANOUTS, wire_frame_size(size));

	if (r <= 0)
		return r;
	for (int i = 0; i < N_FANOUTS; i++) {
		if (!(kinds & kind_of[i]) || !has_readers(room->fanouts[i]))
			continue;
		if (is_deflated[i] && deflate_once(room, text, size, deflated, &n))
			fanout_append_frame(room->fanouts[i], WIRE_COMPRESSED_TEXT, deflated, n);
		else
			fanout_append_frame(room->fanouts[i], WIRE_TEXT, text, size);
	}
	return 0;
}

/*
 * The journal calls it while it is being handed a message, with the lock held
 * already, or on a thread of its own.
 */
static void deliver(void *user, const struct journal_entry *entries, size_t n)
{
	struct room *room = user;
	char text[ENCODED_SIZE];

	pthread_mutex_lock(&room->lock);
	for (size_t i = 0; i < n; i++) {
		size_t size =
			room->count ? room->settings->encode(&entries[i], text, sizeof(text)) : 0;

		if (size && size <= sizeof(text))
			announce(room, ROOM_BOTH, text, size);
		room->delivered = entries[i].sequence;
	}
	pthread_mutex_unlock(&room->lock);
}

int room_open_stream(struct room *room)
{
	int r = journal_open(room->settings->journal, room->place.name, deliver, room,
			     &room->stream);

	if (!r)
		room->delivered = journal_head(room->stream);
	return r;
}

const char *room_name(const struct room *room)
{
	return room->place.name;
}

size_t room_size(struct room *room)
{
	size_t count;

	pthread_mutex_lock(&room->lock);
	count = room->count;
	pthread_mutex_unlock(&room->lock);
	return count;
}

size_t room_people(struct room *room)
{
	size_t count;

	pthread_mutex_lock(&room->lock);
	count = people_count(room->people);
	pthread_mutex_unlock(&room->lock);
	return count;
}

char *room_list_people(struct room *room, size_t *size, size_t *people)
{
	const char *list;
	char *copy = NULL;

	pthread_mutex_lock(&room->lock);
	*people = people_count(room->people);
	list = people_list(room->people, size);
	if (list)
		copy = malloc(*size + 1);
	if (copy)
		*(char *)mempcpy(copy, list, *size) = '\0';
	pthread_mutex_unlock(&room->lock);
	return copy;
}

/* The one for those who join like that, which is made when it is first needed. */
static int open_fanout(struct room *room, const struct room_joining *how, struct fanout **fanoutp)
{
	int i = (how->kind == ROOM_RICH ? RICH : PLAIN) + (how->deflated ? 1 : 0);
	int r = 0;

	if (how->deflated && !room->deflater)
		r = deflater_create(&room->deflater);
	if (!r && !room->fanouts[i])
		r = fanout_create(&room->fanouts[i], room->settings->flushers, room->settings->ring,
				  &room->lock);
	*fanoutp = room->fanouts[i];
	return r;
}

/* With the lock held. */
static int enter(struct room *room, struct member *member, const struct room_joining *how)
{
	int n = how->name ? people_add(room->people, how->name) : 0;

	if (n < 0)
		return n;
	member->room = room;
	member->name = how->name;
	room->count++;
	room_hold(room);
	return n;
}

int room_enter(struct room *room, struct member *member, const struct room_joining *how)
{
	int r;

	pthread_mutex_lock(&room->lock);
	r = enter(room, member, how);
	pthread_mutex_unlock(&room->lock);
	return r;
}

int room_listen(struct member *member, const struct room_joining *how)
{
	struct room *room = member->room;
	struct fanout *fanout;
	int r;

	pthread_mutex_lock(&room->lock);
	r = open_fanout(room, how, &fanout);
	if (!r)
		r = fanout_join(fanout, how->flusher, &member->reader, how->sink);
	pthread_mutex_unlock(&room->lock);
	return r;
}

int room_join(struct room *room, struct member *member, const struct room_joining *how)
{
	int n, r;

	pthread_mutex_lock(&room->lock);
	n = enter(room, member, how);
	r = n < 0 ? n : room_listen(member, how);
	pthread_mutex_unlock(&room->lock);
	if (!r)
		return n;
	if (n >= 0)
		room_leave(member);
	return r;
}

int room_leave(struct member *member)
{
	struct room *room = member->room;
	int left = 0;

	if (!room)
		return -ENOENT;
	pthread_mutex_lock(&room->lock);
	reader_leave(&member->reader);
	member->room = NULL;
	if (member->name)
		left = people_remove(room->people, member->name);
	if (!--room->count) {
		deflater_destroy(room->deflater);
		room->deflater = NULL;
	}
	pthread_mutex_unlock(&room->lock);
	room_release(room);
	return left;
}

/* Room in the log comes first: once it is in order, a message must not wait with the lock released. */
void room_publish(struct room *room, struct journal_publication *publication)
{
	pthread_mutex_lock(&room->lock);
	fanout_reserve(room->fanouts, N_FANOUTS,
		       wire_frame_size(publication->size + ROOM_ENCODE_EXTRA));
	journal_publish(room->stream, publication);
	pthread_mutex_unlock(&room->lock);
}

int room_announce(struct room *room, enum room_kind kinds, const char *text, size_t size)
{
	int r;

	pthread_mutex_lock(&room->lock);
	r = announce(room, kinds, text, size);
	pthread_mutex_unlock(&room->lock);
	return r;
}

int room_append(struct room *room, const void *bytes, size_t size)
{
	int r;

	pthread_mutex_lock(&room->lock);
	r = fanout_reserve(&room->fanouts[PLAIN], 1, size);
	if (r > 0)
		fanout_append_raw(room->fanouts[PLAIN], bytes, size);
	pthread_mutex_unlock(&room->lock);
	return r < 0 ? r : 0;
}

void room_lock(struct room *room)
{
	pthread_mutex_lock(&room->lock);
}

void room_unlock(struct room *room)
{
	pthread_mutex_unlock(&room->lock);
}

uint64_t room_delivered(struct room *room)
{
	uint64_t delivered;

	pthread_mutex_lock(&room->lock);
	delivered = room->delivered;
	pthread_mutex_unlock(&room->lock);
	return delivered;
}

int room_read(struct room *room, const struct journal_range *range, journal_entry_fn each,
	      void *user)
{
	return journal_read(room->stream, range, each, user);
}

uint64_t room_head(struct room *room)
{
	return journal_head(room->stream);
}

const char *room_epoch(struct room *room)
{
	return journal_epoch(room->stream);
}
