#include "fuzz.h"

#include "utf8.h"

/* A name is at most 64 code points of well-formed UTF-8, and none of those that are told apart below. */

/* Bytes and sequences that no name has; in well-formed text none is a part of another character. */
static int has_forbidden(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i] < 0x20 || p[i] == 0x7f)
			return 1;
		if (p[i] == 0xc2 && p[i + 1] < 0xa0)
			return 1;
		if (p[i] == 0xe2 && p[i + 1] == 0x80 && p[i + 2] >= 0xa8 && p[i + 2] <= 0xae)
			return 1;
		if (p[i] == 0xe2 && p[i + 1] == 0x81 && p[i + 2] >= 0xa6 && p[i + 2] <= 0xa9)
			return 1;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	int count = fuzz_count_utf8(data, size);
	int is_name = count > 0 && count <= 64 && !has_forbidden(data, size) &&
		      !(size == 8 && !memcmp(text, "__server", 8));

	require(utf8_count(text, size) == count);
	require(utf8_is_name(text, size) == is_name);
	return 0;
}
