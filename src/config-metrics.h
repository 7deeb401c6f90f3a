#pragma once

#include "config-reader.h"

/* For struct field's read: the target is the config. */
int config_read_metrics(const struct reader *reader, const char *path, struct json_object *value,
			const struct field *field, void *target);
