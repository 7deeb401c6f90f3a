#include "room.h"

#include "deflater.h"

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
};

enum { PLAIN, DEFLATED, N_FANOUTS };

struct room {
	struct rooms *rooms;
	char *name;
	struct lh_table *table; /* that it is in; NULL: not yet */
	atomic_uint references;
	pthread_mutex_t lock; /* of all that follows */
	struct journal_stream *stream;
	struct fanout *fanouts[N_FANOUTS];
	struct deflater *deflater; /* NULL: not needed */
	struct member *members;
	size_t count;
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
	pthread_mutex_destroy(&rooms->lock);
	free(rooms);
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
	lh_foreach(rooms->by_name, entry)
		if (!each(user, lh_entry_v(entry)))
			break;
	pthread_mutex_unlock(&rooms->lock);
}

/* With the table's lock held. */
static struct room *find(const struct lh_table *table, const char *name)
{
	void *found;

	if (!lh_table_lookup_ex((struct lh_table *)(uintptr_t)table, name, &found))
		return NULL;
	room_hold(found);
	return found;
}

struct room *rooms_find(struct rooms *rooms, const char *name)
{
	struct room *room;

	pthread_mutex_lock(&rooms->lock);
	room = find(rooms->by_name, name);
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
	r = room->name ? 0 : -ENOMEM;
	if (!r)
		r = fanout_create(&room->fanouts[PLAIN], rooms->flushers, rooms->ring, &room->lock);
	if (r < 0) {
		destroy(room);
		return r;
	}
	*roomp = room;
	return 0;
}

/* With the lock held, as often as it may be. */
static void append_deflated(struct room *room, const char *text, size_t size)
{
	char deflated[ENCODED_SIZE];
	size_t n = 0;

	if (size >= DEFLATER_MIN_SIZE && size <= sizeof(deflated))
		n = deflater_run(room->deflater, text, size, deflated, size);
	if (n)
		fanout_append_frame(room->fanouts[DEFLATED], WIRE_COMPRESSED_TEXT, deflated, n);
	else
		fanout_append_frame(room->fanouts[DEFLATED], WIRE_TEXT, text, size);
}

static int announce(struct room *room, const char *text, size_t size)
{
	int r = fanout_reserve(room->fanouts, N_FANOUTS, wire_frame_size(size));

	if (r <= 0)
		return r;
	if (fanout_readers(room->fanouts[PLAIN]))
		fanout_append_frame(room->fanouts[PLAIN], WIRE_TEXT, text, size);
	if (room->fanouts[DEFLATED] && fanout_readers(room->fanouts[DEFLATED]))
		append_deflated(room, text, size);
	return 0;
}

/* The journal calls it while it is being handed a message, or on a thread of its own. */
static void deliver(void *user, const struct journal_entry *entry)
{
	struct room *room = user;
	char text[ENCODED_SIZE];
	size_t size;

	pthread_mutex_lock(&room->lock);
	if (room->count) {
		size = room->rooms->encode(entry, text, sizeof(text));
		if (size <= sizeof(text))
			announce(room, text, size);
	}
	pthread_mutex_unlock(&room->lock);
}

static int open_in(struct rooms *rooms, struct lh_table *table, const char *name,
		   struct room **roomp)
{
	struct room *room = find(table, name);
	int r = 0;

	if (!room) {
		r = create(rooms, name, &room);
		if (!r && table == rooms->by_name)
			r = journal_open(rooms->journal, name, deliver, room, &room->stream);
		if (!r && lh_table_insert(table, room->name, room))
			r = -ENOMEM;
		if (r < 0) {
			destroy(room);
			return r;
		}
		room->table = table;
	}
	*roomp = room;
	return 0;
}

int room_open(struct rooms *rooms, const char *name, struct room **roomp)
{
	int r;

	pthread_mutex_lock(&rooms->lock);
	r = open_in(rooms, rooms->by_name, name, roomp);
	pthread_mutex_unlock(&rooms->lock);
	return r;
}

