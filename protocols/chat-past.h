#pragma once

#include "protocols/frames.h"
#include "room.h"
#include "service.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What a client gets when it comes in of what was said before: all that came
 * after a message that it has (since=), or the newest messages (history=).
 *
 * They may be on a disk, and no service thread waits for that. So the worker
 * reads what isn't in memory, up to the newest message that there is then,
 * without the room's lock; what is said meanwhile is in memory, most likely,
 * and is added when the client joins, in one moment with that. Else the worker
 * has another turn. Nothing is lost or doubled in between: each part begins with
 * the message after the last one of the part before. Where that is gone already,
 * as it may be in a short history, all begins anew with the newest.
 */
struct chat_past;
struct session;

/* Reads what the request asks for, while it is there. NULL: out of memory. */
struct chat_past *chat_past_create(struct session *session);

/* While it is being read, nobody hears of it any more. NULL is fine. */
void chat_past_destroy(struct chat_past *past);

/*
 * Takes what is in memory, with the room locked. Returns 0 where that is all up
 * to the last message that was delivered; -EAGAIN: the rest is to be read by
 * chat_past_read(); -EBUSY: it comes faster than it can be read; or -errno.
 */
int chat_past_complete(struct chat_past *past, struct room *room);

/* The room is open for the time of the call; error is 0 or -errno. */
typedef void (*chat_past_read_fn)(void *user, struct room *room, int error);

/* Has the worker read, and then calls done on the calling thread, which goes on with chat_past_complete(). */
void chat_past_read(struct chat_past *past, struct service *service, struct room *room,
		    chat_past_read_fn done, void *user);

/*
 * Of one that is complete: whether the client had asked to resume, and whether
 * what it has missed is gone and it gets the newest messages instead, those
 * after *sequence.
 */
bool chat_past_is_resumed(const struct chat_past *past);
bool chat_past_is_reset(const struct chat_past *past, uint64_t *sequence);

/* The messages, which are closed; they are the past's. */
const struct frames *chat_past_frames(const struct chat_past *past);
