#include "journal-sqlite.h"

#include "journal-recognise.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 16384

/* The newest messages of an open stream, in memory. */
#define CACHE_BYTES ((size_t)1024 * 1024)

/* And as many of them are there from the start. */
#define CACHE_LOAD 1000

int64_t sqlite_oldest_time(const struct sqlite *sqlite)
{
	unsigned seconds = sqlite->base.seconds;

	return seconds ? journal_now() - (int64_t)seconds * 1000 : 0;
}

uint64_t sqlite_oldest_by_count(const struct sqlite *sqlite, uint64_t head)
{
	return head > sqlite->history ? head - sqlite->history + 1 : 1;
}

int64_t sqlite_key_time(const struct sqlite *sqlite)
{
	return journal_monotonic() + sqlite->key_offset;
}

static void start_key_time(struct sqlite *sqlite)
{
	int64_t now = journal_now();

	if (now < sqlite->issued.key_time)
		now = sqlite->issued.key_time;
	sqlite->key_offset = now - journal_monotonic();
}

/* What is older than what the cache drops is too old as well. */
void sqlite_drop_old(struct sqlite_stream *stream)
{
	uint64_t first = stream->cache.first;

	journal_ring_drop_older(&stream->cache, sqlite_oldest_time(sqlite_of(stream)));
	if (stream->cache.first > first)
		stream->oldest = stream->cache.first;
}

