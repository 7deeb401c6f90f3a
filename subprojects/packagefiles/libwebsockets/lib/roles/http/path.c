/*
 * Paths of request targets (lws-path.h). lws decoded them before it cut them.
 *
 * Distributed under the MIT License, like libwebsockets.
 */
#include "private-lib-core.h"

#include "lws-path.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;

	return -1;
}

size_t
lws_percent_decode(char *text, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < size; i++, n++) {
		int high = -1, low = -1;

		if (text[i] == '%' && size - i > 2) {
			high = hex_digit(text[i + 1]);
			low = hex_digit(text[i + 2]);
		}
		if (high < 0 || low < 0) {
			text[n] = text[i];
			continue;
		}
		text[n] = (char)(high << 4 | low);
		i += 2;
	}

	return n;
}

/* Takes the last segment out again. */
static size_t
path_drop(const char *out, size_t n)
{
	if (n)
		n--;
	while (n && out[n - 1])
		n--;

	return n;
}

int
lws_path_split(const char *path, size_t size, char *out)
{
	const char *p = path, *end = path + size, *slash;
	size_t n = 0, length;

	if (p < end && *p == '/')
		p++;

	do {
		slash = p < end ? memchr(p, '/', (size_t)(end - p)) : NULL;
		length = (size_t)((slash ? slash : end) - p);
		if (length == 2 && !memcmp(p, "..", 2)) {
			n = path_drop(out, n);
			length = 0;
		} else if (length == 1 && *p == '.') {
			length = 0;
		}
		if (length || !slash) {
			memmove(out + n, p, length);
			length = lws_percent_decode(out + n, length);
			if (memchr(out + n, '\0', length))
				return -1;
			n += length;
			out[n++] = '\0';
		}
		p = slash ? slash + 1 : end;
	} while (slash);

	return (int)n;
}

const char *
lws_query(struct lws *wsi)
{
	return lws_hdr_simple_ptr(wsi, WSI_TOKEN_HTTP_URI_ARGS);
}
