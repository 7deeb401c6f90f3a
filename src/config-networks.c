#include "config-networks.h"

#include "address.h"

#include <string.h>

struct networks {
	char **ranges;
	size_t n;
};

int config_read_networks(const struct reader *reader, const char *path, struct json_object *value,
			 const struct field *field, void *target)
{
	struct networks *networks = target;
	const struct networks before = *networks;
	int r = reader_strings(reader, path, value, field, target);

	if (r < 0)
		return r;
	reader_free_strings(before.ranges, before.n);
	for (size_t i = 0; i < networks->n; i++) {
		char entry[READER_PATH_SIZE];

		if (!strcmp(networks->ranges[i], ADDRESS_UNIX) ||
		    address_is_range(networks->ranges[i]))
			continue;
		reader_index_path(entry, path, i);
		return reader_fail_expected(
			reader, entry, json_object_array_get_idx(value, i),
			"an address, a network such as 10.0.0.0/8, or \"unix\"");
	}
	return 0;
}
