#include "journal.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/*
 * The newest messages of each room in a ring of records. A stream outlives its
 * room's last member, so that who comes later still finds the history; since
 * strangers name rooms, only so many idle streams are kept, and the one that
 * was left longest ago goes first.
 */
#define IDLE_STREAMS_MAX 1024

/* And with more than so many bytes in all, idle streams go too. */
#define BYTES_MAX ((size_t)256 * 1024 * 1024)

struct record {
	int64_t time;
	size_t size;
	char payload[];
};

struct memory {
	struct journal base;
	unsigned history;
	struct lh_table
		*streams; /* by room, in the order in which they were last opened or closed */
	unsigned idle;
	size_t bytes; /* of all records */
};

struct memory_stream {
	struct journal_stream base;
	char *room;
	journal_entry_fn deliver; /* NULL while nobody has it open */
	void *user;
	char epoch[9];
	uint64_t head;
	struct record **records; /* record of sequence n: n % capacity */
	unsigned capacity;	 /* grows to the history's length as messages come */
};

static struct memory *memory_of(const struct memory_stream *stream)
{
	return (struct memory *)stream->base.journal;
}

static void drop(struct memory *memory, struct record *record)
{
	if (record)
		memory->bytes -= sizeof(*record) + record->size;
	free(record);
}

static void stream_destroy(struct memory_stream *stream)
{
	for (unsigned i = 0; i < stream->capacity; i++)
		drop(memory_of(stream), stream->records[i]);
	free(stream->records);
	free(stream->room);
	free(stream);
}

static void free_entry(struct lh_entry *entry)
{
	stream_destroy(lh_entry_v(entry));
}

static int memory_create(struct journal **journalp, const char *where, unsigned history)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	if (where) {
		free(memory);
		return -EINVAL;
	}
	memory->base.driver = &journal_memory;
	memory->history = history;
	memory->streams = lh_kchar_table_new(16, free_entry);
	if (!memory->streams) {
		free(memory);
		return -ENOMEM;
	}
	*journalp = &memory->base;
	return 0;
}

static void memory_destroy(struct journal *journal)
{
	struct memory *memory = (struct memory *)journal;

	lh_table_free(memory->streams);
	free(memory);
}

/* Messages of before a restart are gone, so every stream of every run has an epoch of its own. */
static void choose_epoch(char epoch[9])
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint32_t)time(NULL);
	snprintf(epoch, 9, "%08x", random);
}

static struct memory_stream *stream_create(struct memory *memory, const char *room)
{
	struct memory_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->base.journal = &memory->base;
	stream->room = strdup(room);
	choose_epoch(stream->epoch);
	if (!stream->room || lh_table_insert(memory->streams, stream->room, stream)) {
		stream_destroy(stream);
		return NULL;
	}
	return stream;
}

static int memory_open(struct journal *journal, const char *room, journal_entry_fn deliver,
		       void *user, struct journal_stream **streamp)
{
	struct memory *memory = (struct memory *)journal;
	struct memory_stream *stream;
	void *found;

	if (lh_table_lookup_ex(memory->streams, room, &found)) {
		stream = found;
		if (stream->deliver)
			return -EBUSY;
		memory->idle--;
	} else {
		stream = stream_create(memory, room);
		if (!stream)
			return -ENOMEM;
	}
	stream->deliver = deliver;
	stream->user = user;
	*streamp = &stream->base;
	return 0;
}

static void forget_oldest_idle(struct memory *memory)
{
	struct lh_entry *entry = lh_table_head(memory->streams);

	while (entry) {
		struct memory_stream *stream = lh_entry_v(entry);

		if (!stream->deliver) {
			lh_table_delete_entry(memory->streams, entry);
			memory->idle--;
			return;
		}
		entry = lh_entry_next(entry);
	}
}

static void forget_surplus(struct memory *memory)
{
	while (memory->idle > IDLE_STREAMS_MAX || (memory->bytes > BYTES_MAX && memory->idle))
		forget_oldest_idle(memory);
}

