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

/* Names in a list of them; how many people there are is told besides. */
#define PEOPLE_LISTED_MAX 1000

/*
 * The names of the first ones as JSON, such as "ann","bob", good until somebody
 * comes or goes; NULL: out of memory. It is put together only after somebody has
 * gone, so that it is at hand while one comes after the other.
 */
const char *people_list(struct people *people, size_t *size);

/* Calls each with every name, in the order in which they came, until it returns false. */
void people_each(const struct people *people, bool (*each)(void *user, const char *name),
		 void *user);
