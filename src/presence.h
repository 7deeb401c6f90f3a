#pragma once

#include "room.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Tells a room's members who has joined and who has left: plain ones in words,
 * rich ones as
 *
 *     {"type":"presence","joined":["cy"],"left":[]}
 *
 * In a small room at once; in one with more people merged into one notice a
 * second, of as many frames as it takes with 100 names in each, where who has come
 * and gone again in the meantime isn't mentioned. In words it is the first 100. Any thread may call these functions, except create and destroy.
 */
struct presence;

/* Rooms with more than so many people are large. Returns 0 or -ENOMEM. */
int presence_create(struct presence **presencep, size_t large);

/* What has not been told yet never is. */
void presence_destroy(struct presence *presence);

/* Somebody has joined, or left. */
void presence_tell(struct presence *presence, struct room *room, const char *name, bool joined);

/* Tells what large rooms are still to be told: to be called once a second. */
void presence_flush(struct presence *presence);
