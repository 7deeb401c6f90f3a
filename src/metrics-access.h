#pragma once

#include <stdbool.h>

struct config_metrics;

/* Who asks for the metrics. */
struct metrics_reader {
	const char *peer;	   /* as address.h has it */
	const char *authorization; /* the header, or NULL */
	bool is_forwarded; /* by a proxy that isn't trusted, so that the address says nothing */
};

/* Whether it may have them: by its address, or by the secret (RFC 6750 section 2.1). */
bool metrics_may_be_read(const struct config_metrics *config, const struct metrics_reader *reader);
