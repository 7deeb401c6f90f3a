#include "room.h"

#include "deflater.h"
#include "people.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The text of a message must fit here: it is encoded once, then copied into the wire log. */
#define ENCODED_SIZE (64 * 1024)

struct rooms {
	struct journal *journal;
	struct flushers *flushers;
	room_encode_fn encode;
	size_t ring;
	pthread_mutex_t lock; /* of the table; taken before a room's */
	struct lh_table *by_name;
	struct lh_table *unlisted;
	pthread_cond_t emptied;
	pthread_cond_t opened; /* some room, or it could not be */
};

/* Of each kind of members, those who take the frames as they are and those who take them compressed. */
enum { PLAIN, PLAIN_DEFLATED, RICH, RICH_DEFLATED, N_FANOUTS };

static const enum room_kind kind_of[] = {ROOM_PLAIN, ROOM_PLAIN, ROOM_RICH, ROOM_RICH};
static const bool is_deflated[] = {false, true, false, true};

struct room {
	struct rooms *rooms;
	char *name;
	struct lh_table *table; /* that it is in; NULL: in none */
	bool opening;		/* the rooms' lock is for this one, too */
	int error;		/* why it could not be opened */
	atomic_uint references;
	pthread_mutex_t lock; /* of all that follows */
	struct journal_stream *stream;
	uint64_t delivered; /* the last message that members have, or are about to have */
	struct fanout *fanouts[N_FANOUTS];
	struct deflater *deflater; /* NULL: not needed */
	struct people *people;
	size_t count; /* of members */
};

int rooms_create(struct rooms **roomsp, struct journal *journal, struct flushers *flushers,
		 room_encode_fn encode, size_t ring)
{
	struct rooms *rooms = calloc(1, sizeof(*rooms));

	if (!rooms)
		return -ENOMEM;
	rooms->journal = journal;
	rooms->flushers = flushers;
	rooms->encode = encode;
	rooms->ring = ring;
	rooms->by_name = lh_kchar_table_new(16, NULL);
	rooms->unlisted = lh_kchar_table_new(16, NULL);
	pthread_mutex_init(&rooms->lock, NULL);
	pthread_cond_init(&rooms->emptied, NULL);
	pthread_cond_init(&rooms->opened, NULL);
	if (!rooms->by_name || !rooms->unlisted) {
		rooms_destroy(rooms);
		return -ENOMEM;
	}
	*roomsp = rooms;
	return 0;
}

void rooms_destroy(struct rooms *rooms)
{
	if (!rooms)
		return;
	if (rooms->by_name)
		lh_table_free(rooms->by_name);
	if (rooms->unlisted)
		lh_table_free(rooms->unlisted);
	pthread_cond_destroy(&rooms->opened);
	pthread_cond_destroy(&rooms->emptied);
	pthread_mutex_destroy(&rooms->lock);
	free(rooms);
}

/* With the table's lock held. */
static bool is_empty(const struct rooms *rooms)
{
	return !lh_table_length(rooms->by_name) && !lh_table_length(rooms->unlisted);
}

void rooms_wait(struct rooms *rooms)
{
	pthread_mutex_lock(&rooms->lock);
	while (!is_empty(rooms))
		pthread_cond_wait(&rooms->emptied, &rooms->lock);
	pthread_mutex_unlock(&rooms->lock);
}

size_t rooms_count(struct rooms *rooms)
{
	size_t count;

	pthread_mutex_lock(&rooms->lock);
	count = (size_t)lh_table_length(rooms->by_name);
	pthread_mutex_unlock(&rooms->lock);
	return count;
}

void rooms_each(struct rooms *rooms, bool (*each)(void *user, struct room *room), void *user)
{
	struct lh_entry *entry;

	pthread_mutex_lock(&rooms->lock);
	lh_foreach(rooms->by_name, entry) {
		struct room *room = lh_entry_v(entry);

		if (!room->opening && !each(user, room))
			break;
	}
	pthread_mutex_unlock(&rooms->lock);
}

/* With the table's lock held. */
static struct room *look_up(struct lh_table *table, const char *name)
{
	void *found;

	return lh_table_lookup_ex(table, name, &found) ? found : NULL;
}

struct room *rooms_find(struct rooms *rooms, const char *name)
{
	struct room *room;

	pthread_mutex_lock(&rooms->lock);
	room = look_up(rooms->by_name, name);
	if (room && room->opening)
		room = NULL;
	if (room)
		room_hold(room);
	pthread_mutex_unlock(&rooms->lock);
	return room;
}

static void destroy(struct room *room)
{
	if (!room)
		return;
	journal_close(room->stream);
	for (int i = 0; i < N_FANOUTS; i++)
		fanout_destroy(room->fanouts[i]);
	deflater_destroy(room->deflater);
	people_destroy(room->people);
	pthread_mutex_destroy(&room->lock);
	free(room->name);
	free(room);
}

/* A fan-out waits with the lock released, which must be so whether or not it is the journal that called. */
static void init_recursive(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

/* With the table's lock held. */
static int create(struct rooms *rooms, const char *name, struct room **roomp)
{
	struct room *room = calloc(1, sizeof(*room));
	int r;

	if (!room)
		return -ENOMEM;
	room->rooms = rooms;
	room->references = 1;
	init_recursive(&room->lock);
	room->name = strdup(name);
	r = room->name ? people_create(&room->people) : -ENOMEM;
	if (r < 0) {
		destroy(room);
		return r;
	}
	*roomp = room;
	return 0;
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
			room->count ? room->rooms->encode(&entries[i], text, sizeof(text)) : 0;

		if (size && size <= sizeof(text))
			announce(room, ROOM_BOTH, text, size);
		room->delivered = entries[i].sequence;
	}
	pthread_mutex_unlock(&room->lock);
}

