#include "journal-ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Where max is less, that. */
#define CAPACITY_MIN 16

struct journal_record {
	int64_t time;
	size_t size;
	char payload[];
};

void journal_ring_init(struct journal_ring *ring, unsigned max, size_t bytes_max, uint64_t next)
{
	*ring = (struct journal_ring){
		.max = max, .bytes_max = bytes_max, .first = next, .next = next};
}

static size_t record_size(size_t payload)
{
	return journal_heap_size(sizeof(struct journal_record) + payload);
}

static void drop_first(struct journal_ring *ring)
{
	struct journal_record **place = &ring->records[ring->first++ % ring->capacity];

	ring->bytes -= record_size((*place)->size);
	free(*place);
	*place = NULL;
}

void journal_ring_restart(struct journal_ring *ring, uint64_t next)
{
	while (ring->first < ring->next)
		drop_first(ring);
	ring->first = next;
	ring->next = next;
}

void journal_ring_finish(struct journal_ring *ring)
{
	journal_ring_restart(ring, ring->next);
	free(ring->records);
	ring->records = NULL;
	ring->capacity = 0;
}

/* The records move to their new places. */
static int resize(struct journal_ring *ring, unsigned capacity)
{
	struct journal_record **records;

	records = calloc(capacity, sizeof(struct journal_record *));
	if (!records)
		return -ENOMEM;
	for (uint64_t n = ring->first; ring->capacity && n < ring->next; n++)
		records[n % capacity] = ring->records[n % ring->capacity];
	free(ring->records);
	ring->records = records;
	ring->capacity = capacity;
	return 0;
}

/* Doubles the ring up to its maximum. */
static int grow(struct journal_ring *ring)
{
	unsigned capacity = ring->capacity ? ring->capacity * 2 : CAPACITY_MIN;

	if (capacity > ring->max || capacity < ring->capacity)
		capacity = ring->max;
	return resize(ring, capacity);
}

bool journal_ring_drop_oldest(struct journal_ring *ring)
{
	if (ring->first == ring->next)
		return false;
	drop_first(ring);
	return true;
}

/* Where there is no memory to make it smaller it stays as it is. */
void journal_ring_shrink(struct journal_ring *ring)
{
	uint64_t count = ring->next - ring->first;

	if (ring->capacity > CAPACITY_MIN && count < ring->capacity / 8)
		resize(ring, count < CAPACITY_MIN / 2 ? CAPACITY_MIN : (unsigned)count * 2);
}

size_t journal_ring_size(const struct journal_ring *ring)
{
	size_t own = ring->capacity * sizeof(struct journal_record *);

	return ring->bytes + (ring->capacity ? journal_heap_size(own) : 0);
}

int journal_ring_append(struct journal_ring *ring, const struct journal_entry *entry)
{
	struct journal_record *record;

	if (!ring->max) {
		ring->first = ++ring->next;
		return 0;
	}
	if (ring->next - ring->first == ring->capacity && ring->capacity < ring->max &&
	    grow(ring) < 0)
		return -ENOMEM;
	record = malloc(sizeof(*record) + entry->size);
	if (!record)
		return -ENOMEM;
	record->time = entry->time;
	record->size = entry->size;
	if (entry->size)
		memcpy(record->payload, entry->payload, entry->size);
	if (ring->next - ring->first == ring->capacity)
		drop_first(ring);
	ring->records[ring->next++ % ring->capacity] = record;
	ring->bytes += record_size(record->size);
	while (ring->bytes > ring->bytes_max)
		drop_first(ring);
	return 0;
}

int journal_ring_redact(struct journal_ring *ring, const struct journal_redaction *redaction)
{
	struct journal_record **place, *record;

	if (redaction->sequence < ring->first || redaction->sequence >= ring->next)
		return -ENOENT;
	place = &ring->records[redaction->sequence % ring->capacity];
	if ((*place)->size < redaction->prefix_size ||
	    memcmp((*place)->payload, redaction->prefix, redaction->prefix_size))
		return -ENOENT;
	record = malloc(sizeof(*record) + redaction->size);
	if (!record)
		return -ENOMEM;
	record->time = (*place)->time;
	record->size = redaction->size;
	memcpy(record->payload, redaction->payload, redaction->size);
	ring->bytes += record_size(record->size);
	ring->bytes -= record_size((*place)->size);
	free(*place);
	*place = record;
	return 0;
}

void journal_ring_drop_older(struct journal_ring *ring, int64_t time)
{
	while (ring->first < ring->next && ring->records[ring->first % ring->capacity]->time < time)
		drop_first(ring);
}

bool journal_range_clip(const struct journal_range *range, uint64_t first, uint64_t head,
			uint64_t *from, uint64_t *to)
{
	*from = first;
	*to = head;
	if (!range->limit || range->after >= head)
		return false;
	if (*from <= range->after)
		*from = range->after + 1;
	if (range->before && *to >= range->before)
		*to = range->before - 1;
	if (*from > *to)
		return false;
	if (*to - *from >= range->limit) {
		if (range->newest)
			*from = *to - range->limit + 1;
		else
			*to = *from + range->limit - 1;
	}
	return true;
}

static size_t size_at(const struct journal_ring *ring, uint64_t sequence)
{
	return ring->records[sequence % ring->capacity]->size;
}

void journal_ring_bound(const struct journal_ring *ring, const struct journal_range *range,
			uint64_t *from, uint64_t *to)
{
	uint64_t n = range->newest ? *to : *from;
	size_t bytes = size_at(ring, n);

	if (!range->bytes)
		return;
	if (range->newest) {
		while (n > *from && (bytes += size_at(ring, n - 1)) <= range->bytes)
			n--;
		*from = n;
	} else {
		while (n < *to && (bytes += size_at(ring, n + 1)) <= range->bytes)
			n++;
		*to = n;
	}
}

int journal_ring_read(const struct journal_ring *ring, const struct journal_range *range,
		      journal_entry_fn each, void *user)
{
	uint64_t from, to;

	if (!journal_range_clip(range, ring->first, ring->next - 1, &from, &to))
		return 0;
	journal_ring_bound(ring, range, &from, &to);
	for (uint64_t n = from; n <= to; n++) {
		const struct journal_record *record = ring->records[n % ring->capacity];
		const struct journal_entry entry = {
			.sequence = n,
			.time = record->time,
			.payload = record->payload,
			.size = record->size,
		};

		each(user, &entry);
	}
	return (int)(to - from + 1);
}

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

int64_t journal_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t journal_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void journal_choose_epoch(char epoch[JOURNAL_EPOCH_SIZE])
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint32_t)time(NULL);
	snprintf(epoch, JOURNAL_EPOCH_SIZE, "%08x", random);
}
