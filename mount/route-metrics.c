#include "metrics.h"
#include "mount/routes.h"
#include "room.h"

#include <stdio.h>
#include <stdlib.h>

static struct metrics *sum(struct server *server)
{
	struct metrics *total;

	if (metrics_create(&total) < 0)
		return NULL;
	metrics_add(total, server->metrics);
	for (size_t i = 0; i < server->n_services; i++)
		metrics_add(total, server->services[i].metrics);
	metrics_server(total)->rooms = rooms_count(server->rooms);
	return total;
}

unsigned route_metrics(const struct route_request *request, struct json_object **body)
{
	struct metrics *total = sum(request->server);
	char *text = NULL;
	size_t size;
	FILE *out = total ? open_memstream(&text, &size) : NULL;

	if (!out) {
		metrics_destroy(total);
		return route_problem(body, 500, "out of memory");
	}
	metrics_write(total, out);
	metrics_destroy(total);
	fclose(out);
	*body = json_object_new_string_len(text, (int)size);
	free(text);
	return 200;
}
