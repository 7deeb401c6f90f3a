#include "journal.h"
#include "mount/routes.h"

/* Liveness: the loop turns, or nobody would answer. */
unsigned route_healthz(const struct route_request *request, struct json_object **body)
{
	*body = json_object_new_object();
	json_object_object_add(*body, "status", json_object_new_string("ok"));
	return 200;
}

/* Readiness: whether new connections are welcome, and what they say can be kept. */
unsigned route_readyz(const struct route_request *request, struct json_object **body)
{
	if (server_is_draining(request->server))
		return route_problem(body, 503, "draining");
	if (!journal_keeps(request->server->journal))
		return route_problem(body, 503, "the journal can't keep messages");
	*body = json_object_new_object();
	json_object_object_add(*body, "status", json_object_new_string("ready"));
	return 200;
}
