#include "journal-keys.h"
#include "journal-ring.h"
#include "journal.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * The newest messages of each room in a ring of records. A stream outlives its
 * room's last member, so that who comes later still finds the history; since
 * strangers name rooms, only so many idle streams are kept, and the one that
 * was left longest ago goes first.
 *
 * The journal's lock is for the table and for idle streams; what is in an open
 * stream has the stream's own, and the caller's.
 */
#define IDLE_STREAMS_MAX 1024

/* And with more than so many bytes in all, idle streams go too. */
#define BYTES_MAX ((size_t)256 * 1024 * 1024)

struct memory {
	struct journal base;
	unsigned history;
	pthread_mutex_t lock;
	struct lh_table
		*streams; /* by room, in the order in which they were last opened or closed */
	unsigned idle;
	_Atomic size_t bytes; /* of all records and keys */
};

struct memory_stream {
	struct journal_stream base;
	char *room;
	journal_deliver_fn deliver; /* NULL while nobody has it open */
	void *user;
	char epoch
		[JOURNAL_EPOCH_SIZE]; /* messages of before a restart are gone: one for every run */
	_Atomic uint64_t head;
	int64_t time;	      /* of the newest message */
	pthread_mutex_t lock; /* of the ring */
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

	if (seconds)
		journal_ring_drop_older(&stream->ring, now - (int64_t)seconds * 1000);
}

static void stream_destroy(struct memory_stream *stream)
{
	memory_of(stream)->bytes -= stream->ring.bytes + stream->keys.bytes;
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

static int memory_create(struct journal **journalp, const char *where, unsigned history)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	memory->base.driver = &journal_memory;
	memory->history = history;
	memory->streams = lh_kchar_table_new(16, free_entry);
	if (!memory->streams) {
		free(memory);
		return -ENOMEM;
	}
	pthread_mutex_init(&memory->lock, NULL);
	*journalp = &memory->base;
	return 0;
}

static void memory_destroy(struct journal *journal)
{
	struct memory *memory = (struct memory *)journal;

	lh_table_free(memory->streams);
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
	journal_choose_epoch(stream->epoch);
	pthread_mutex_init(&stream->lock, NULL);
	journal_ring_init(&stream->ring, memory->history, BYTES_MAX, 1);
	journal_keys_init(&stream->keys);
	if (!stream->room || lh_table_insert(memory->streams, stream->room, stream)) {
		stream_destroy(stream);
		return NULL;
	}
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
	memory->idle--;
	return 0;
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

static void forget_surplus_locked(struct memory *memory)
{
	while (memory->idle > IDLE_STREAMS_MAX || (memory->bytes > BYTES_MAX && memory->idle))
		forget_oldest_idle(memory);
}

static void forget_surplus(struct memory *memory)
{
	pthread_mutex_lock(&memory->lock);
	forget_surplus_locked(memory);
	pthread_mutex_unlock(&memory->lock);
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

static void leave(struct memory *memory, struct memory_stream *stream)
{
	stream->deliver = NULL;
	memory->idle++;
	if (!stream->head) {
		lh_table_delete(memory->streams, stream->room);
		memory->idle--;
		return;
	}
	move_to_end(memory, stream);
	forget_surplus_locked(memory);
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
		struct journal_entry *entry)
{
	struct memory *memory = memory_of(stream);
	size_t before = stream->ring.bytes + stream->keys.bytes;
	int r = 0;

	pthread_mutex_lock(&stream->lock);
	drop_old(stream, entry->time);
	if (publication->redaction)
		r = journal_ring_redact(&stream->ring, publication->redaction);
	if (!r)
		r = journal_ring_append(&stream->ring, entry);
	pthread_mutex_unlock(&stream->lock);
	if (!r && publication->key)
		journal_keys_add(&stream->keys, publication->key, publication->key_size,
				 entry->sequence, entry->time);
	memory->bytes += stream->ring.bytes + stream->keys.bytes - before; /* modulo 2^64 */
	return r;
}

static void memory_publish(struct journal_stream *base, struct journal_publication *publication)
{
	struct memory_stream *stream = (struct memory_stream *)base;
	struct memory *memory = memory_of(stream);
	struct journal_entry entry = {
		.sequence = stream->head + 1,
		.time = journal_now(),
		.payload = publication->payload,
		.size = publication->size,
	};

	if (entry.time < stream->time)
		entry.time = stream->time;
	if (publication->key)
		publication->sequence = journal_keys_find(&stream->keys, publication->key,
							  publication->key_size, entry.time);
	publication->repeated = publication->sequence != 0;
	if (!publication->repeated) {
		publication->result = keep(stream, publication, &entry);
		if (!publication->result) {
			publication->sequence = entry.sequence;
			stream->head = entry.sequence;
			stream->time = entry.time;
			if (memory->bytes > BYTES_MAX)
				forget_surplus(memory);
			stream->deliver(stream->user, &entry, 1);
		}
	}
	publication->done(publication);
}

static int memory_read(struct journal_stream *base, const struct journal_range *range,
		       journal_entry_fn each, void *user)
{
	struct memory_stream *stream = (struct memory_stream *)base;
	struct memory *memory = memory_of(stream);
	size_t before;
	int n;

	pthread_mutex_lock(&stream->lock);
	before = stream->ring.bytes;
	drop_old(stream, journal_now());
	memory->bytes += stream->ring.bytes - before;
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
