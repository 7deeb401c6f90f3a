#include "utf8.h"

#include <stdint.h>
#include <string.h>

#define NAME_MAX_CODE_POINTS 64

/* Decodes one code point; returns its length in bytes, 0 where it is malformed. */
static size_t decode(const unsigned char *p, size_t left, uint32_t *code_point)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length;

	if (p[0] < 0x80) {
		*code_point = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		length = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		length = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (left < length)
		return 0;
	*code_point = p[0] & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code_point = *code_point << 6 | (p[i] & 0x3f);
	}
	if (*code_point < smallest[length] || *code_point > 0x10ffff ||
	    (*code_point >= 0xd800 && *code_point <= 0xdfff))
		return 0;
	return length;
}

int utf8_count(const char *text, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t code_point;
	int count = 0;

	while (size) {
		size_t n = decode(p, size, &code_point);

		if (!n)
			return -1;
		p += n;
		size -= n;
		count++;
	}
	return count;
}

static bool may_stand_in_name(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
		return false;
	if (c == 0x2028 || c == 0x2029)
		return false;
	return !((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069));
}

bool utf8_is_name(const char *text, size_t size)
{
	static const char reserved[] = "__server";
	const unsigned char *p = (const unsigned char *)text;
	size_t left = size;
	uint32_t code_point;
	int count = 0;

	while (left) {
		size_t n = decode(p, left, &code_point);

		if (!n || !may_stand_in_name(code_point) || ++count > NAME_MAX_CODE_POINTS)
			return false;
		p += n;
		left -= n;
	}
	if (size == sizeof(reserved) - 1 && !memcmp(text, reserved, size))
		return false;
	return count > 0;
}
