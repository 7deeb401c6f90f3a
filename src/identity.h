#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Who somebody is and what they may do: what a token says, and what a ticket
 * stands for. One that is put together field by field belongs to one thread;
 * where many have the same one, tickets and connections, it is shared and never
 * changes again.
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

/*
 * A copy of the identity, of one piece, that is released with identity_unref();
 * identity_ref() shares it, on any thread. NULL: out of memory.
 */
const struct identity *identity_share(const struct identity *identity);
const struct identity *identity_ref(const struct identity *shared);

/* NULL is fine. */
void identity_unref(const struct identity *shared);

/* Frees what one that isn't shared holds; harmless for one that is all zeroes. */
void identity_finish(struct identity *identity);

/* Whether both say the same of the same person. */
bool identity_is_equal(const struct identity *a, const struct identity *b);

/* Whether this room is one of the identity's. */
bool identity_may_enter(const struct identity *identity, const char *room);
