#include "mount/table.h"

#include <stddef.h>

#define MOUNT(next, point, protocol_name, ...)                                                     \
	{                                                                                          \
		.mount_next = next, .mountpoint = point, .mountpoint_len = sizeof(point) - 1,      \
		.origin = protocol_name, .origin_protocol = LWSMPRO_CALLBACK,                      \
		.protocol = protocol_name, __VA_ARGS__                                             \
	}

/* lws takes the longest mount that matches; / matches every path that nobody else wants. */
const struct lws_http_mount mount_table[] = {
	MOUNT(&mount_table[1], "/api", "routes"),
	MOUNT(&mount_table[2], "/asyncapi.json", "routes", .exact = 1),
	MOUNT(&mount_table[3], "/healthz", "routes", .exact = 1),
	MOUNT(&mount_table[4], "/metrics", "routes", .exact = 1),
	MOUNT(&mount_table[5], "/openapi.json", "routes", .exact = 1),
	MOUNT(&mount_table[6], "/readyz", "routes", .exact = 1),
	MOUNT(NULL, "/", "files", .ws_protocol = "greet"),
};

const struct lws_protocols *const mount_protocols[] = {
	&files_protocol,
	&routes_protocol,
	NULL,
};
