#include "fuzz.h"

#include "http-request.h"

/* A parameter splits at its first equals sign, in its own memory and no further. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *equals = size ? memchr(data, '=', size) : NULL;
	size_t name_size = equals ? (size_t)(equals - data) : size;
	char *fragment = malloc(size + 1);
	struct admission_field field;
	bool good;

	require(fragment);
	if (size)
		memcpy(fragment, data, size);
	good = http_query_split(fragment, size, &field);
	require(good == (name_size && !memchr(data, '\0', name_size)));
	require(field.name == fragment);
	require(field.size == (equals ? size - name_size - 1 : 0));
	require(field.value + field.size == fragment + size && !field.value[field.size]);
	if (good)
		require(!memcmp(field.name, data, name_size) && !field.name[name_size]);
	if (equals)
		require(!memcmp(field.value, equals + 1, field.size));
	free(fragment);
	return 0;
}
