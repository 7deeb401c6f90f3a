#include "unit-journal.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void journal_note(void *user, const struct journal_entry *entry)
{
	struct record *record = user;
	size_t used = strlen(record->text);

	snprintf(record->text + used, sizeof(record->text) - used, "%llu:%.*s ",
		 (unsigned long long)entry->sequence, (int)entry->size,
		 (const char *)entry->payload);
	record->count++;
	record->last_time = entry->time;
	record->last_sequence = entry->sequence;
}

void journal_note_all(void *user, const struct journal_entry *entries, size_t n)
{
	struct record *record = user;

	for (size_t i = 0; i < n; i++)
		journal_note(record, &entries[i]);
	record->calls++;
}

struct journal_stream *open_stream(struct journal *journal, const char *room, struct record *record)
{
	struct journal_stream *stream;

	assert_int_equal(journal_open(journal, room, journal_note_all, record, &stream), 0);
	return stream;
}

struct waiting {
	struct journal_publication publication;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int done;
};

static void wake(struct journal_publication *publication)
{
	struct waiting *waiting = (struct waiting *)publication;

	pthread_mutex_lock(&waiting->lock);
	waiting->done++;
	pthread_cond_signal(&waiting->changed);
	pthread_mutex_unlock(&waiting->lock);
}

static void wait_for(struct journal_stream *stream, struct waiting *waiting)
{
	waiting->publication.done = wake;
	pthread_mutex_init(&waiting->lock, NULL);
	pthread_cond_init(&waiting->changed, NULL);
	journal_publish(stream, &waiting->publication);
	pthread_mutex_lock(&waiting->lock);
	while (!waiting->done)
		pthread_cond_wait(&waiting->changed, &waiting->lock);
	pthread_mutex_unlock(&waiting->lock);
	assert_int_equal(waiting->done, 1);
}

struct journal_publication publish_with(struct journal_stream *stream,
					const struct journal_publication *publication)
{
	struct waiting waiting = {.publication = *publication};

	wait_for(stream, &waiting);
	return waiting.publication;
}

struct journal_publication publish_with_key(struct journal_stream *stream, const char *text,
					    const char *key)
{
	return publish_with(stream, &(struct journal_publication){
					    .payload = text,
					    .size = strlen(text),
					    .key = key,
					    .key_size = key ? strlen(key) : 0,
				    });
}

int publish_redacting(struct journal_stream *stream, const char *text, uint64_t sequence,
		      const char *prefix, const char *payload)
{
	const struct journal_redaction redaction = {
		.sequence = sequence,
		.prefix = prefix,
		.prefix_size = strlen(prefix),
		.payload = payload,
		.size = strlen(payload),
	};

	return publish_with(stream,
			    &(struct journal_publication){
				    .payload = text,
				    .size = strlen(text),
				    .redaction = &redaction,
			    })
		.result;
}

void publish(struct journal_stream *stream, const char *text)
{
	struct journal_publication publication = publish_with_key(stream, text, NULL);

	assert_int_equal(publication.result, 0);
	assert_false(publication.repeated);
	assert_int_equal(publication.sequence, journal_head(stream));
}

void publish_numbers(struct journal_stream *stream, unsigned n)
{
	char text[16];

	for (unsigned i = 1; i <= n; i++) {
		snprintf(text, sizeof(text), "%u", i);
		publish(stream, text);
	}
}

int read_range(struct journal_stream *stream, uint64_t after, uint64_t before, unsigned limit,
	       bool newest, struct record *record)
{
	const struct journal_range range = {
		.after = after, .before = before, .limit = limit, .newest = newest};

	return journal_read(stream, &range, journal_note, record);
}

void assert_reads(struct journal_stream *stream, uint64_t after, unsigned limit,
		  const char *expected)
{
	struct record record = {0};
	int count = read_range(stream, after, 0, limit, false, &record);

	assert_string_equal(record.text, expected);
	assert_int_equal(count, record.count);
}

int journal_remove_directory(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	return rmdir(directory);
}
