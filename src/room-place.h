#pragma once

#include "rooms.h"

#include <stdatomic.h>

struct lh_table;

/*
 * What rooms.c and room.c share.
 */

/* Where a room is among the others: begins each room, and only rooms.c touches it, but for the name. */
struct room_place {
	struct rooms *rooms;
	char *name;
	struct lh_table *table; /* NULL: in none */
	bool opening;		/* the rooms' lock is for this one, too */
	int error;		/* why it could not be opened */
	atomic_uint references;
};

/* What rooms have in common. */
struct room_settings {
	struct journal *journal;
	struct flushers *flushers;
	room_encode_fn encode;
	size_t ring; /* bytes of each wire log */
};

/* room.c: one without members, with a copy of the name. The settings must outlive it. Returns 0 or -ENOMEM. */
int room_create(const struct room_settings *settings, const char *name, struct room **roomp);

/* Opens its stream of the journal, which may wait for the disk. Returns 0 or -errno. */
int room_open_stream(struct room *room);

/* Nobody has it any more. */
void room_destroy(struct room *room);
