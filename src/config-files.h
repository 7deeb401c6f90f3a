#pragma once

#include "config-reader.h"

struct config_files;

/* The part of the configuration that is about a site's files: "files". */

/* For struct field's read: the target is the struct config_files. */
int config_read_files(const struct reader *reader, const char *path, struct json_object *value,
		      const struct field *field, void *target);

void config_files_finish(struct config_files *files);
