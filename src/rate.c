#include "rate.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* A tree, since no choice of keys by strangers makes it slow. */
struct limited {
	const char *key; /* first, as it is what the tree compares; the text below */
	struct rate rate;
	TAILQ_ENTRY(limited) order;
	char text[];
};

struct rate_table {
	struct rate_limit limit;
	pthread_mutex_t lock;
	void *by_key;		      /* of tsearch() */
	TAILQ_HEAD(, limited) by_use; /* what was used longest ago comes first */
	size_t count;
	size_t max;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int rate_table_create(struct rate_table **tablep, struct rate_limit limit, size_t max)
{
	struct rate_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	pthread_mutex_init(&table->lock, NULL);
	TAILQ_INIT(&table->by_use);
	table->limit = limit;
	table->max = max;
	*tablep = table;
	return 0;
}

static void forget(struct rate_table *table, struct limited *entry)
{
	tdelete(entry, &table->by_key, compare);
	TAILQ_REMOVE(&table->by_use, entry, order);
	table->count--;
	free(entry);
}

void rate_table_destroy(struct rate_table *table)
{
	if (!table)
		return;
	while (!TAILQ_EMPTY(&table->by_use))
		forget(table, TAILQ_FIRST(&table->by_use));
	pthread_mutex_destroy(&table->lock);
	free(table);
}

/* Two for each that may come, so that they become fewer; and one whatever it is, where the table is full. */
static void make_place(struct rate_table *table, uint64_t now)
{
	struct limited *oldest;

	for (int i = 0; i < 2; i++) {
		oldest = TAILQ_FIRST(&table->by_use);
		if (oldest && oldest->rate.full <= now)
			forget(table, oldest);
	}
	if (table->count >= table->max && table->count)
		forget(table, TAILQ_FIRST(&table->by_use));
}

static struct limited *add(struct rate_table *table, const char *key)
{
	size_t size = strlen(key) + 1;
	struct limited *entry = calloc(1, sizeof(*entry) + size);

	if (!entry)
		return NULL;
	memcpy(entry->text, key, size);
	entry->key = entry->text;
	if (!tsearch(entry, &table->by_key, compare)) {
		free(entry);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&table->by_use, entry, order);
	table->count++;
	return entry;
}

static struct limited *find_or_add(struct rate_table *table, const char *key, uint64_t now)
{
	struct limited *const *found = tfind(&key, &table->by_key, compare);
	struct limited *entry;

	if (!found) {
		make_place(table, now);
		return add(table, key);
	}
	entry = *found;
	TAILQ_REMOVE(&table->by_use, entry, order);
	TAILQ_INSERT_TAIL(&table->by_use, entry, order);
	return entry;
}

bool rate_table_take_some(struct rate_table *table, const char *key, unsigned n, uint64_t now)
{
	struct limited *entry;
	bool may = true;

	pthread_mutex_lock(&table->lock);
	entry = find_or_add(table, key, now);
	if (entry)
		may = rate_take_some(&entry->rate, &table->limit, n, now);
	pthread_mutex_unlock(&table->lock);
	return may;
}

bool rate_table_take(struct rate_table *table, const char *key, uint64_t now)
{
	return rate_table_take_some(table, key, 1, now);
}

size_t rate_table_count(struct rate_table *table)
{
	size_t count;

	pthread_mutex_lock(&table->lock);
	count = table->count;
	pthread_mutex_unlock(&table->lock);
	return count;
}
