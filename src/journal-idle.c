#include "journal-idle.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define DAY_MILLISECONDS 86400000

void journal_idles_init(struct journal_idles *idles)
{
	*idles = (struct journal_idles){0};
}

void journal_idles_finish(struct journal_idles *idles)
{
	free(idles->heap);
	idles->heap = NULL;
}

uint64_t journal_worth(int64_t first, int64_t last, int64_t now)
{
	uint64_t seconds = last > first ? (uint64_t)(last - first) / 1000 : 0;
	unsigned doublings = 63 - (unsigned)__builtin_clzll(seconds + 1);

	return (uint64_t)now + doublings * (uint64_t)DAY_MILLISECONDS;
}

static bool is_less(const struct journal_idle *a, const struct journal_idle *b)
{
	return a->worth != b->worth ? a->worth < b->worth : a->order < b->order;
}

static void put(struct journal_idles *idles, unsigned place, struct journal_idle *idle)
{
	idles->heap[place] = idle;
	idle->place = place;
}

static void rise(struct journal_idles *idles, unsigned place)
{
	struct journal_idle *idle = idles->heap[place];

	for (; place && is_less(idle, idles->heap[(place - 1) / 2]); place = (place - 1) / 2)
		put(idles, place, idles->heap[(place - 1) / 2]);
	put(idles, place, idle);
}

static void sink(struct journal_idles *idles, unsigned place)
{
	struct journal_idle *idle = idles->heap[place];
	unsigned child;

	while ((child = place * 2 + 1) < idles->n) {
		if (child + 1 < idles->n && is_less(idles->heap[child + 1], idles->heap[child]))
			child++;
		if (!is_less(idles->heap[child], idle))
			break;
		put(idles, place, idles->heap[child]);
		place = child;
	}
	put(idles, place, idle);
}

int journal_idles_add(struct journal_idles *idles, struct journal_idle *idle, int64_t first,
		      int64_t last, int64_t now)
{
	if (idles->n == idles->capacity) {
		unsigned capacity = idles->capacity ? idles->capacity * 2 : 64;
		struct journal_idle **heap = reallocarray(idles->heap, capacity, sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		idles->heap = heap;
		idles->capacity = capacity;
	}
	idle->worth = journal_worth(first, last, now);
	idle->order = idles->next_order++;
	put(idles, idles->n++, idle);
	rise(idles, idle->place);
	return 0;
}

void journal_idles_remove(struct journal_idles *idles, struct journal_idle *idle)
{
	struct journal_idle *last = idles->heap[--idles->n];
	unsigned place = idle->place;

	if (last == idle)
		return;
	put(idles, place, last);
	rise(idles, place);
	sink(idles, last->place);
}

struct journal_idle *journal_idles_least(const struct journal_idles *idles)
{
	return idles->n ? idles->heap[0] : NULL;
}
