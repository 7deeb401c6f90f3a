#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Who is in a room: people, however many connections each of them has. One
 * thread at a time.
 */
struct people;

/* Returns 0 or -ENOMEM. */
int people_create(struct people **peoplep);
void people_destroy(struct people *people);

/* Counts one more connection of somebody. Returns how many there are now, or -ENOMEM. */
int people_add(struct people *people, const char *name);

/* One less. Returns how many are left; 0 also for who was not there. */
int people_remove(struct people *people, const char *name);

size_t people_count(const struct people *people);
bool people_has(const struct people *people, const char *name);

/* Calls each with every name, in the order in which they came, until it returns false. */
void people_each(const struct people *people, bool (*each)(void *user, const char *name),
		 void *user);
