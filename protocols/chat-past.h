#pragma once

#include "protocols/frames.h"
#include "room.h"
#include "service.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What a client gets when it comes in of what was said before: all that came
 * after a message that it has (since=), or the newest messages (history=). A
 * since= that is no number, is negative or too large is of a message that isn't
 * there: all begins anew, which a reset says. Such a history= is refused with
 * 400 at the handshake.
 *
 * That may be a lot, so it is read piece by piece, and each is sent before the
 * next is read; what is said meanwhile is a part of it, until the client has all
 * and joins, in one moment with the last piece. They may also be on a disk, and
 * no service thread waits for that, but the worker does. Nothing is lost or
 * doubled in between: each piece begins with the message after the last one of
 * the piece before. Where that is gone already, as it may be in a short history,
 * all begins anew with the newest, and a reset says so.
 */
struct chat_past;
struct session;

/* The most that a piece, in memory, takes of the server's pending bytes. */
#define CHAT_PAST_PIECE ((size_t)128 * 1024)

/* Reads what the request asks for, while it is there. NULL: out of memory. */
struct chat_past *chat_past_create(struct session *session);

/* While it is being read, nobody hears of it any more. NULL is fine. */
void chat_past_destroy(struct chat_past *past);

/*
 * Adds to the piece what is in memory. Returns 0 where that was all up to the
 * last message that was delivered, which is certain only with the room locked;
 * 1: the piece is full; -EAGAIN: the next part of it is to be read by
 * chat_past_fetch(); -EBUSY: messages come faster than they are taken; or -errno.
 */
int chat_past_read(struct chat_past *past, struct room *room);

/* The room is open for the time of the call; error is 0 or -errno. */
typedef void (*chat_past_fetch_fn)(void *user, struct room *room, int error);

/*
 * Has the worker read, and then calls done on the calling thread, which goes on
 * with chat_past_read(). Returns 0, or -errno where done will not be called.
 */
int chat_past_fetch(struct chat_past *past, struct service *service, struct room *room,
		    chat_past_fetch_fn done, void *user);

/* The piece, which is then empty; the frames are the caller's to finish. Returns 0 or -ENOMEM. */
int chat_past_take(struct chat_past *past, struct frames *frames);

/*
 * Of one that is complete: whether the client had asked to resume, and whether
 * what it has missed is gone and it got the newest messages instead.
 */
bool chat_past_is_resumed(const struct chat_past *past);
bool chat_past_is_reset(const struct chat_past *past);
