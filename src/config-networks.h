#pragma once

#include "config-reader.h"

/*
 * For struct field's read: a list of addresses, networks such as 10.0.0.0/8, and
 * ADDRESS_UNIX. The target is a char ** followed by its count, whose strings are
 * replaced.
 */
int config_read_networks(const struct reader *reader, const char *path, struct json_object *value,
			 const struct field *field, void *target);
