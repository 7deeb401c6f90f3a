#include "room.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

/* One write takes at most so much, so that what the socket refuses stays small. */
#define WRITE_SIZE (64 * 1024)

/* The text of a message must fit here: it is encoded once, then copied into the wire log. */
#define ENCODED_SIZE (64 * 1024)

struct rooms {
	struct journal *journal;
	room_encode_fn encode;
	size_t ring;
	struct lh_table *by_name;
	struct room *dirty; /* a chain through next_dirty */
	char encoded[ENCODED_SIZE];
};

struct room {
	struct rooms *rooms;
	char *name; /* NULL: unlisted */
	unsigned references;
	struct journal_stream *stream;
	struct wire *wire;
	struct member **members;
	size_t count;
	size_t capacity;
	uint64_t floor;	 /* no member's position is lower */
	uint64_t frames; /* ever appended */
	bool is_dirty;
	struct room *next_dirty;
};

int rooms_create(struct rooms **roomsp, struct journal *journal, room_encode_fn encode, size_t ring)
{
	struct rooms *rooms = calloc(1, sizeof(*rooms));

	if (!rooms)
		return -ENOMEM;
	rooms->journal = journal;
	rooms->encode = encode;
	rooms->ring = ring;
	rooms->by_name = lh_kchar_table_new(16, NULL);
	if (!rooms->by_name) {
		free(rooms);
		return -ENOMEM;
	}
	*roomsp = rooms;
	return 0;
}

void rooms_destroy(struct rooms *rooms)
{
	if (!rooms)
		return;
	lh_table_free(rooms->by_name);
	free(rooms);
}

size_t rooms_count(const struct rooms *rooms)
{
	return (size_t)lh_table_length(rooms->by_name);
}

void rooms_each(const struct rooms *rooms, bool (*each)(void *user, struct room *room), void *user)
{
	struct lh_entry *entry;

	lh_foreach(rooms->by_name, entry)
		if (!each(user, lh_entry_v(entry)))
			return;
}

struct room *rooms_find(const struct rooms *rooms, const char *name)
{
	void *found;

	return lh_table_lookup_ex(rooms->by_name, name, &found) ? found : NULL;
}

static void mark_dirty(struct room *room)
{
	if (room->is_dirty)
		return;
	room->is_dirty = true;
	room->next_dirty = room->rooms->dirty;
	room->rooms->dirty = room;
}

static void forget_dirty(struct room *room)
{
	struct room **link = &room->rooms->dirty;

	if (!room->is_dirty)
		return;
	while (*link != room)
		link = &(*link)->next_dirty;
	*link = room->next_dirty;
}

static void destroy(struct room *room)
{
	forget_dirty(room);
	if (room->name)
		lh_table_delete(room->rooms->by_name, room->name);
	journal_close(room->stream);
	wire_destroy(room->wire);
	free(room->members);
	free(room->name);
	free(room);
}

static void deliver_one(struct room *room, const struct journal_entry *entry)
{
	struct rooms *rooms = room->rooms;
	size_t size;

	if (!room->count)
		return;
	size = rooms->encode(entry, rooms->encoded, sizeof(rooms->encoded));
	if (size <= sizeof(rooms->encoded))
		room_announce(room, rooms->encoded, size);
}

static void deliver(void *user, const struct journal_entry *entries, size_t n)
{
	struct room *room = user;

	/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it is held */
	room_hold(room);
	for (size_t i = 0; i < n; i++)
		deliver_one(room, &entries[i]);
	room_release(room);
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
}

int room_open_unlisted(struct rooms *rooms, struct room **roomp)
{
	struct room *room = calloc(1, sizeof(*room));

	if (!room)
		return -ENOMEM;
	room->rooms = rooms;
	room->references = 1;
	*roomp = room;
	return 0;
}

static int enlist(struct room *room, const char *name)
{
	char *copy = strdup(name);

	if (!copy || lh_table_insert(room->rooms->by_name, copy, room)) {
		free(copy);
		return -ENOMEM;
	}
	room->name = copy;
	return 0;
}

int room_open(struct rooms *rooms, const char *name, struct room **roomp)
{
	struct room *room = rooms_find(rooms, name);
	int r;

	if (room) {
		room->references++;
		*roomp = room;
		return 0;
	}
	r = room_open_unlisted(rooms, &room);
	if (r < 0)
		return r;
	r = enlist(room, name);
	if (!r)
		r = journal_open(rooms->journal, name, deliver, room, &room->stream);
	if (r < 0) {
		destroy(room);
		return r;
	}
	*roomp = room;
	return 0;
}

void room_hold(struct room *room)
{
	room->references++;
}

void room_release(struct room *room)
{
	if (room && !--room->references)
		destroy(room);
}

const char *room_name(const struct room *room)
{
	return room->name;
}

size_t room_size(const struct room *room)
{
	return room->count;
}

struct journal_stream *room_stream(const struct room *room)
{
	return room->stream;
}

