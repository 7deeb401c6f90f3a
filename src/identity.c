#include "identity.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The names of the rooms, and all the text, are in the same piece of memory. */
struct shared {
	atomic_uint references;
	struct identity identity;
	char *rooms[];
};

static struct shared *shared_of(const struct identity *identity)
{
	return (struct shared *)((char *)(uintptr_t)identity - offsetof(struct shared, identity));
}

static size_t count_text(const struct identity *identity)
{
	size_t size = strlen(identity->name) + 1;

	for (size_t i = 0; i < identity->n_rooms; i++)
		size += strlen(identity->rooms[i]) + 1;
	return size;
}

/* Copies it to *text, behind which the next one goes. */
static char *put_text(char **text, const char *value)
{
	size_t size = strlen(value) + 1;
	char *copy = memcpy(*text, value, size);

	*text += size;
	return copy;
}

const struct identity *identity_share(const struct identity *identity)
{
	size_t rooms = identity->n_rooms * sizeof(char *);
	struct shared *shared = malloc(sizeof(*shared) + rooms + count_text(identity));
	char *text;

	if (!shared)
		return NULL;
	text = (char *)&shared->rooms[identity->n_rooms];
	atomic_init(&shared->references, 1);
	shared->identity = *identity;
	shared->identity.name = put_text(&text, identity->name);
	shared->identity.rooms = shared->rooms;
	for (size_t i = 0; i < identity->n_rooms; i++)
		shared->rooms[i] = put_text(&text, identity->rooms[i]);
	return &shared->identity;
}

const struct identity *identity_ref(const struct identity *shared)
{
	atomic_fetch_add_explicit(&shared_of(shared)->references, 1, memory_order_relaxed);
	return shared;
}

void identity_unref(const struct identity *shared)
{
	if (shared && atomic_fetch_sub(&shared_of(shared)->references, 1) == 1)
		free(shared_of(shared));
}

void identity_finish(struct identity *identity)
{
	for (size_t i = 0; i < identity->n_rooms; i++)
		free(identity->rooms[i]);
	free(identity->rooms);
	free(identity->name);
	*identity = (struct identity){0};
}

bool identity_is_equal(const struct identity *a, const struct identity *b)
{
	if (a->expires != b->expires || a->rights != b->rights || a->every_room != b->every_room ||
	    a->n_rooms != b->n_rooms || strcmp(a->name, b->name))
		return false;
	for (size_t i = 0; i < a->n_rooms; i++)
		if (strcmp(a->rooms[i], b->rooms[i]))
			return false;
	return true;
}

bool identity_may_enter(const struct identity *identity, const char *room)
{
	if (identity->every_room)
		return true;
	for (size_t i = 0; i < identity->n_rooms; i++) {
		const char *pattern = identity->rooms[i];
		size_t length = strlen(pattern);

		if (length && pattern[length - 1] == '*' ? !strncmp(pattern, room, length - 1)
							 : !strcmp(pattern, room))
			return true;
	}
	return false;
}
