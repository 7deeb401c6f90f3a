#include "journal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * What a journal takes: journal SPECIFICATION IN-FLIGHT COUNT [KEY]. Publishes COUNT messages of
 * 100 bytes in one room, so many of them at a time, with a key each where KEY is given.
 */

struct bench {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot *free;
	unsigned failures;
	double *latencies;
	unsigned done;
};

struct slot {
	struct journal_publication publication;
	struct bench *bench;
	struct slot *next;
	double start;
	char key[24];
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void ignore(void *user, const struct journal_entry *entries, size_t n)
{
}

static void done(struct journal_publication *publication)
{
	struct slot *slot = (struct slot *)publication;
	struct bench *bench = slot->bench;

	pthread_mutex_lock(&bench->lock);
	bench->latencies[bench->done++] = now() - slot->start;
	bench->failures += publication->result != 0;
	slot->next = bench->free;
	bench->free = slot;
	pthread_cond_signal(&bench->changed);
	pthread_mutex_unlock(&bench->lock);
}

static struct slot *take(struct bench *bench)
{
	struct slot *slot;

	pthread_mutex_lock(&bench->lock);
	while (!bench->free)
		pthread_cond_wait(&bench->changed, &bench->lock);
	slot = bench->free;
	bench->free = slot->next;
	pthread_mutex_unlock(&bench->lock);
	return slot;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void publish_all(struct bench *bench, struct journal_stream *stream, unsigned count,
			int with_key)
{
	static const char payload[100] = "some text";

	for (unsigned n = 0; n < count; n++) {
		struct slot *slot = take(bench);

		slot->publication = (struct journal_publication){
			.payload = payload, .size = sizeof(payload), .done = done};
		if (with_key) {
			slot->publication.key = slot->key;
			slot->publication.key_size =
				(size_t)snprintf(slot->key, sizeof(slot->key), "ann %lx",
						 (long)time(NULL) << 32 | n);
		}
		slot->start = now();
		journal_publish(stream, &slot->publication);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER,
			      .changed = PTHREAD_COND_INITIALIZER};
	unsigned in_flight = argc > 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	unsigned count = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	struct slot *slots = calloc(in_flight + 1, sizeof(*slots));
	struct journal *journal;
	struct journal_stream *stream;
	double start, taken;

	bench.latencies = calloc(count + 1, sizeof(double));
	if (!in_flight || !slots || !bench.latencies ||
	    journal_create(&journal, argv[1], 1000) < 0 ||
	    journal_open(journal, "bench", ignore, NULL, &stream) < 0) {
		fprintf(stderr, "Usage: journal SPECIFICATION IN-FLIGHT COUNT [KEY]\n");
		free(bench.latencies);
		free(slots);
		return 2;
	}
	for (unsigned i = 0; i < in_flight; i++) {
		slots[i].bench = &bench;
		slots[i].next = bench.free;
		bench.free = &slots[i];
	}
	start = now();
	publish_all(&bench, stream, count, argc > 4);
	for (unsigned i = 0; i < in_flight; i++)
		take(&bench);
	taken = now() - start;
	qsort(bench.latencies, count, sizeof(double), compare);
	printf("%.0f messages/s, latency p50 %.0f us, p99 %.0f us, %llu commits, %u failures\n",
	       count / taken, bench.latencies[count / 2] * 1e6,
	       bench.latencies[(size_t)(count * 0.99)] * 1e6,
	       (unsigned long long)journal_metrics(journal)->commits, bench.failures);
	journal_close(stream);
	journal_destroy(journal);
	free(bench.latencies);
	free(slots);
	return 0;
}
