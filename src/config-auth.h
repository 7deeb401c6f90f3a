#pragma once

#include "config-reader.h"

struct config_auth;

/* The part of the configuration that is about who people are: "auth". */

/* A reader of struct field: the target is a struct config_auth *, which is replaced. */
int config_read_auth(const struct reader *reader, const char *path, struct json_object *value,
		     const struct field *field, void *target);

/* NULL is fine. */
void config_auth_free(struct config_auth *auth);
