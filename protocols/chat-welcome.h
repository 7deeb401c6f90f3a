#pragma once

#include "protocols/chat.h"
#include "protocols/frames.h"

#include <stdint.h>

/*
 * The welcome, with which a room greets a client. What of it must be of one
 * moment is gathered with the room locked, and written when it isn't.
 */
struct chat_facts {
	uint64_t sequence; /* of the last message that was delivered */
	char *names;	   /* as people_list() has them */
	size_t names_size;
	size_t people;
};

/* Returns 0 or -ENOMEM. chat_facts_finish() in any case, harmless for what is all zeroes. */
int chat_facts_gather(struct chat_facts *facts, struct room *room);
void chat_facts_finish(struct chat_facts *facts);

/* The frame, to be finished. Returns 0 or -ENOMEM. */
int chat_welcome_write(struct frames *frames, const struct chat *chat, struct room *room,
		       const struct chat_facts *facts);