int room_open_unlisted(struct rooms *rooms, const char *name, struct room **roomp)
{
	int r;

	pthread_mutex_lock(&rooms->lock);
	r = open_in(rooms, rooms->unlisted, name, roomp);
	pthread_mutex_unlock(&rooms->lock);
	return r;
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
		lh_table_delete(room->table, room->name);
		destroy(room);
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

void room_each_member(struct room *room, void (*each)(void *user, const char *name), void *user)
{
	pthread_mutex_lock(&room->lock);
	for (const struct member *member = room->members; member; member = member->next)
		each(user, member->name);
	pthread_mutex_unlock(&room->lock);
}

static int prepare_deflated(struct room *room)
{
	int r = 0;

	if (!room->deflater)
		r = deflater_create(&room->deflater);
	if (!r && !room->fanouts[DEFLATED])
		r = fanout_create(&room->fanouts[DEFLATED], room->rooms->flushers,
				  room->rooms->ring, &room->lock);
	return r;
}

static void enlist(struct room *room, struct member *member, const char *name)
{
	member->room = room;
	member->name = name;
	member->next = room->members;
	member->link = &room->members;
	if (member->next)
		member->next->link = &member->next;
	room->members = member;
	room->count++;
	room_hold(room);
}

int room_join(struct room *room, struct flusher *flusher, struct member *member,
	      const struct reader_sink *sink, const char *name, bool deflated)
{
	int r = 0;

	pthread_mutex_lock(&room->lock);
	if (deflated)
		r = prepare_deflated(room);
	if (!r)
		r = fanout_join(room->fanouts[deflated ? DEFLATED : PLAIN], flusher,
				&member->reader, sink);
	if (!r)
		enlist(room, member, name);
	pthread_mutex_unlock(&room->lock);
	return r;
}

static void delist(struct room *room, struct member *member)
{
	member->room = NULL;
	*member->link = member->next;
	if (member->next)
		member->next->link = member->link;
	room->count--;
}

void room_leave(struct member *member)
{
	struct room *room = member->room;

	if (!room)
		return;
	pthread_mutex_lock(&room->lock);
	reader_leave(&member->reader);
	delist(room, member);
	if (room->fanouts[DEFLATED] && !fanout_readers(room->fanouts[DEFLATED])) {
		deflater_destroy(room->deflater);
		room->deflater = NULL;
	}
	pthread_mutex_unlock(&room->lock);
	room_release(room);
}

/* Room in the log comes first: once it is in order, a message must not wait with the lock released. */
int room_publish(struct room *room, const void *payload, size_t size, uint64_t *sequence)
{
	int r;

	pthread_mutex_lock(&room->lock);
	r = fanout_reserve(room->fanouts, N_FANOUTS, wire_frame_size(size + ROOM_ENCODE_EXTRA));
	if (r >= 0)
		r = journal_publish(room->stream, payload, size);
	if (r >= 0)
		*sequence = journal_head(room->stream);
	pthread_mutex_unlock(&room->lock);
	return r;
}

int room_announce(struct room *room, const char *text, size_t size)
{
	int r;

	pthread_mutex_lock(&room->lock);
	r = announce(room, text, size);
	pthread_mutex_unlock(&room->lock);
	return r;
}

int room_append(struct room *room, const void *bytes, size_t size)
{
	int r;

	pthread_mutex_lock(&room->lock);
	r = fanout_reserve(room->fanouts, 1, size);
	if (r > 0)
		fanout_append_raw(room->fanouts[PLAIN], bytes, size);
	pthread_mutex_unlock(&room->lock);
	return r < 0 ? r : 0;
}

int room_read(struct room *room, uint64_t after, unsigned limit, journal_entry_fn each, void *user)
{
	int r;

	pthread_mutex_lock(&room->lock);
	r = journal_read(room->stream, after, limit, each, user);
	pthread_mutex_unlock(&room->lock);
	return r;
}

uint64_t room_head(struct room *room)
{
	uint64_t head;

	pthread_mutex_lock(&room->lock);
	head = journal_head(room->stream);
	pthread_mutex_unlock(&room->lock);
	return head;
}

const char *room_epoch(struct room *room)
{
	return journal_epoch(room->stream);
}
