#include "rooms.h"

#include "room-place.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

struct rooms {
	struct room_settings settings;
	pthread_mutex_t lock; /* of the table; taken before a room's */
	struct lh_table *by_name;
	struct lh_table *unlisted;
	size_t max; /* of those by name */
	pthread_cond_t emptied;
	pthread_cond_t opened; /* some room, or it could not be */
};

static struct room_place *place_of(struct room *room)
{
	return (struct room_place *)room;
}

int rooms_create(struct rooms **roomsp, struct journal *journal, struct flushers *flushers,
		 room_encode_fn encode, size_t ring)
{
	struct rooms *rooms = calloc(1, sizeof(*rooms));

	if (!rooms)
		return -ENOMEM;
	rooms->settings = (struct room_settings){
		.journal = journal, .flushers = flushers, .encode = encode, .ring = ring};
	rooms->max = SIZE_MAX;
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

void rooms_limit(struct rooms *rooms, size_t max)
{
	rooms->max = max;
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

struct room **rooms_list(struct rooms *rooms, size_t max, size_t *n)
{
	struct lh_entry *entry;
	struct room **list;

	*n = 0;
	pthread_mutex_lock(&rooms->lock);
	if (max > (size_t)lh_table_length(rooms->by_name))
		max = (size_t)lh_table_length(rooms->by_name);
	list = calloc(max + 1, sizeof(struct room *));
	lh_foreach(rooms->by_name, entry) {
		struct room *room = lh_entry_v(entry);

		if (!list || *n == max)
			break;
		if (place_of(room)->opening)
			continue;
		room_hold(room);
		list[(*n)++] = room;
	}
	pthread_mutex_unlock(&rooms->lock);
	return list;
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
	if (room && place_of(room)->opening)
		room = NULL;
	if (room)
		room_hold(room);
	pthread_mutex_unlock(&rooms->lock);
	return room;
}

/* With the table's lock held, but not while the journal waits for its disk. */
static void open_with_journal(struct rooms *rooms, struct room *room)
{
	struct room_place *place = place_of(room);
	int r;

	place->opening = true;
	pthread_mutex_unlock(&rooms->lock);
	r = room_open_stream(room);
	pthread_mutex_lock(&rooms->lock);
	place->opening = false;
	place->error = r;
	if (r < 0) {
		lh_table_delete(place->table, place->name);
		place->table = NULL;
	}
	pthread_cond_broadcast(&rooms->opened);
}

/* With the table's lock held. */
static int add(struct rooms *rooms, struct lh_table *table, const char *name, struct room **roomp)
{
	struct room *room;
	struct room_place *place;
	int r;

	if (table == rooms->by_name && (size_t)lh_table_length(table) >= rooms->max)
		return -ENOSPC;
	r = room_create(&rooms->settings, name, &room);
	if (r < 0)
		return r;
	place = place_of(room);
	place->rooms = rooms;
	place->references = 1;
	if (lh_table_insert(table, place->name, room)) {
		room_destroy(room);
		return -ENOMEM;
	}
	place->table = table;
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
	while (place_of(room)->opening)
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
	r = place_of(room)->error;
	if (r < 0)
		room_release(room);
	else
		*roomp = room;
	return r;
}

bool rooms_may_wait(const struct rooms *rooms)
{
	return journal_waits(rooms->settings.journal);
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
	atomic_fetch_add_explicit(&place_of(room)->references, 1, memory_order_relaxed);
}

/* Whether there are others still: the last one must look at the table first, where the room can be found. */
static bool release_shared(struct room_place *place)
{
	unsigned references = atomic_load_explicit(&place->references, memory_order_relaxed);

	while (references > 1)
		if (atomic_compare_exchange_weak(&place->references, &references, references - 1))
			return true;
	return false;
}

void room_release(struct room *room)
{
	struct room_place *place = place_of(room);
	struct rooms *rooms;

	if (!room || release_shared(place))
		return;
	rooms = place->rooms;
	pthread_mutex_lock(&rooms->lock);
	if (atomic_fetch_sub(&place->references, 1) == 1) {
		if (place->table)
			lh_table_delete(place->table, place->name);
		room_destroy(room);
		if (is_empty(rooms))
			pthread_cond_signal(&rooms->emptied);
	}
	pthread_mutex_unlock(&rooms->lock);
}
