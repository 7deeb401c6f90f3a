#include "journal-idle.h"
#include "journal-keys.h"
#include "journal-ring.h"
#include "journal-sizes.h"
#include "journal.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/*
 * The newest messages of each room in a ring of records. A stream outlives its
 * room's last member, so that who comes later still finds the history; since
 * strangers name rooms, only so many idle streams are kept, and the one that is
 * worth least goes first (journal-idle.h).
 *
 * One limit on bytes holds for all streams, open or idle, and everything that
 * they take counts. Beyond it the largest lose their oldest messages, and the
 * keys of them, so that a flood, however many rooms it goes to, costs first of
 * all itself: a history is safe as long as it is smaller than an equal share.
 *
 * Locks: a stream's own for what is in it, and the journal's for all else, which
 * is taken first. The caller may hold locks of its own, which this never takes.
 */
#define IDLE_STREAMS_MAX 1024

/* What is given back at a time, so that not every message at the limit has to look for the largest. */
#define SLACK(max) ((max) / 256)

/* What the table and the heap of idle streams hold for each stream, about. */
#define TABLE_BYTES 112

struct memory {
	struct journal base;
	unsigned history;
	pthread_mutex_t lock;
	struct lh_table *streams; /* by room */
	struct journal_sizes sizes;
	struct journal_idles idles;
};

struct memory_stream {
	struct journal_stream base;
	struct journal_sized sized;
	struct journal_idle idle;
	char *room;
	journal_deliver_fn deliver; /* NULL while nobody has it open */
	void *user;
	char epoch
		[JOURNAL_EPOCH_SIZE]; /* messages of before a restart are gone: one for every run */
	_Atomic uint64_t head;
	int64_t first_time; /* of the first message ever */
	int64_t time;	    /* of the newest message */
	_Atomic size_t bytes;
	size_t own_bytes;     /* of it without what its lock is for */
	pthread_mutex_t lock; /* of the ring, the keys and changes of bytes */
	struct journal_ring ring;
	struct journal_keys keys;
};

static struct memory *memory_of(const struct memory_stream *stream)
{
	return (struct memory *)stream->base.journal;
}

/* Drops what is too old to be kept. */
static void drop_old(struct memory_stream *stream, int64_t now)
{
	unsigned seconds = stream->base.journal->seconds;

	if (!seconds)
		return;
	journal_ring_drop_older(&stream->ring, now - (int64_t)seconds * 1000);
	journal_ring_shrink(&stream->ring);
}

/* With its lock held. */
static size_t size_of(const struct memory_stream *stream)
{
	return stream->own_bytes + journal_ring_size(&stream->ring) + stream->keys.bytes;
}

/* With its lock held, after every change. */
static void count_bytes(struct memory_stream *stream)
{
	size_t bytes = size_of(stream);

	if (bytes == stream->bytes)
		return;
	memory_of(stream)->base.metrics.bytes += bytes - stream->bytes; /* modulo 2^64 */
	stream->bytes = bytes;
}

/* One that is in no table any more. */
static void stream_destroy(struct memory_stream *stream)
{
	memory_of(stream)->base.metrics.bytes -= stream->bytes;
	journal_ring_finish(&stream->ring);
	journal_keys_finish(&stream->keys);
	pthread_mutex_destroy(&stream->lock);
	free(stream->room);
	free(stream);
}

static void free_entry(struct lh_entry *entry)
{
	stream_destroy(lh_entry_v(entry));
}

/* Takes it out of the table, which destroys it. */
static void forget(struct memory *memory, struct memory_stream *stream)
{
	journal_sizes_remove(&memory->sizes, &stream->sized);
	lh_table_delete(memory->streams, stream->room);
}

