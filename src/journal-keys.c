#include "journal-keys.h"

#include "journal-ring.h"
#include "journal.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	const void *at;
	size_t size;
};

struct journal_key {
	struct bytes key; /* first, as it is what the tree compares; it points below */
	uint64_t sequence;
	int64_t time;
	TAILQ_ENTRY(journal_key) order;
	char bytes[];
};

static int compare(const void *a, const void *b)
{
	const struct bytes *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return memcmp(x->at, y->at, x->size);
}

void journal_keys_init(struct journal_keys *keys)
{
	*keys = (struct journal_keys){0};
	TAILQ_INIT(&keys->by_age);
}

/* With the tree's node, of three words. */
static size_t size_of(size_t key)
{
	return journal_heap_size(sizeof(struct journal_key) + key) +
	       journal_heap_size(3 * sizeof(void *));
}

static void forget(struct journal_keys *keys, struct journal_key *key)
{
	tdelete(&key->key, &keys->tree, compare);
	TAILQ_REMOVE(&keys->by_age, key, order);
	keys->count--;
	keys->bytes -= size_of(key->key.size);
	free(key);
}

void journal_keys_finish(struct journal_keys *keys)
{
	while (!TAILQ_EMPTY(&keys->by_age))
		forget(keys, TAILQ_FIRST(&keys->by_age));
}

bool journal_keys_drop_oldest(struct journal_keys *keys)
{
	struct journal_key *oldest = TAILQ_FIRST(&keys->by_age);

	if (oldest)
		forget(keys, oldest);
	return oldest != NULL;
}

uint64_t journal_keys_find(struct journal_keys *keys, const void *bytes, size_t size, int64_t now)
{
	const struct bytes wanted = {.at = bytes, .size = size};
	struct journal_key *oldest;
	struct journal_key *const *found;

	while ((oldest = TAILQ_FIRST(&keys->by_age)) &&
	       now - oldest->time >= JOURNAL_KEY_SECONDS * 1000)
		forget(keys, oldest);
	found = tfind(&wanted, &keys->tree, compare);
	return found ? (*found)->sequence : 0;
}

void journal_keys_add(struct journal_keys *keys, const void *bytes, size_t size, uint64_t sequence,
		      int64_t now)
{
	struct journal_key *key = malloc(sizeof(*key) + size);

	if (!key)
		return;
	memcpy(key->bytes, bytes, size);
	key->key = (struct bytes){.at = key->bytes, .size = size};
	key->sequence = sequence;
	key->time = now;
	if (!tsearch(&key->key, &keys->tree, compare)) {
		free(key);
		return;
	}
	TAILQ_INSERT_TAIL(&keys->by_age, key, order);
	keys->count++;
	keys->bytes += size_of(size);
	if (keys->count > JOURNAL_KEYS_MAX)
		forget(keys, TAILQ_FIRST(&keys->by_age));
}
