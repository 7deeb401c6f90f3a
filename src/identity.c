#include "identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int copy_rooms(struct identity *copy, const struct identity *identity)
{
	copy->rooms = calloc(identity->n_rooms + 1, sizeof(char *));
	if (!copy->rooms)
		return -ENOMEM;
	for (size_t i = 0; i < identity->n_rooms; i++) {
		copy->rooms[i] = strdup(identity->rooms[i]);
		if (!copy->rooms[i])
			return -ENOMEM;
		copy->n_rooms++;
	}
	return 0;
}

int identity_copy(struct identity *copy, const struct identity *identity)
{
	*copy = (struct identity){
		.name = strdup(identity->name),
		.expires = identity->expires,
		.rights = identity->rights,
		.every_room = identity->every_room,
	};
	if (copy->name && !copy_rooms(copy, identity))
		return 0;
	identity_finish(copy);
	return -ENOMEM;
}

void identity_finish(struct identity *identity)
{
	for (size_t i = 0; i < identity->n_rooms; i++)
		free(identity->rooms[i]);
	free(identity->rooms);
	free(identity->name);
	*identity = (struct identity){0};
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
