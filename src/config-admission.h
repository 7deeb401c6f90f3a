#pragma once

#include "config-reader.h"

struct config;

/* The part of the configuration that is about who may connect: "admission". */

/* A reader of struct field: the target is the struct config, and an endpoint's rules replace those that it has. */
int config_read_admission(const struct reader *reader, const char *path, struct json_object *value,
			  const struct field *field, void *target);

void config_admission_finish(struct config *config);
