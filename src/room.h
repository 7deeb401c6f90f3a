#pragma once

#include "fanout.h"
#include "journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A room: its members, and the ordered sequence of messages that all of them
 * receive. It spans all service threads; a member lives on one. How rooms are
 * found, opened and released is in rooms.h.
 *
 * A message goes to the journal, which orders and keeps it, and comes back to
 * be framed once into the room's fan-out (fanout.h), and, for members whose
 * connection takes compressed frames, deflated once into a second one.
 *
 * Functions may be called on any thread, those that take a member on the
 * member's. None of them may be called from a reader_sink or a journal_entry_fn.
 * A publication's done() may release the room.
 */
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

const char *room_name(const struct room *room);
size_t room_size(struct room *room);

/* The people among the members, see people.h. */
size_t room_people(struct room *room);

/*
 * A copy of their names, as people_list() has it, to be freed, and how many of
 * them there are; NULL: out of memory.
 */
char *room_list_people(struct room *room, size_t *size, size_t *people);

/*
 * Joins from the next frame on. The member must stay where it is in memory until
 * it leaves; it holds the room open. Returns how many members of that name there
 * are now, 0 without one, or -errno.
 */
int room_join(struct room *room, struct member *member, const struct room_joining *how);

/*
 * The same in two steps: who has entered is a member like all others, but
 * receives nothing before it listens, from the next frame on, which returns 0 or
 * -errno.
 */
int room_enter(struct room *room, struct member *member, const struct room_joining *how);
int room_listen(struct member *member, const struct room_joining *how);

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
