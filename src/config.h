#pragma once

#include "log.h"

#include <stdbool.h>
#include <stddef.h>

/* The configuration: defaults, overlaid by a JSON file, overlaid by the command line. */

struct config_listen {
	char *address; /* an IPv4 or IPv6 address, or "unix:/path" */
	unsigned port; /* 0: any free port; unused for a unix socket */
};

struct config_header {
	char *name;  /* in lower case */
	char *value; /* NULL: any value will do */
};

/* What a handshake at one endpoint must bring along. */
struct config_admission {
	char *path;
	char **require_query;
	size_t n_require_query;
	char **origins; /* empty: any */
	size_t n_origins;
	struct config_header *require_headers;
	size_t n_require_headers;
};

struct config {
	struct config_listen *listen;
	size_t n_listen;
	char *www;
	unsigned threads;
	struct {
		unsigned max_payload; /* bytes of a whole message */
		unsigned max_connections;
		unsigned header_bytes;
		unsigned handshake_seconds;
		unsigned idle_seconds;
	} limits;
	struct config_admission *admission;
	size_t n_admission;
	struct {
		unsigned history; /* messages kept of each room */
		char *journal;
	} chat;
	struct {
		enum log_level level;
		enum log_format format;
	} log;
};

/* One line for the person who wrote the file: where, what was found, what was expected. */
struct config_error {
	char text[512];
};

/* Fills config with the defaults. Returns 0 or -ENOMEM. */
int config_init(struct config *config);
void config_finish(struct config *config);

/*
 * Overlays config with the JSON in text; name is what errors call it. Returns
 * 0, -EINVAL with *error filled in, or -ENOMEM. After an error config is good
 * for nothing but config_finish().
 */
int config_parse(struct config *config, const char *name, const char *text, size_t size,
		 struct config_error *error);

/* As config_parse(), for a file, which may also be unreadable: -errno with *error filled in. */
int config_load(struct config *config, const char *path, struct config_error *error);

/* Listens at this one address instead of those before. Returns 0 or -EINVAL with *error filled in. */
int config_set_listen(struct config *config, const char *address, unsigned port,
		      struct config_error *error);

/* The endpoint's rules, or NULL where it has none. */
const struct config_admission *config_admission_for(const struct config *config, const char *path);
