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
 */
struct rooms;
struct room;

/* Embedded in whatever is a member. Only room.c touches its fields. */
struct member {
	struct reader reader;
	struct room *room; /* NULL: in none */
	const char *name;
	struct member *next;
	struct member **link;
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

size_t rooms_count(struct rooms *rooms);

/* Calls each for every room, until it returns false; it must not open or release one. */
void rooms_each(struct rooms *rooms, bool (*each)(void *user, struct room *room), void *user);

/* The room of that name, to be released; NULL: there is none. */
struct room *rooms_find(struct rooms *rooms, const char *name);

/*
 * The room of that name, which is made where it isn't there yet. It lasts until
 * everybody who opened or holds it has released it again. Returns 0 or -errno.
 */
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

/* Calls each with every member's name. */
void room_each_member(struct room *room, void (*each)(void *user, const char *name), void *user);

/*
 * Joins from the next frame on, on the calling thread, whose flusher it is. The
 * member must stay where it is in memory and its name be good until it leaves.
 * deflated: its connection takes compressed frames, see deflater.h. It holds the
 * room open. Returns 0 or -errno.
 */
int room_join(struct room *room, struct flusher *flusher, struct member *member,
	      const struct reader_sink *sink, const char *name, bool deflated);

/* Leaves the room and releases it; harmless for who isn't in a room. Also due after an overrun. */
void room_leave(struct member *member);

/*
 * Hands a message to the journal, which gives it back to all members once it is
 * kept, as *sequence. Returns 0 or -errno.
 */
int room_publish(struct room *room, const void *payload, size_t size, uint64_t *sequence);

/* Sends a text message to all members without the journal. Returns 0 or -EMSGSIZE. */
int room_announce(struct room *room, const char *text, size_t size);

/* As room_announce(), for bytes that are no WebSocket frame. */
int room_append(struct room *room, const void *bytes, size_t size);

/* What the journal has: see its functions of the same names. */
int room_read(struct room *room, uint64_t after, unsigned limit, journal_entry_fn each, void *user);
uint64_t room_head(struct room *room);
const char *room_epoch(struct room *room);
