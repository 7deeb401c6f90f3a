#include "config-metrics.h"

#include "config.h"
#include "config-networks.h"

#include <stddef.h>

#define METRICS(member) offsetof(struct config_metrics, member)

static const struct field fields[] = {
	{.key = "allow", .read = config_read_networks, .offset = METRICS(allow)},
	{.key = "secret", .read = reader_string, .offset = METRICS(secret)},
	{0},
};

int config_read_metrics(const struct reader *reader, const char *path, struct json_object *value,
			const struct field *field, void *target)
{
	static const struct field shape = {.fields = fields};
	struct config *config = target;

	return reader_object(reader, path, value, &shape, &config->metrics);
}
