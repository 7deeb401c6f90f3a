#pragma once

#include "journal.h"
#include "room.h"
#include "service.h"

/*
 * A message on its way from a service thread to a room. The journal may take
 * its time to keep it, and tells so on a thread of its own; whoever sent it
 * hears of it on the service thread again, if it still wants to.
 */
struct posting;

/*
 * The outcome: publication->result and what goes with it; good for the time of
 * the call. user is what posting_send() was given.
 */
typedef void (*posting_done_fn)(void *user, const struct journal_publication *publication);

/*
 * Sends size bytes of payload, which are malloc()ed and taken over, to the room,
 * which is held meanwhile; the key, which may be NULL, is copied. done may be
 * called before this returns. Returns what posting_forget() takes, or NULL where
 * done has been called already, or will never be: out of memory, and *error is
 * -ENOMEM.
 */
struct posting *posting_send(struct service *service, struct room *room, char *payload, size_t size,
			     const void *key, size_t key_size, posting_done_fn done, void *user,
			     int *error);

/* user is about to be gone: done will not be called. NULL is fine. */
void posting_forget(struct posting *posting);
