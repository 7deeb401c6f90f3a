#include "metrics.h"
#include "mount/routes.h"
#include "room.h"

#include <stdio.h>
#include <stdlib.h>

unsigned route_metrics(const struct route_request *request, struct json_object **body)
{
	struct metrics *metrics = request->server->metrics;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return route_problem(body, 500, "out of memory");
	metrics_server(metrics)->rooms = rooms_count(request->server->rooms);
	metrics_write(metrics, out);
	fclose(out);
	*body = json_object_new_string_len(text, (int)size);
	free(text);
	return 200;
}
