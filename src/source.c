#include "source.h"

#include <stdio.h>
#include <stdlib.h>

struct source *source_create(const struct config_listen *listen, const char *peer)
{
	struct source *source = malloc(sizeof(*source));

	if (!source)
		return NULL;
	source->listen = listen;
	snprintf(source->peer, sizeof(source->peer), "%s", peer);
	return source;
}

void source_destroy(struct source *source)
{
	free(source);
}
