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

struct posting_text {
	char *payload; /* malloc()ed, and taken over */
	size_t size;
	const void *key; /* see journal_publish(); NULL: it has none. It is copied */
	size_t key_size;
	/* Copied, but for its bytes, which last; NULL: none. */
	const struct journal_redaction *redaction;
	struct journal_mark *mark; /* of one piece, malloc()ed, and taken over; NULL: none */
};

/*
 * Sends the text to the room, which is held meanwhile. done may be called before
 * this returns. Returns what posting_forget() takes, or NULL where
 * done has been called already, or will never be: out of memory, and *error is
 * -ENOMEM.
 */
struct posting *posting_send(struct service *service, struct room *room,
			     const struct posting_text *text, posting_done_fn done, void *user,
			     int *error);

/* user is about to be gone: done will not be called. NULL is fine. */
void posting_forget(struct posting *posting);
