#include "base64url.h"

#include <errno.h>
#include <stdint.h>

void base64url_encode(char *out, const void *bytes, size_t size)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *p = bytes;
	uint32_t group = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < size; i++) {
		group = group << 8 | p[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*out++ = alphabet[group >> (bits - 6) & 63];
	}
	if (bits)
		*out++ = alphabet[group << (6 - bits) & 63];
	*out = '\0';
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

ssize_t base64url_decode(unsigned char *out, const char *text, size_t length)
{
	uint32_t group = 0;
	unsigned bits = 0;
	ssize_t n = 0;

	if (length % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return -EINVAL;
		group = group << 6 | (uint32_t)value;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (unsigned char)(group >> bits);
		}
	}
	return group & ((1u << bits) - 1) ? -EINVAL : n;
}
