#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * What every harness includes. libFuzzer calls these; a broken property ends
 * the process, which it reports with the input.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define require(property)                                                                          \
	do {                                                                                       \
		if (!(property))                                                                   \
			abort();                                                                   \
	} while (0)

/* The input as a string: bytes from the first NUL on are left out. To be freed. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	size_t length = strnlen((const char *)data, size);
	char *text = malloc(length + 1);

	require(text);
	memcpy(text, data, length);
	text[length] = '\0';
	return text;
}

/*
 * Whether that is well-formed UTF-8: the table of byte sequences of RFC 3629
 * section 4 as it stands there, so that it shares nothing with what it checks.
 * Returns the number of code points, or -1.
 */
static inline int fuzz_count_utf8(const uint8_t *p, size_t size)
{
	static const struct {
		uint8_t first, last;   /* of the first byte */
		uint8_t second, until; /* of the second one */
		uint8_t length;
	} rows[] = {
		{0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	int count = 0;

	for (size_t at = 0; at < size; count++) {
		size_t row = 0;

		while (row < 9 && (p[at] < rows[row].first || p[at] > rows[row].last))
			row++;
		if (row == 9 || size - at < rows[row].length)
			return -1;
		for (size_t i = 1; i < rows[row].length; i++)
			if (p[at + i] < (i == 1 ? rows[row].second : 0x80) ||
			    p[at + i] > (i == 1 ? rows[row].until : 0xbf))
				return -1;
		at += rows[row].length;
	}
	return count;
}
