#pragma once

#include "room.h"
#include "service.h"

/*
 * Opening a room from a service thread, which must not wait for the disk that
 * its journal may have it on: where it isn't open already, the worker does it.
 */
struct opening;

/*
 * The room is open for the time of the call: room_hold() keeps it. NULL: it
 * could not be opened, and error is -errno, -EBUSY where too many wait for theirs.
 */
typedef void (*opening_done_fn)(void *user, struct room *room, int error);

/*
 * Opens the room of that name. done is called on the calling thread, maybe
 * before this returns. Returns what opening_forget() takes, or NULL where done
 * has been called already.
 */
struct opening *opening_begin(struct service *service, const char *name, opening_done_fn done,
			      void *user);

/* user is about to be gone: done will not be called. NULL is fine. */
void opening_forget(struct opening *opening);
