#pragma once

#include "fanout.h"
#include "journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A room: its members, and the ordered sequence of messages that all of them
 * receive. It spans all service threads; a member lives on one.
 *
 * A message goes to the journal, which orders and keeps it, and comes back to
 * be framed once into the room's fan-out (fanout.h), and, for members whose
 * connection takes compressed frames, deflated once into a second one.
 *
 * Functions may be called on any thread, those that take a member on the
 * member's. None of them may be called from a reader_sink or a journal_entry_fn.
 * A publication's done() may release the room.
 */
struct rooms;
struct room;

/*
 * Members are of two kinds, that may be told different things: see
 * room_announce(). Messages go to both.
 */
enum room_kind {
	ROOM_PLAIN = 1,
	ROOM_RICH = 2,
	ROOM_BOTH = ROOM_PLAIN | ROOM_RICH,
};

/* Embedded in whatever is a member. Only room.c touches its fields. */
struct member {
	struct reader reader;
	struct room *room; /* NULL: in none */
	const char *name;
};

/* How a member joins. */
struct room_joining {
	struct flusher *flusher; /* the calling thread's */
	const struct reader_sink *sink;
	const char *name; /* good until it leaves; NULL: nobody in particular */
	enum room_kind kind;
	bool deflated; /* its connection takes compressed frames, see deflater.h */
};

/*
 * Turns a kept message into the text that the room's members receive: writes
 * it to buffer, which has room for size bytes, and returns its length, or the
 * length that it would have had where that is more than size. It may be at most
 * ROOM_ENCODE_EXTRA longer than the payload.
 */
typedef size_t (*room_encode_fn)(const struct journal_entry *entry, char *buffer, size_t size);

#define ROOM_ENCODE_EXTRA 128

/* ring: bytes of each wire log. The journal and the flushers must outlive the rooms. Returns 0 or -errno. */
int rooms_create(struct rooms **roomsp, struct journal *journal, struct flushers *flushers,
		 room_encode_fn encode, size_t ring);
void rooms_destroy(struct rooms *rooms);

/* Waits until every room has been released, as those are that a journal still has messages of. */
void rooms_wait(struct rooms *rooms);

size_t rooms_count(struct rooms *rooms);

/* Calls each for every room, until it returns false; it must not open or release one. */
void rooms_each(struct rooms *rooms, bool (*each)(void *user, struct room *room), void *user);

/* The room of that name, to be released; NULL: there is none, or it isn't open yet. */
struct room *rooms_find(struct rooms *rooms, const char *name);

/*
 * The room of that name, which is made where it isn't there yet. It lasts until
 * everybody who opened or holds it has released it again. Where
 * rooms_may_wait(), it may take as long as a disk does, in which rooms that are
 * open go on undisturbed. Returns 0 or -errno.
 */
bool rooms_may_wait(const struct rooms *rooms);
int room_open(struct rooms *rooms, const char *name, struct room **roomp);
void room_hold(struct room *room);
void room_release(struct room *room);

/*
 * As room_open(), for frames that no journal keeps and no list shows, such as a
 * ticker's. It has no messages, and its name is none of a listed room.
 */
int room_open_unlisted(struct rooms *rooms, const char *name, struct room **roomp);

const char *room_name(const struct room *room);
size_t room_size(struct room *room);

/* The people among the members, see people.h; until each returns false. */
size_t room_people(struct room *room);
void room_each_person(struct room *room, bool (*each)(void *user, const char *name), void *user);

/*
 * Joins from the next frame on. The member must stay where it is in memory until
 * it leaves; it holds the room open. Returns how many members of that name there
 * are now, 0 without one, or -errno.
 */
int room_join(struct room *room, struct member *member, const struct room_joining *how);

/*
 * Leaves the room and releases it; also due after an overrun. Returns how many
 * members of that name are left; -ENOENT for who isn't in a room.
 */
int room_leave(struct member *member);

/*
 * Hands a message to the journal, which gives it back to all members once it is
 * kept, and then tells the publication, see journal_publish(). The room must be
 * held until that has been done. Waits where a service thread can't keep up.
 */
void room_publish(struct room *room, struct journal_publication *publication);

/* Sends a text message to all members of the kinds, without the journal. Returns 0 or -EMSGSIZE. */
int room_announce(struct room *room, enum room_kind kinds, const char *text, size_t size);

/* As room_announce() to the plain ones, for bytes that are no WebSocket frame. */
int room_append(struct room *room, const void *bytes, size_t size);

/*
 * For what must happen at once, such as reading what members have had and
 * joining: nothing is delivered in between. Not for publishing or announcing.
 */
void room_lock(struct room *room);
void room_unlock(struct room *room);

/* The sequence of the last message that was delivered. */
uint64_t room_delivered(struct room *room);

/* What the journal has: see its functions of the same names. */
int room_read(struct room *room, const struct journal_range *range, journal_entry_fn each,
	      void *user);
uint64_t room_head(struct room *room);
const char *room_epoch(struct room *room);
