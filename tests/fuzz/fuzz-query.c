#include "fuzz.h"

#include "http-request.h"

/* A parameter splits at its first equals sign, each half decodes on its own, in its own memory and no further. */

static int digit(uint8_t c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Returns the size. */
static size_t decode(const uint8_t *in, size_t size, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		if (in[i] == '%' && i + 2 < size && digit(in[i + 1]) >= 0 &&
		    digit(in[i + 2]) >= 0) {
			out[n++] = (char)(digit(in[i + 1]) * 16 + digit(in[i + 2]));
			i += 2;
		} else {
			out[n++] = in[i] == '+' ? ' ' : (char)in[i];
		}
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *equals = size ? memchr(data, '=', size) : NULL;
	size_t name_size = equals ? (size_t)(equals - data) : size;
	char *parameter = malloc(size + 1), *expected = malloc(size + 1);
	struct admission_field field;
	size_t n;
	bool good;

	require(parameter && expected);
	if (size)
		memcpy(parameter, data, size);
	good = http_query_split(parameter, size, &field);
	require(field.name == parameter && !field.value[field.size]);
	n = decode(data, name_size, expected);
	require(good == (n && !memchr(expected, '\0', n)));
	if (good)
		require(!memcmp(field.name, expected, n) && !field.name[n]);
	n = equals ? decode(equals + 1, size - name_size - 1, expected) : 0;
	require(field.size == n && (!n || !memcmp(field.value, expected, n)));
	free(expected);
	free(parameter);
	return 0;
}
