#pragma once

#include <libwebsockets.h>

/* The chain of mounts that belong to no WebSocket endpoint. */
extern const struct lws_http_mount mount_table[];

/* The protocols that answer them, ended by NULL. */
extern const struct lws_protocols *const mount_protocols[];

/* Files: mount/static.c. */
extern const struct lws_protocols files_protocol;

/* The REST API and what operators ask for: mount/routes.c. */
extern const struct lws_protocols routes_protocol;
