#pragma once

#include "room.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The rooms by their names. One is made when somebody opens it, and lasts until
 * everybody who opened or holds it has released it again.
 *
 * Any thread may call these functions, except create and destroy; none of them
 * may be called from a reader_sink or a journal_entry_fn.
 */
struct rooms;

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

/* No more than so many at a time, those that are being opened among them; before anybody opens one. */
void rooms_limit(struct rooms *rooms, size_t max);

/* Waits until every room has been released, as those are that a journal still has messages of. */
void rooms_wait(struct rooms *rooms);

size_t rooms_count(struct rooms *rooms);

/*
 * Holds at most max of them, and returns them in an array, to be freed once each
 * has been released; *n is how many. NULL: out of memory.
 */
struct room **rooms_list(struct rooms *rooms, size_t max, size_t *n);

/* The room of that name, to be released; NULL: there is none, or it isn't open yet. */
struct room *rooms_find(struct rooms *rooms, const char *name);

/*
 * The room of that name, which is made where it isn't there yet, to be released.
 * Where rooms_may_wait(), it may take as long as a disk does, in which rooms
 * that are open go on undisturbed. Returns 0, -ENOSPC where it would be one too
 * many, or -errno.
 */
bool rooms_may_wait(const struct rooms *rooms);
int room_open(struct rooms *rooms, const char *name, struct room **roomp);

/* Whoever has it open may hold it once more, and releases it as often. NULL is released, too. */
void room_hold(struct room *room);
void room_release(struct room *room);

/*
 * As room_open(), for frames that no journal keeps and no list shows, such as a
 * ticker's. It has no messages, and its name is none of a listed room.
 */
int room_open_unlisted(struct rooms *rooms, const char *name, struct room **roomp);
