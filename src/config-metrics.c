#include "config-metrics.h"

#include "address.h"
#include "config.h"

#include <stddef.h>
#include <string.h>

#define METRICS(member) offsetof(struct config_metrics, member)

static int read_networks(const struct reader *reader, const char *path, struct json_object *value,
			 const struct field *field, void *target)
{
	struct config_metrics *metrics = target;
	char **before = metrics->allow;
	size_t n = metrics->n_allow;
	int r = reader_strings(reader, path, value, field, target);

	if (r < 0)
		return r;
	reader_free_strings(before, n);
	for (size_t i = 0; i < metrics->n_allow; i++) {
		char entry[READER_PATH_SIZE];

		if (!strcmp(metrics->allow[i], CONFIG_METRICS_UNIX) ||
		    address_is_range(metrics->allow[i]))
			continue;
		reader_index_path(entry, path, i);
		return reader_fail_expected(
			reader, entry, json_object_array_get_idx(value, i),
			"an address, a network such as 10.0.0.0/8, or \"unix\"");
	}
	return 0;
}

static const struct field fields[] = {
	{.key = "allow", .read = read_networks, .offset = METRICS(allow)},
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
