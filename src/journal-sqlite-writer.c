#include "journal-idle.h"
#include "journal-sqlite.h"
#include "log.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define LOG_MODULE "journal"

/* The history is cut after so many new messages, and whatever is left of old ones now and then. */
#define TRIM_EVERY 256
#define SWEEP_SECONDS 10
#define SWEEP_ROOMS 100

/* How often it is tried whether messages can be kept again. */
#define PROBE_SECONDS 2

uint64_t sqlite_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int trim_room(struct sqlite *sqlite, int64_t room, uint64_t head)
{
	const struct database_trim trim = {
		.room = room,
		.messages = sqlite_oldest_by_count(sqlite, head) - 1,
		.message_time = sqlite_oldest_time(sqlite),
		.keys = head > JOURNAL_KEYS_MAX ? head - JOURNAL_KEYS_MAX : 0,
		.key_time = sqlite_key_time(sqlite) - JOURNAL_KEY_SECONDS * 1000,
	};

	return database_trim(sqlite->writer, &trim);
}

static int write_mark(struct sqlite_stream *stream, const struct journal_mark *mark)
{
	return database_set_mark(sqlite_of(stream)->writer, stream->next_id, mark->key,
				 mark->key_size, mark->until(mark));
}

/* Whether it was there already, and remembers it if it wasn't. */
static int note_key(struct sqlite_stream *stream, struct journal_publication *publication,
		    uint64_t sequence)
{
	struct database *writer = sqlite_of(stream)->writer;
	int64_t now = sqlite_key_time(sqlite_of(stream));
	int r = database_find_key(writer, stream->next_id, publication->key, publication->key_size,
				  now - JOURNAL_KEY_SECONDS * 1000, &publication->sequence);

	publication->repeated = publication->sequence != 0;
	if (r < 0 || publication->repeated)
		return r;
	return database_add_key(writer, stream->next_id, publication->key, publication->key_size,
				sequence, now);
}

static int write_message(struct sqlite_stream *stream, struct journal_publication *publication)
{
	struct database *writer = sqlite_of(stream)->writer;
	struct journal_entry entry = {
		.sequence = stream->next_head + 1,
		.time = journal_now(),
		.payload = publication->payload,
		.size = publication->size,
	};
	int r;

	if (entry.time < stream->next_time)
		entry.time = stream->next_time;
	if (publication->key) {
		r = note_key(stream, publication, entry.sequence);
		if (r < 0 || publication->repeated)
			return r;
	}
	if (publication->redaction) {
		r = database_redact(writer, stream->next_id, publication->redaction);
		if (r < 0) {
			publication->result = r;
			return r == -ENOENT ? 0 : r; /* no reason not to keep the others */
		}
	}
	if (publication->mark) {
		r = write_mark(stream, publication->mark);
		if (r < 0)
			return r;
	}
	r = database_add_message(writer, stream->next_id, &entry);
	publication->sequence = entry.sequence;
	publication->time = entry.time;
	stream->next_head = entry.sequence;
	stream->next_time = entry.time;
	return r;
}

static int write_stream(struct sqlite_stream *stream)
{
	struct sqlite *sqlite = sqlite_of(stream);
	int r = 0;

	stream->next_id = stream->id;
	stream->next_head = stream->head;
	stream->next_time = stream->time;
	stream->next_since = stream->since ? stream->since : journal_now();
	if (!stream->next_id) {
		r = database_add_room(sqlite->writer, stream->room, stream->epoch,
				      &stream->next_id);
		sqlite->added++;
	}
	for (struct journal_publication *p = stream->batch; p && !r; p = p->next)
		r = write_message(stream, p);
	sqlite->written += stream->next_head - stream->head;
	if (!r && stream->next_head != stream->head) /* a flood of repeats costs no commit */
		r = database_set_head(
			sqlite->writer, stream->next_id, stream->next_head, stream->next_since,
			journal_worth(stream->next_since, stream->next_time, stream->next_time));
	if (!r && stream->untrimmed >= TRIM_EVERY)
		r = trim_room(sqlite, stream->next_id, stream->next_head);
	return r;
}

/* Once when it begins and once when it is over, however many publications it strikes. */
static void note_failure(struct sqlite *sqlite, int error)
{
	_Atomic bool *failing = &sqlite->base.metrics.failing;

	if (error && !*failing)
		log_error("nothing can be kept: %s", database_error(sqlite->writer));
	else if (!error && *failing)
		log_notice("messages are kept again");
	*failing = error != 0;
	sqlite->next_probe = sqlite_now() + PROBE_SECONDS * (uint64_t)1000000000;
}