const char *room_member_name(const struct room *room, size_t i)
{
	return room->members[i]->name;
}

static int make_place(struct room *room)
{
	size_t capacity = room->capacity ? room->capacity * 2 : 4;
	struct member **members;

	if (room->count < room->capacity)
		return 0;
	members = reallocarray(room->members, capacity, sizeof(struct member *));
	if (!members)
		return -ENOMEM;
	room->members = members;
	room->capacity = capacity;
	return 0;
}

int room_join(struct room *room, struct member *member, const struct member_sink *sink,
	      const char *name)
{
	int r = make_place(room);

	/* The wire log lasts from the first member to the last. */
	if (!r && !room->wire)
		r = wire_create(&room->wire, room->rooms->ring);
	if (r < 0)
		return r;
	if (!room->count)
		room->floor = wire_head(room->wire);
	*member = (struct member){
		.sink = sink,
		.name = name,
		.room = room,
		.position = wire_head(room->wire),
		.frames = room->frames,
		.index = room->count,
	};
	room->members[room->count++] = member;
	room->references++;
	return 0;
}

void room_leave(struct member *member)
{
	struct room *room = member->room;

	if (!room)
		return;
	member->room = NULL;
	member->waiting = false;
	room->members[member->index] = room->members[--room->count];
	room->members[member->index]->index = member->index;
	if (!room->count) {
		wire_destroy(room->wire);
		room->wire = NULL;
	}
	room_release(room);
}

static void published(struct journal_publication *publication)
{
}

/* With the memory journal it is done when this returns. */
int room_publish(struct room *room, const void *payload, size_t size)
{
	struct journal_publication publication = {
		.payload = payload, .size = size, .done = published};

	journal_publish(room->stream, &publication);
	return publication.result;
}

static int send_rest(struct member *member)
{
	struct wire *wire = member->room->wire;
	int r = 0;

	while (!r && member->position < wire_head(wire)) {
		const void *bytes;
		size_t size = wire_slice(wire, member->position, WRITE_SIZE, &bytes);

		r = member->sink->write(member, bytes, size);
		member->position += size;
	}
	member->waiting = r != 0;
	return r;
}

static void flush(struct room *room)
{
	uint64_t floor = room->wire ? wire_head(room->wire) : 0;

	for (size_t i = 0; i < room->count; i++) {
		struct member *member = room->members[i];

		if (!member->waiting)
			send_rest(member);
		if (member->position < floor)
			floor = member->position;
	}
	room->floor = floor;
}

void rooms_flush(struct rooms *rooms)
{
	while (rooms->dirty) {
		struct room *room = rooms->dirty;

		rooms->dirty = room->next_dirty;
		room->is_dirty = false;
		flush(room);
	}
}

/* From the end, since each overrun member leaves and the last one takes its place. */
static void drop_overrun(struct room *room, uint64_t oldest)
{
	for (size_t i = room->count; i-- > 0;)
		if (room->members[i]->position < oldest)
			room->members[i]->sink->overrun(room->members[i]);
}

/* Sees to it that size bytes can be appended without overwriting what a member still needs. */
static void make_room(struct room *room, size_t size)
{
	uint64_t end = wire_head(room->wire) + size;

	if (end - room->floor <= wire_size(room->wire))
		return;
	flush(room);
	if (end - room->floor <= wire_size(room->wire))
		return;
	drop_overrun(room, end - wire_size(room->wire));
	flush(room);
}

/* Whether size bytes can go to anybody; 0: there is nobody, -EMSGSIZE: they never fit, 1: go on. */
static int prepare_append(struct room *room, size_t size)
{
	if (!room->count)
		return 0;
	if (size > wire_size(room->wire))
		return -EMSGSIZE;
	make_room(room, size);
	return room->count ? 1 : 0;
}

static void appended(struct room *room)
{
	room->frames++;
	mark_dirty(room);
}

/* Members that are dropped for it must not take the room along before this is over, so it holds the room. */
int room_announce(struct room *room, const char *text, size_t size)
{
	int r;

	room_hold(room);
	r = prepare_append(room, wire_frame_size(size));
	if (r > 0) {
		wire_append_frame(room->wire, WIRE_TEXT, text, size);
		appended(room);
	}
	room_release(room);
	return r < 0 ? r : 0;
}

int room_append(struct room *room, const void *bytes, size_t size)
{
	int r;

	room_hold(room);
	r = prepare_append(room, size);
	if (r > 0) {
		wire_append_raw(room->wire, bytes, size);
		appended(room);
	}
	room_release(room);
	return r < 0 ? r : 0;
}

int member_writable(struct member *member)
{
	if (!member->room || !member->waiting)
		return 0;
	return send_rest(member);
}

uint64_t member_count_frames(struct member *member)
{
	uint64_t frames = member->room->frames - member->frames;

	member->frames = member->room->frames;
	return frames;
}
