#include "fuzz.h"

#include "utf8.h"

/*
 * A name is at most 64 code points of well-formed UTF-8, and none of those that are
 * told apart below; what is printable ASCII without white space around it is one.
 */

/* Bytes and sequences that no name has; in well-formed text none is a part of another character. */
static int has_forbidden(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i] < 0x20 || p[i] == 0x7f)
			return 1;
		if (p[i] == 0xc2 && (p[i + 1] < 0xa0 || p[i + 1] == 0xad))
			return 1;
		if (p[i] == 0xe2 && p[i + 1] == 0x80 && p[i + 2] >= 0xa8 && p[i + 2] <= 0xae)
			return 1;
		if (p[i] == 0xe2 && p[i + 1] == 0x81 && p[i + 2] >= 0xa0 && p[i + 2] <= 0xaf)
			return 1;
	}
	return 0;
}

static int is_plain(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] >= 0x80)
			return 0;
	return p[0] != ' ' && p[size - 1] != ' ' && p[0] != '.' && p[0] != '_';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	int count = fuzz_count_utf8(data, size);
	int may_be = count > 0 && count <= UTF8_NAME_MAX && !has_forbidden(data, size);

	require(utf8_count(text, size) == count);
	if (!may_be)
		require(!utf8_is_name(text, size));
	else if (is_plain(data, size))
		require(utf8_is_name(text, size));
	else
		utf8_is_name(text, size);
	return 0;
}
