#pragma once

#include "config-reader.h"

struct config_tls;

/* The part of the configuration that is about TLS: "tls" in an entry of listen. */

/* A reader of struct field: the target is a struct config_tls *, which is replaced. */
int config_read_tls(const struct reader *reader, const char *path, struct json_object *value,
		    const struct field *field, void *target);

/* NULL is fine. */
void config_tls_free(struct config_tls *tls);