/* Moves the stream behind all others, so that the table's order tells who was left longest ago. */
static void move_to_end(struct memory *memory, struct memory_stream *stream)
{
	struct lh_entry *entry = lh_table_lookup_entry(memory->streams, stream->room);

	if (entry == memory->streams->tail)
		return;
	memory->streams->free_fn = NULL;
	lh_table_delete_entry(memory->streams, entry);
	memory->streams->free_fn = free_entry;
	if (lh_table_insert(memory->streams, stream->room, stream)) {
		memory->idle--;
		stream_destroy(stream);
	}
}

static void memory_close(struct journal_stream *base)
{
	struct memory_stream *stream = (struct memory_stream *)base;
	struct memory *memory = memory_of(stream);

	stream->deliver = NULL;
	memory->idle++;
	if (!stream->head) {
		lh_table_delete(memory->streams, stream->room);
		memory->idle--;
		return;
	}
	move_to_end(memory, stream);
	forget_surplus(memory);
}

/* Doubles the ring up to the history's length; the records move to their new places. */
static int grow(struct memory_stream *stream, unsigned history)
{
	unsigned capacity = stream->capacity ? stream->capacity * 2 : 16;
	struct record **records;

	if (capacity > history)
		capacity = history;
	records = calloc(capacity, sizeof(*records));
	if (!records)
		return -ENOMEM;
	for (uint64_t n = 1; stream->capacity && n <= stream->head; n++)
		records[n % capacity] = stream->records[n % stream->capacity];
	free(stream->records);
	stream->records = records;
	stream->capacity = capacity;
	return 0;
}

static int64_t now_in_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

static int keep(struct memory_stream *stream, const struct journal_entry *entry)
{
	unsigned history = memory_of(stream)->history;
	struct record *record;
	struct record **place;

	if (entry->sequence >= stream->capacity && stream->capacity < history) {
		int r = grow(stream, history);

		if (r < 0)
			return r;
	}
	if (!stream->capacity)
		return 0; /* no history is kept */
	record = malloc(sizeof(*record) + entry->size);
	if (!record)
		return -ENOMEM;
	record->time = entry->time;
	record->size = entry->size;
	memcpy(record->payload, entry->payload, entry->size);
	place = &stream->records[entry->sequence % stream->capacity];
	drop(memory_of(stream), *place);
	*place = record;
	memory_of(stream)->bytes += sizeof(*record) + record->size;
	return 0;
}

static int memory_publish(struct journal_stream *base, const void *payload, size_t size)
{
	struct memory_stream *stream = (struct memory_stream *)base;
	struct journal_entry entry = {
		.sequence = stream->head + 1,
		.time = now_in_milliseconds(),
		.payload = payload,
		.size = size,
	};
	int r = keep(stream, &entry);

	if (r < 0)
		return r;
	stream->head = entry.sequence;
	forget_surplus(memory_of(stream));
	stream->deliver(stream->user, &entry);
	return 0;
}

static int memory_read(struct journal_stream *base, uint64_t after, unsigned limit,
		       journal_entry_fn each, void *user)
{
	struct memory_stream *stream = (struct memory_stream *)base;
	uint64_t first = stream->head > stream->capacity ? stream->head - stream->capacity + 1 : 1;
	int count = 0;

	if (!stream->capacity || after >= stream->head)
		return 0;
	if (first <= after)
		first = after + 1;
	for (uint64_t n = first; n <= stream->head && (unsigned)count < limit; n++, count++) {
		const struct record *record = stream->records[n % stream->capacity];
		struct journal_entry entry = {
			.sequence = n,
			.time = record->time,
			.payload = record->payload,
			.size = record->size,
		};

		each(user, &entry);
	}
	return count;
}

static const char *memory_epoch(const struct journal_stream *base)
{
	return ((const struct memory_stream *)base)->epoch;
}

static uint64_t memory_head(const struct journal_stream *base)
{
	return ((const struct memory_stream *)base)->head;
}

const struct journal_driver journal_memory = {
	.name = "memory",
	.create = memory_create,
	.destroy = memory_destroy,
	.open = memory_open,
	.close = memory_close,
	.publish = memory_publish,
	.read = memory_read,
	.epoch = memory_epoch,
	.head = memory_head,
};
