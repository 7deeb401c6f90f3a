#pragma once

#include "journal.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A room: its members, and the ordered sequence of frames that all of them
 * receive.
 *
 * What is sent to a room is framed once and appended to its wire log; a member
 * is an offset into that log. Nothing is written at that moment: the room
 * becomes dirty, and rooms_flush(), once a turn of the event loop, gives each
 * member everything it has not had in as few writes as possible.
 *
 * A member that can't keep up costs nothing but its offset. When the log is
 * about to overwrite what it has not had yet, its overrun() is called and it
 * leaves.
 */
struct rooms;
struct room;
struct member;

/* The way from a room to a connection. */
struct member_sink {
	/*
	 * Takes all of the bytes: whole frames, good for the time of the call.
	 * Returns 0 when the connection can take more at once, 1 when
	 * member_writable() will be called first, -1 when it is as good as
	 * closed. It must not leave the room.
	 */
	int (*write)(struct member *member, const void *bytes, size_t size);
	/* The member has missed frames. It must not be in the room any longer when this returns. */
	void (*overrun)(struct member *member);
};

/* Embedded in whatever is a member. Only room.c touches its fields. */
struct member {
	const struct member_sink *sink;
	const char *name;
	struct room *room;
	uint64_t position;
	uint64_t frames; /* of the room that it has had, or is about to have */
	size_t index;
	bool waiting; /* for member_writable() */
};

/*
 * Turns a kept message into the text that the room's members receive: writes
 * it to buffer, which has room for size bytes, and returns its length, or the
 * length that it would have had where that is more than size.
 */
typedef size_t (*room_encode_fn)(const struct journal_entry *entry, char *buffer, size_t size);

/* ring: bytes of each room's wire log. The journal must outlive the rooms. Returns 0 or -errno. */
int rooms_create(struct rooms **roomsp, struct journal *journal, room_encode_fn encode,
		 size_t ring);
void rooms_destroy(struct rooms *rooms);

/* Gives every member of every dirty room what it has not had: once a turn of the event loop. */
void rooms_flush(struct rooms *rooms);

size_t rooms_count(const struct rooms *rooms);

/* Calls each for every room, until it returns false. */
void rooms_each(const struct rooms *rooms, bool (*each)(void *user, struct room *room), void *user);

/* The room of that name, or NULL. */
struct room *rooms_find(const struct rooms *rooms, const char *name);

/*
 * The room of that name, which is made where it isn't there yet. It lasts until
 * everybody who opened or holds it has released it again. Returns 0 or -errno.
 */
int room_open(struct rooms *rooms, const char *name, struct room **roomp);
void room_hold(struct room *room);
void room_release(struct room *room);

/*
 * A room for frames that no journal keeps and no list shows, such as a ticker's.
 * room_publish() can't be used with it. Released like any other.
 */
int room_open_unlisted(struct rooms *rooms, struct room **roomp);

const char *room_name(const struct room *room);
size_t room_size(const struct room *room);
struct journal_stream *room_stream(const struct room *room);

/* The i-th member's name, in no particular order. */
const char *room_member_name(const struct room *room, size_t i);

/*
 * Joins from the next frame on. The member must stay where it is in memory and
 * its name be good until it leaves. It holds the room open. Returns 0 or -ENOMEM.
 */
int room_join(struct room *room, struct member *member, const struct member_sink *sink,
	      const char *name);

/* Leaves the room and releases it; harmless for who isn't in a room. */
void room_leave(struct member *member);

/* Hands a message to the journal, which gives it back to all members once it is kept. Returns 0 or -errno. */
int room_publish(struct room *room, const void *payload, size_t size);

/* Sends a text message to all members without the journal. Returns 0 or -EMSGSIZE. */
int room_announce(struct room *room, const char *text, size_t size);

/* As room_announce(), for bytes that are no WebSocket frame. */
int room_append(struct room *room, const void *bytes, size_t size);

/* The connection can take more: sends what it has not had. Returns as member_sink's write does. */
int member_writable(struct member *member);

/* How many frames have been sent to the member since the last call: for whoever counts them. */
uint64_t member_count_frames(struct member *member);
