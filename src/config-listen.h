#pragma once

#include "config-reader.h"

#include <sys/types.h>

struct config_listen;

/* For struct field's read: the target is the config. */
int config_read_listen(const struct reader *reader, const char *path, struct json_object *value,
		       const struct field *field, void *target);

void config_listen_free(struct config_listen *listen, size_t n);

/* The group that a name or a number means. Returns 0, or -ENOENT where there is none. */
int config_find_group(const char *name, gid_t *gid);