static int write_transaction(struct sqlite *sqlite, struct sqlite_stream *streams)
{
	int r = database_begin(sqlite->writer);

	sqlite->added = 0;
	sqlite->written = 0;
	for (struct sqlite_stream *stream = streams; stream && !r; stream = stream->next)
		r = write_stream(stream);
	if (!r && sqlite->written)
		r = database_set_issued(sqlite->writer, sqlite->issued.counter + sqlite->written,
					sqlite_key_time(sqlite));
	return r < 0 ? r : database_commit(sqlite->writer);
}

static void count_commit(struct journal_metrics *metrics, uint64_t nanoseconds)
{
	metrics->commits++;
	metrics->commit_nanoseconds += nanoseconds;
	if (nanoseconds > metrics->commit_nanoseconds_max)
		metrics->commit_nanoseconds_max = nanoseconds;
}

/* What was committed to a file that is gone is not told to anybody either. */
static int write_batch(struct sqlite *sqlite, struct sqlite_stream *streams)
{
	uint64_t start = sqlite_now();
	int r;

	if (sqlite->is_lost)
		return -EIO;
	r = write_transaction(sqlite, streams);
	if (r == -EUCLEAN)
		r = sqlite_note_damage(sqlite, sqlite->writer, r);
	else
		note_failure(sqlite, r);
	if (r < 0) {
		database_rollback(sqlite->writer);
		if (r == -ENOSPC)
			database_checkpoint(sqlite->writer);
		return r;
	}
	if (!sqlite_is_there(sqlite))
		return -EIO;
	sqlite->issued.counter += sqlite->written;
	sqlite->rooms += sqlite->added;
	sqlite->base.metrics.rooms = sqlite->rooms;
	count_commit(&sqlite->base.metrics, sqlite_now() - start);
	return 0;
}

static void redact_cache(struct sqlite_stream *stream)
{
	struct sqlite *sqlite = sqlite_of(stream);

	for (const struct journal_publication *p = stream->batch; p; p = p->next) {
		if (!p->redaction || p->result)
			continue;
		if (journal_ring_redact(&stream->cache, p->redaction) == -ENOMEM)
			journal_ring_restart(&stream->cache, stream->cache.next);
		sqlite->has_leftovers = true;
		sqlite->next_sweep = 0; /* soon */
	}
}

/* What can't be cached is read from the disk later. */
static void cache(struct sqlite_stream *stream, const struct journal_entry *entries, size_t n)
{
	pthread_mutex_lock(&stream->lock);
	sqlite_drop_old(stream);
	for (size_t i = 0; i < n; i++)
		if (journal_ring_append(&stream->cache, &entries[i]) < 0)
			journal_ring_restart(&stream->cache, entries[i].sequence + 1);
	redact_cache(stream);
	stream->head = stream->next_head;
	pthread_mutex_unlock(&stream->lock);
}

static void deliver(struct sqlite_stream *stream)
{
	struct journal_entry *entries = sqlite_of(stream)->entries;
	size_t n = 0;

	stream->id = stream->next_id;
	stream->time = stream->next_time;
	stream->since = stream->next_since;
	for (const struct journal_publication *p = stream->batch; p; p = p->next)
		if (!p->repeated && !p->result)
			entries[n++] = (struct journal_entry){.sequence = p->sequence,
							      .time = p->time,
							      .payload = p->payload,
							      .size = p->size};
	if (stream->untrimmed >= TRIM_EVERY)
		stream->untrimmed = 0;
	stream->untrimmed += (unsigned)n;
	if (!n)
		return;
	cache(stream, entries, n);
	stream->deliver(stream->user, entries, n);
}

/* After the last one's done() the stream may be gone. */
static void finish(struct sqlite_stream *stream, int result)
{
	struct sqlite *sqlite = sqlite_of(stream);
	struct journal_publication *next;

	for (struct journal_publication *p = stream->batch; p; p = next) {
		next = p->next;
		if (result < 0) {
			p->result = result;
			p->sequence = 0;
			p->repeated = false;
			sqlite->base.metrics.failures++;
		}
		p->done(p);
	}
}

/* Sorts them by their streams; within a stream they stay in order. */
static struct sqlite_stream *sort(struct journal_publication *publications)
{
	struct sqlite_stream *streams = NULL, **end = &streams;
	struct journal_publication *next;

	for (struct journal_publication *p = publications; p; p = next) {
		struct sqlite_stream *stream = (struct sqlite_stream *)p->stream;

		next = p->next;
		p->next = NULL;
		if (!stream->batch_end) {
			stream->batch_end = &stream->batch;
			stream->next = NULL;
			*end = stream;
			end = &stream->next;
		}
		*stream->batch_end = p;
		stream->batch_end = &p->next;
	}
	return streams;
}

