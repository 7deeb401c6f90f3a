#include "mount/routes.h"

/* What clients can rely on, in words for programs: made from src/data by embed.py. */
extern const char asyncapi_json[];
extern const char openapi_json[];

static unsigned answer(const struct route_request *request, const char *text,
		       struct json_object **body)
{
	route_add_header(request->later, "Cache-Control: no-cache");
	*body = json_object_new_string(text);
	return 200;
}

unsigned route_asyncapi(const struct route_request *request, struct json_object **body)
{
	return answer(request, asyncapi_json, body);
}

unsigned route_openapi(const struct route_request *request, struct json_object **body)
{
	return answer(request, openapi_json, body);
}