static int open_stream(struct room *room)
{
	int r = journal_open(room->rooms->journal, room->name, deliver, room, &room->stream);

	if (!r)
		room->delivered = journal_head(room->stream);
	return r;
}

/* With the table's lock held, but not while the journal waits for its disk. */
static void open_with_journal(struct rooms *rooms, struct room *room)
{
	int r;

	room->opening = true;
	pthread_mutex_unlock(&rooms->lock);
	r = open_stream(room);
	pthread_mutex_lock(&rooms->lock);
	room->opening = false;
	room->error = r;
	if (r < 0) {
		lh_table_delete(room->table, room->name);
		room->table = NULL;
	}
	pthread_cond_broadcast(&rooms->opened);
}

/* With the table's lock held. */
static int add(struct rooms *rooms, struct lh_table *table, const char *name, struct room **roomp)
{
	struct room *room;
	int r = create(rooms, name, &room);

	if (!r && lh_table_insert(table, room->name, room)) {
		destroy(room);
		r = -ENOMEM;
	}
	if (r < 0)
		return r;
	room->table = table;
	if (table == rooms->by_name)
		open_with_journal(rooms, room);
	*roomp = room;
	return 0;
}

/* With the table's lock held. Whoever else opens it meanwhile waits, too. */
static int open_in(struct rooms *rooms, struct lh_table *table, const char *name,
		   struct room **roomp)
{
	struct room *room = look_up(table, name);

	if (!room)
		return add(rooms, table, name, roomp);
	room_hold(room);
	while (room->opening)
		pthread_cond_wait(&rooms->opened, &rooms->lock);
	*roomp = room;
	return 0;
}

/* A room that could not be opened is in no table, and gone when all who wanted it have released it. */
static int open_room(struct rooms *rooms, struct lh_table *table, const char *name,
		     struct room **roomp)
{
	struct room *room;
	int r;

	pthread_mutex_lock(&rooms->lock);
	r = open_in(rooms, table, name, &room);
	pthread_mutex_unlock(&rooms->lock);
	if (r < 0)
		return r;
	if (room->error < 0) {
		r = room->error;
		room_release(room);
		return r;
	}
	*roomp = room;
	return 0;
}

bool rooms_may_wait(const struct rooms *rooms)
{
	return journal_waits(rooms->journal);
}

int room_open(struct rooms *rooms, const char *name, struct room **roomp)
{
	return open_room(rooms, rooms->by_name, name, roomp);
}

int room_open_unlisted(struct rooms *rooms, const char *name, struct room **roomp)
{
	return open_room(rooms, rooms->unlisted, name, roomp);
}

void room_hold(struct room *room)
{
	atomic_fetch_add_explicit(&room->references, 1, memory_order_relaxed);
}

/* Whether there are others still: the last one must look at the table first, where the room can be found. */
static bool release_shared(struct room *room)
{
	unsigned references = atomic_load_explicit(&room->references, memory_order_relaxed);

	while (references > 1)
		if (atomic_compare_exchange_weak(&room->references, &references, references - 1))
			return true;
	return false;
}

void room_release(struct room *room)
{
	struct rooms *rooms;

	if (!room || release_shared(room))
		return;
	rooms = room->rooms;
	pthread_mutex_lock(&rooms->lock);
	if (atomic_fetch_sub(&room->references, 1) == 1) {
		if (room->table)
			lh_table_delete(room->table, room->name);
		destroy(room);
		if (is_empty(rooms))
			pthread_cond_signal(&rooms->emptied);
	}
	pthread_mutex_unlock(&rooms->lock);
}

const char *room_name(const struct room *room)
{
	return room->name;
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

void room_each_person(struct room *room, bool (*each)(void *user, const char *name), void *user)
{
	pthread_mutex_lock(&room->lock);
	people_each(room->people, each, user);
	pthread_mutex_unlock(&room->lock);
}

/* The one for those who join like that, which is made when it is first needed. */
static int open_fanout(struct room *room, const struct room_joining *how, struct fanout **fanoutp)
{
	struct rooms *rooms = room->rooms;
	int i = (how->kind == ROOM_RICH ? RICH : PLAIN) + (how->deflated ? 1 : 0);
	int r = 0;

	if (how->deflated && !room->deflater)
		r = deflater_create(&room->deflater);
	if (!r && !room->fanouts[i])
		r = fanout_create(&room->fanouts[i], rooms->flushers, rooms->ring, &room->lock);
	*fanoutp = room->fanouts[i];
	return r;
}

/* With the lock held. */
static int join(struct room *room, struct member *member, const struct room_joining *how)
{
	struct fanout *fanout;
	int r = open_fanout(room, how, &fanout);
	int n = 0;

	if (r < 0)
		return r;
	if (how->name)
		n = people_add(room->people, how->name);
	if (n < 0)
		return n;
	r = fanout_join(fanout, how->flusher, &member->reader, how->sink);
	if (r < 0) {
		if (how->name)
			people_remove(room->people, how->name);
		return r;
	}
	member->room = room;
	member->name = how->name;
	room->count++;
	room_hold(room);
	return n;
}

int room_join(struct room *room, struct member *member, const struct room_joining *how)
{
	int r;

	pthread_mutex_lock(&room->lock);
	r = join(room, member, how);
	pthread_mutex_unlock(&room->lock);
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
