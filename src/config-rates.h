#pragma once

#include "config.h"
#include "config-reader.h"

/* The config's limits.rates. */

/* What it is called in the config, the log and the metrics. */
const char *config_rate_name(enum limit limit);

/* For struct field's read: an object of rates. The target is an array of LIMIT_RATES struct config_rate. */
int config_read_rates(const struct reader *reader, const char *path, struct json_object *value,
		      const struct field *field, void *target);
