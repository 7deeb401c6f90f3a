#include "utf8.h"

size_t utf8_decode(const char *text, size_t left, uint32_t *code_point)
{
	const unsigned char *p = (const unsigned char *)text;
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
	uint32_t code_point;
	int count = 0;

	while (size) {
		size_t n = utf8_decode(text, size, &code_point);

		if (!n)
			return -1;
		text += n;
		size -= n;
		count++;
	}
	return count;
}