static int memory_create(struct journal **journalp, const char *where, unsigned history)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	memory->base.driver = &journal_memory;
	memory->base.bytes_max = JOURNAL_BYTES;
	memory->history = history;
	memory->streams = lh_kchar_table_new(16, free_entry);
	if (!memory->streams) {
		free(memory);
		return -ENOMEM;
	}
	journal_sizes_init(&memory->sizes);
	journal_idles_init(&memory->idles);
	pthread_mutex_init(&memory->lock, NULL);
	*journalp = &memory->base;
	return 0;
}

static void memory_destroy(struct journal *journal)
{
	struct memory *memory = (struct memory *)journal;

	lh_table_free(memory->streams);
	journal_idles_finish(&memory->idles);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

static struct memory_stream *stream_create(struct memory *memory, const char *room)
{
	struct memory_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->base.journal = &memory->base;
	stream->room = strdup(room);
	stream->own_bytes = journal_heap_size(sizeof(*stream)) +
			    journal_heap_size(strlen(room) + 1) + TABLE_BYTES;
	journal_choose_epoch(stream->epoch);
	pthread_mutex_init(&stream->lock, NULL);
	journal_ring_init(&stream->ring, memory->history, SIZE_MAX, 1);
	journal_keys_init(&stream->keys);
	if (!stream->room || lh_table_insert(memory->streams, stream->room, stream)) {
		stream_destroy(stream);
		return NULL;
	}
	count_bytes(stream);
	journal_sizes_add(&memory->sizes, &stream->sized, stream->bytes);
	return stream;
}

static int find_or_create(struct memory *memory, const char *room, struct memory_stream **streamp)
{
	void *found;

	if (!lh_table_lookup_ex(memory->streams, room, &found)) {
		*streamp = stream_create(memory, room);
		return *streamp ? 0 : -ENOMEM;
	}
	*streamp = found;
	if ((*streamp)->deliver)
		return -EBUSY;
	journal_idles_remove(&memory->idles, &(*streamp)->idle);
	return 0;
}

static void forget_least_idle(struct memory *memory)
{
	struct journal_idle *idle = journal_idles_least(&memory->idles);

	journal_idles_remove(&memory->idles, idle);
	forget(memory,
	       (struct memory_stream *)((char *)idle - offsetof(struct memory_stream, idle)));
}

/* Whichever of the two holds more loses its oldest. */
static bool drop_one(struct memory_stream *stream)
{
	if (stream->keys.bytes > stream->ring.bytes)
		return journal_keys_drop_oldest(&stream->keys);
	return journal_ring_drop_oldest(&stream->ring);
}

/* Takes so much of it, or an eighth of what it has. Returns false where there is nothing to take. */
static bool shed(struct memory_stream *stream, size_t bytes)
{
	bool any = false;
	size_t goal;

	pthread_mutex_lock(&stream->lock);
	goal = stream->bytes - (bytes < stream->bytes / 8 ? bytes : stream->bytes / 8);
	while (size_of(stream) > goal && drop_one(stream))
		any = true;
	journal_ring_shrink(&stream->ring);
	count_bytes(stream);
	pthread_mutex_unlock(&stream->lock);
	return any;
}

static struct memory_stream *find_largest(struct memory *memory)
{
	struct journal_sized *sized = journal_sizes_largest(&memory->sizes);

	return (struct memory_stream *)((char *)sized - offsetof(struct memory_stream, sized));
}

/* Where the largest holds no more than it needs to be there, idle ones go. */
static void shed_surplus(struct memory *memory)
{
	size_t max = memory->base.bytes_max, goal = max - SLACK(max);

	while (memory->base.metrics.bytes > goal && lh_table_length(memory->streams)) {
		struct memory_stream *largest = find_largest(memory);

		if (shed(largest, memory->base.metrics.bytes - goal))
			journal_sizes_move(&memory->sizes, &largest->sized, largest->bytes);
		else if (journal_idles_least(&memory->idles))
			forget_least_idle(memory);
		else
			break;
	}
}

/* With nobody's lock held. */
static void tidy(struct memory *memory, struct memory_stream *stream)
{
	bool misplaced = journal_sizes_is_misplaced(&stream->sized, stream->bytes);

	if (!misplaced && memory->base.metrics.bytes <= memory->base.bytes_max)
		return;
	pthread_mutex_lock(&memory->lock);
	if (misplaced)
		journal_sizes_move(&memory->sizes, &stream->sized, stream->bytes);
	if (memory->base.metrics.bytes > memory->base.bytes_max)
		shed_surplus(memory);
	pthread_mutex_unlock(&memory->lock);
}

static int memory_open(struct journal *journal, const char *room, journal_deliver_fn deliver,
		       void *user, struct journal_stream **streamp)
{
	struct memory *memory = (struct memory *)journal;
	struct memory_stream *stream;
	int r;

	pthread_mutex_lock(&memory->lock);
	r = find_or_create(memory, room, &stream);
	if (!r) {
		stream->deliver = deliver;
		stream->user = user;
		*streamp = &stream->base;
	}
	pthread_mutex_unlock(&memory->lock);
	return r;
}

static void leave(struct memory *memory, struct memory_stream *stream)
{
	stream->deliver = NULL;
	if (!stream->head || journal_idles_add(&memory->idles, &stream->idle, stream->first_time,
					       stream->time, journal_now()) < 0) {
		forget(memory, stream);
		return;
	}
	while (memory->idles.n > IDLE_STREAMS_MAX)
		forget_least_idle(memory);
}

static void memory_close(struct journal_stream *base)
{
	struct memory_stream *stream = (struct memory_stream *)base;
	struct memory *memory = memory_of(stream);

	pthread_mutex_lock(&memory->lock);
	leave(memory, stream);
	pthread_mutex_unlock(&memory->lock);
}

static int keep(struct memory_stream *stream, const struct journal_publication *publication,
		const struct journal_entry *entry)
{
	int r = 0;

	drop_old(stream, entry->time);
	if (publication->redaction)
		r = journal_ring_redact(&stream->ring, publication->redaction);
	if (!r)
		r = journal_ring_append(&stream->ring, entry);
	if (!r && publication->key)
		journal_keys_add(&stream->keys, publication->key, publication->key_size,
				 entry->sequence, journal_monotonic());
	return r;
}

/* With the stream's lock held. */
static void keep_unless_repeated(struct memory_stream *stream,
				 struct journal_publication *publication,
				 const struct journal_entry *entry)
{
	if (publication->key)
		publication->sequence =
			journal_keys_find(&stream->keys, publication->key, publication->key_size,
					  journal_monotonic());
	publication->repeated = publication->sequence != 0;
	if (publication->repeated)
		return;
	publication->result = keep(stream, publication, entry);
	if (publication->result)
		return;
	publication->sequence = entry->sequence;
	if (!stream->head)
		stream->first_time = entry->time;
	stream->head = entry->sequence;
	stream->time = entry->time;
}

static void memory_publish(struct journal_stream *base, struct journal_publication *publication)
{
	struct memory_stream *stream = (struct memory_stream *)base;
	struct journal_entry entry = {
		.sequence = stream->head + 1,
		.time = journal_now(),
		.payload = publication->payload,
		.size = publication->size,
	};

	if (entry.time < stream->time)
		entry.time = stream->time;
	pthread_mutex_lock(&stream->lock);
	keep_unless_repeated(stream, publication, &entry);
	count_bytes(stream);
	pthread_mutex_unlock(&stream->lock);
	tidy(memory_of(stream), stream);
	if (!publication->repeated && !publication->result)
		stream->deliver(stream->user, &entry, 1);
	publication->done(publication);
}

static int memory_read(struct journal_stream *base, const struct journal_range *range,
		       journal_entry_fn each, void *user)
{
	struct memory_stream *stream = (struct memory_stream *)base;
	int n;

	pthread_mutex_lock(&stream->lock);
	drop_old(stream, journal_now());
	count_bytes(stream);
	n = journal_ring_read(&stream->ring, range, each, user);
	pthread_mutex_unlock(&stream->lock);
	return n;
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