static void init(struct sqlite *sqlite, unsigned history)
{
	pthread_condattr_t monotonic;

	sqlite->base.driver = &journal_sqlite;
	sqlite->history = history;
	sqlite->file.fd = -1;
	sqlite->has_leftovers = true; /* a kill may have left some */
	sqlite->end = &sqlite->first;
	pthread_mutex_init(&sqlite->lock, NULL);
	pthread_cond_init(&sqlite->gone, NULL);
	pthread_mutex_init(&sqlite->readers_lock, NULL);
	pthread_cond_init(&sqlite->reader_idle, NULL);
	pthread_mutex_init(&sqlite->queue_lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&sqlite->queue_filled, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void finish_sqlite(struct sqlite *sqlite)
{
	while (sqlite->idle_readers)
		database_close(sqlite->readers[--sqlite->idle_readers]);
	if (sqlite->is_lost) /* all that is in the log goes where the file is now */
		database_empty_log(sqlite->writer);
	database_close(sqlite->writer);
	if (sqlite->is_lost)
		journal_file_remove_log(&sqlite->file);
	journal_file_close(&sqlite->file);
	if (sqlite->streams)
		lh_table_free(sqlite->streams);
	pthread_cond_destroy(&sqlite->queue_filled);
	pthread_mutex_destroy(&sqlite->queue_lock);
	pthread_cond_destroy(&sqlite->reader_idle);
	pthread_mutex_destroy(&sqlite->readers_lock);
	pthread_cond_destroy(&sqlite->gone);
	pthread_mutex_destroy(&sqlite->lock);
	free(sqlite);
}

static int open_readers(struct sqlite *sqlite, const char *where)
{
	int r = 0;

	while (!r && sqlite->idle_readers < SQLITE_READERS) {
		r = database_open(&sqlite->readers[sqlite->idle_readers], where, false);
		if (!r)
			sqlite->idle_readers++;
	}
	return r;
}

/* Waits for one that nobody else reads with. */
static struct database *take_reader(struct sqlite *sqlite)
{
	struct database *reader;

	pthread_mutex_lock(&sqlite->readers_lock);
	while (!sqlite->idle_readers)
		pthread_cond_wait(&sqlite->reader_idle, &sqlite->readers_lock);
	reader = sqlite->readers[--sqlite->idle_readers];
	pthread_mutex_unlock(&sqlite->readers_lock);
	return reader;
}

static void give_back(struct sqlite *sqlite, struct database *reader)
{
	pthread_mutex_lock(&sqlite->readers_lock);
	sqlite->readers[sqlite->idle_readers++] = reader;
	pthread_cond_signal(&sqlite->reader_idle);
	pthread_mutex_unlock(&sqlite->readers_lock);
}

/* All that is on the disk, in the order in which it is safe; see journal-file.h and journal-recognise.h. */
static int open_files(struct sqlite *sqlite, const char *where)
{
	struct journal_file *file = &sqlite->file;
	struct journal_issued own;
	int r = journal_file_open(file, where);

	if (!r)
		r = recognise_file(file->paths[JOURNAL_FILE_DATABASE], file->fd, &own);
	if (r < 0)
		return r;
	journal_file_make_private(file);
	r = database_open(&sqlite->writer, where, true);
	if (!r && journal_issued_is_mixed(&own, sqlite->writer, file->issued)) {
		database_leave_log(sqlite->writer);
		database_close(sqlite->writer);
		sqlite->writer = NULL;
		r = journal_file_put_log_aside(file);
		if (!r)
			r = database_open(&sqlite->writer, where, true);
	}
	if (!r)
		r = journal_issued_begin(&sqlite->issued, sqlite->writer, file->issued);
	if (!r)
		r = database_count_rooms(sqlite->writer, &sqlite->rooms);
	if (!r)
		r = open_readers(sqlite, where);
	if (r < 0)
		return r;
	journal_file_watch(file);
	return sqlite_is_there(sqlite) ? 0 : -EIO; /* as SQLite opens it by its name */
}

static int sqlite_create(struct journal **journalp, const char *where, unsigned history)
{
	struct sqlite *sqlite = calloc(1, sizeof(*sqlite));
	int r;

	if (!sqlite)
		return -ENOMEM;
	init(sqlite, history);
	sqlite->streams = lh_kchar_table_new(16, NULL);
	r = sqlite->streams ? open_files(sqlite, where) : -ENOMEM;
	sqlite->base.metrics.rooms = sqlite->rooms;
	sqlite->issued_written = sqlite->issued.counter;
	start_key_time(sqlite);
	if (!r)
		r = sqlite_start_writer(sqlite);
	if (r < 0) {
		finish_sqlite(sqlite);
		return r;
	}
	*journalp = &sqlite->base;
	return 0;
}

/* What waits is written first. */
static void sqlite_destroy(struct journal *journal)
{
	struct sqlite *sqlite = (struct sqlite *)journal;

	pthread_mutex_lock(&sqlite->queue_lock);
	sqlite->stopping = true;
	pthread_cond_signal(&sqlite->queue_filled);
	pthread_mutex_unlock(&sqlite->queue_lock);
	pthread_join(sqlite->thread, NULL);
	sqlite_note_issued(sqlite, true);
	finish_sqlite(sqlite);
}

static void append_to_cache(void *user, const struct journal_entry *entry)
{
	struct sqlite_stream *stream = user;

	if (entry->sequence != stream->cache.next)
		journal_ring_restart(&stream->cache, entry->sequence);
	if (journal_ring_append(&stream->cache, entry) < 0)
		journal_ring_restart(&stream->cache, entry->sequence + 1);
}

/* The room as it was left, with its newest messages. */
static int load(struct sqlite *sqlite, struct database *reader, struct sqlite_stream *stream)
{
	struct database_room room;
	uint64_t from;
	int r = database_find_room(reader, stream->room, &room);

	if (r == -ENOENT) {
		journal_choose_epoch(stream->epoch);
		stream->oldest = 1;
		journal_ring_init(&stream->cache, sqlite->history, CACHE_BYTES, 1);
		return 0;
	}
	if (r < 0)
		return r;
	snprintf(stream->epoch, sizeof(stream->epoch), "%s", room.epoch);
	stream->id = room.id;
	stream->head = room.head;
	stream->oldest = room.oldest;
	stream->time = room.time;
	stream->since = room.since;
	from = sqlite_oldest_by_count(sqlite, room.head);
	if (from < room.oldest)
		from = room.oldest;
	if (room.head - from >= CACHE_LOAD && from <= room.head)
		from = room.head - CACHE_LOAD + 1;
	journal_ring_init(&stream->cache, sqlite->history, CACHE_BYTES, room.head + 1);
	if (from > room.head)
		return 0;
	r = database_read(reader,
			  &(struct database_range){
				  .room = room.id,
				  .from = from,
				  .to = room.head,
				  .time = sqlite_oldest_time(sqlite),
				  .limit = CACHE_LOAD,
				  .bytes = CACHE_BYTES,
				  .newest = true,
			  },
			  append_to_cache, stream);
	if (stream->cache.next != room.head + 1)
		journal_ring_restart(&stream->cache, room.head + 1);
	return r < 0 ? r : 0;
}

static void stream_destroy(struct sqlite_stream *stream)
{
	journal_ring_finish(&stream->cache);
	pthread_mutex_destroy(&stream->lock);
	free(stream->room);
	free(stream);
}

static int enlist(struct sqlite *sqlite, struct sqlite_stream *stream)
{
	int r = 0;

	pthread_mutex_lock(&sqlite->lock);
	sqlite_wait_for_leaving(sqlite, stream->room);
	if (lh_table_lookup_ex(sqlite->streams, stream->room, NULL))
		r = -EBUSY;
	else if (lh_table_insert(sqlite->streams, stream->room, stream))
		r = -ENOMEM;
	pthread_mutex_unlock(&sqlite->lock);
	return r;
}

static void sqlite_close(struct journal_stream *base)
{
	struct sqlite_stream *stream = (struct sqlite_stream *)base;
	struct sqlite *sqlite = sqlite_of(stream);

	pthread_mutex_lock(&sqlite->lock);
	lh_table_delete(sqlite->streams, stream->room);
	pthread_mutex_unlock(&sqlite->lock);
	stream_destroy(stream);
}

static int sqlite_open(struct journal *journal, const char *room, journal_deliver_fn deliver_fn,
		       void *user, struct journal_stream **streamp)
{
	struct sqlite *sqlite = (struct sqlite *)journal;
	struct sqlite_stream *stream = calloc(1, sizeof(*stream));
	struct database *reader;
	int r;

	if (!stream)
		return -ENOMEM;
	stream->base.journal = journal;
	stream->deliver = deliver_fn;
	stream->user = user;
	pthread_mutex_init(&stream->lock, NULL);
	stream->room = strdup(room);
	r = stream->room ? enlist(sqlite, stream) : -ENOMEM;
	if (r < 0) {
		stream_destroy(stream);
		return r;
	}
	reader = take_reader(sqlite);
	r = sqlite_note_damage(sqlite, reader, load(sqlite, reader, stream));
	give_back(sqlite, reader);
	if (r < 0)
		sqlite_close(&stream->base);
	else
		*streamp = &stream->base;
	return r;
}

static void sqlite_publish(struct journal_stream *base, struct journal_publication *publication)
{
	struct sqlite *sqlite = sqlite_of((struct sqlite_stream *)base);
	bool was_empty, is_full;

	pthread_mutex_lock(&sqlite->queue_lock);
	was_empty = !sqlite->first;
	is_full = sqlite->queued >= QUEUE_MAX;
	if (!is_full) {
		*sqlite->end = publication;
		sqlite->end = &publication->next;
		sqlite->base.metrics.queue = ++sqlite->queued;
	}
	pthread_mutex_unlock(&sqlite->queue_lock);
	if (is_full) {
		publication->result = -EBUSY;
		sqlite->base.metrics.failures++;
		publication->done(publication);
	} else if (was_empty) {
		pthread_cond_signal(&sqlite->queue_filled);
	}
}

/* Whether the cache has as many bytes of the newest as are wanted, and more, so that it needn't reach back. */
static bool is_cached(const struct sqlite_stream *stream, const struct journal_range *range,
		      uint64_t to)
{
	uint64_t from = stream->cache.first;

	if (!range->newest || !range->bytes || to < from)
		return false;
	journal_ring_bound(&stream->cache, range, &from, &to);
	return from > stream->cache.first;
}

/* Returns how many, or -EAGAIN where the cache doesn't reach back to *from, up to *to. */
static int read_cache(struct sqlite_stream *stream, const struct journal_range *range,
		      journal_entry_fn each, void *user, uint64_t *from, uint64_t *to)
{
	struct sqlite *sqlite = sqlite_of(stream);
	uint64_t oldest;
	int r = -EAGAIN;

	pthread_mutex_lock(&stream->lock);
	sqlite_drop_old(stream);
	oldest = sqlite_oldest_by_count(sqlite, stream->head);
	if (oldest < stream->oldest)
		oldest = stream->oldest;
	if (!journal_range_clip(range, oldest, stream->head, from, to))
		r = 0;
	else if (*from >= stream->cache.first || is_cached(stream, range, *to))
		r = journal_ring_read(&stream->cache, range, each, user);
	/* Of the oldest some may be too old, so it's not yet known where so many of them end. */
	if (r == -EAGAIN && !range->newest)
		*to = range->before && range->before <= stream->head ? range->before - 1
								     : stream->head;
	pthread_mutex_unlock(&stream->lock);
	return r;
}

static int sqlite_read(struct journal_stream *base, const struct journal_range *range,
		       journal_entry_fn each, void *user)
{
	struct sqlite_stream *stream = (struct sqlite_stream *)base;
	struct sqlite *sqlite = sqlite_of(stream);
	struct database *reader;
	uint64_t from, to;
	int r = read_cache(stream, range, each, user, &from, &to);

	if (r != -EAGAIN) {
		sqlite->base.metrics.cache_reads++;
		return r;
	}
	if (range->at_hand)
		return r;
	sqlite->base.metrics.disk_reads++;
	reader = take_reader(sqlite);
	r = database_read(reader,
			  &(struct database_range){
				  .room = stream->id,
				  .from = from,
				  .to = to,
				  .time = sqlite_oldest_time(sqlite),
				  .limit = range->limit,
				  .bytes = range->bytes,
				  .newest = range->newest,
			  },
			  each, user);
	r = sqlite_note_damage(sqlite, reader, r);
	give_back(sqlite, reader);
	return r;
}

static int sqlite_marks(struct journal *journal, int64_t now, journal_mark_fn each, void *user)
{
	struct sqlite *sqlite = (struct sqlite *)journal;
	struct database *reader = take_reader(sqlite);
	int r = sqlite_note_damage(sqlite, reader, database_read_marks(reader, now, each, user));

	give_back(sqlite, reader);
	return r;
}

static const char *sqlite_epoch(const struct journal_stream *base)
{
	return ((const struct sqlite_stream *)base)->epoch;
}

static uint64_t sqlite_head(const struct journal_stream *base)
{
	return ((const struct sqlite_stream *)base)->head;
}

const struct journal_driver journal_sqlite = {
	.name = "sqlite",
	.is_somewhere = true,
	.waits = true,
	.create = sqlite_create,
	.destroy = sqlite_destroy,
	.open = sqlite_open,
	.close = sqlite_close,
	.publish = sqlite_publish,
	.read = sqlite_read,
	.epoch = sqlite_epoch,
	.head = sqlite_head,
	.marks = sqlite_marks,
};