static void work_off(struct sqlite *sqlite, struct journal_publication *publications)
{
	struct sqlite_stream *streams = sort(publications);
	struct sqlite_stream *next;
	int r = write_batch(sqlite, streams);

	for (struct sqlite_stream *stream = streams; stream; stream = next) {
		next = stream->next;
		stream->batch_end = NULL;
		if (!r)
			deliver(stream);
		finish(stream, r);
	}
}

/* Cuts the history of rooms in which nobody speaks, some at a time, drops marks that are over, and what was redacted. */
static void sweep(struct sqlite *sqlite)
{
	uint64_t head;
	int r = database_begin(sqlite->writer);

	sqlite->next_sweep = sqlite_now() + SWEEP_SECONDS * (uint64_t)1000000000;
	if (!r)
		r = database_drop_marks(sqlite->writer, journal_now() / 1000);
	for (int i = 0; i < SWEEP_ROOMS && !r; i++) {
		r = database_next_room(sqlite->writer, sqlite->swept, &sqlite->swept, &head);
		if (!r)
			r = trim_room(sqlite, sqlite->swept, head);
	}
	if (r == -ENOENT) {
		sqlite->swept = 0;
		r = 0;
	}
	if (!r)
		r = database_commit(sqlite->writer);
	r = sqlite_note_damage(sqlite, sqlite->writer, r);
	if (r < 0)
		database_rollback(sqlite->writer);
	else if (sqlite->has_leftovers)
		sqlite->has_leftovers = database_empty_log(sqlite->writer) < 0;
}

/* Nobody need risk a message to find out: a balancer sends none here meanwhile. */
static void probe(struct sqlite *sqlite)
{
	int r = database_begin(sqlite->writer);

	if (!r)
		r = database_probe(sqlite->writer);
	if (!r)
		r = database_commit(sqlite->writer);
	if (r < 0)
		database_rollback(sqlite->writer);
	note_failure(sqlite, r);
}

/* When there is something to do though nobody says anything. */
static struct timespec next_work(const struct sqlite *sqlite)
{
	uint64_t at = sqlite->next_look;
	uint64_t forgetting = sqlite_next_forgetting(sqlite);

	if (forgetting < at)
		at = forgetting;
	if (sqlite->base.metrics.failing && sqlite->next_probe < at)
		at = sqlite->next_probe;
	return (struct timespec){.tv_sec = (time_t)(at / 1000000000),
				 .tv_nsec = (long)(at % 1000000000)};
}

/* The first of the queue, cut off behind BATCH_MAX; NULL after some time without any. */
static struct journal_publication *take_batch(struct sqlite *sqlite, bool *stopping)
{
	struct journal_publication *batch;
	struct timespec until = next_work(sqlite);
	int r = 0;

	pthread_mutex_lock(&sqlite->queue_lock);
	while (!sqlite->first && !sqlite->stopping && !r)
		r = pthread_cond_timedwait(&sqlite->queue_filled, &sqlite->queue_lock, &until);
	batch = sqlite->first;
	*stopping = sqlite->stopping;
	for (unsigned n = 0; sqlite->first; n++) {
		struct journal_publication *p = sqlite->first;

		sqlite->first = p->next;
		sqlite->queued--;
		if (n == BATCH_MAX - 1 || !sqlite->first) {
			p->next = NULL;
			break;
		}
	}
	if (!sqlite->first)
		sqlite->end = &sqlite->first;
	sqlite->base.metrics.queue = sqlite->queued;
	pthread_mutex_unlock(&sqlite->queue_lock);
	return batch;
}

static void *write_all(void *user)
{
	struct sqlite *sqlite = user;
	struct journal_publication *batch;
	bool stopping;

	while ((batch = take_batch(sqlite, &stopping)) || !stopping) {
		if (batch)
			work_off(sqlite, batch);
		if (sqlite_now() >= sqlite->next_look)
			sqlite_is_there(sqlite);
		if (sqlite_now() >= sqlite->next_note)
			sqlite_note_issued(sqlite, false);
		if (sqlite->is_lost)
			continue;
		if (sqlite_now() >= sqlite->next_sweep)
			sweep(sqlite);
		sqlite_forget_rooms(sqlite);
		if (sqlite->base.metrics.failing && sqlite_now() >= sqlite->next_probe)
			probe(sqlite);
	}
	return NULL;
}

/* Signals are for the threads that have always had them. */
int sqlite_start_writer(struct sqlite *sqlite)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&sqlite->thread, NULL, write_all, sqlite);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}
