#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who somebody is and what they may do: what a token says, and what a ticket
 * stands for. No function here has shared state: any thread may call them, as
 * long as an identity that changes is one thread's.
 */

enum right {
	RIGHT_READ = 1,
	RIGHT_WRITE = 2,
	RIGHT_MODERATE = 4,
};

struct identity {
	char *name;
	int64_t expires; /* seconds since 1970: no longer good from then on */
	unsigned rights; /* of enum right */
	bool every_room; /* else those below */
	char **rooms;	 /* names; one that ends in * stands for all that begin like it */
	size_t n_rooms;
};

/* A copy with memory of its own, finished by identity_finish(). Returns 0 or -ENOMEM. */
int identity_copy(struct identity *copy, const struct identity *identity);

/* Frees what it holds; harmless for one that is all zeroes. */
void identity_finish(struct identity *identity);

/* Whether this room is one of the identity's. */
bool identity_may_enter(const struct identity *identity, const char *room);
