#pragma once

#include <stddef.h>
#include <sys/queue.h>

/*
 * Which of many things is the largest, about: they lie in lists by size, four
 * to each power of two, and move only when they have outgrown theirs, so that
 * most changes cost nothing. It has no lock.
 */
#define JOURNAL_SIZES_CLASSES (64 * 4)

/* Embedded in whatever has a size. Only journal-sizes.c touches its list. */
struct journal_sized {
	TAILQ_ENTRY(journal_sized) list;
	_Atomic unsigned class; /* the list that it is in */
};

TAILQ_HEAD(journal_sized_list, journal_sized);

struct journal_sizes {
	struct journal_sized_list classes[JOURNAL_SIZES_CLASSES];
	unsigned top; /* none is in a list behind that */
};

void journal_sizes_init(struct journal_sizes *sizes);
void journal_sizes_add(struct journal_sizes *sizes, struct journal_sized *sized, size_t size);
void journal_sizes_remove(struct journal_sizes *sizes, struct journal_sized *sized);

/* Whether it no longer belongs where it is; any thread may ask. */
int journal_sizes_is_misplaced(const struct journal_sized *sized, size_t size);

/* Puts it where it belongs, behind all others there. */
void journal_sizes_move(struct journal_sizes *sizes, struct journal_sized *sized, size_t size);

/* One of the largest, or NULL. */
struct journal_sized *journal_sizes_largest(struct journal_sizes *sizes);
