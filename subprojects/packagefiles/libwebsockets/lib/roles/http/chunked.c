/*
 * The chunked transfer coding (lws-chunked.h).
 *
 * Distributed under the MIT License, like libwebsockets.
 */
#include "lws-chunked.h"

#include <string.h>

#define OVERHEAD_MAX 8192
#define DIGITS_MAX 16

enum {
	CHUNKED_SIZE,
	CHUNKED_BLANKS, /* before an extension */
	CHUNKED_EXTENSION,
	CHUNKED_SIZE_LF,
	CHUNKED_DATA,
	CHUNKED_DATA_CR,
	CHUNKED_DATA_LF,
	CHUNKED_TRAILER,
	CHUNKED_TRAILER_NAME,
	CHUNKED_TRAILER_VALUE,
	CHUNKED_TRAILER_LF,
	CHUNKED_END_LF,
	CHUNKED_DONE,
};

static int
hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;

	return -1;
}

static int
is_token(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static int
is_text(unsigned char c)
{
	return (c >= ' ' && c != 0x7f) || c == '\t';
}

/* Each of these returns the next state, or -1. */

static int
take_size(struct lws_chunked *chunked, unsigned char c)
{
	int digit = hex_digit(c);

	if (digit >= 0) {
		if (++chunked->digits > DIGITS_MAX || chunked->left > (UINT64_MAX >> 8))
			return -1;
		chunked->left = chunked->left << 4 | (unsigned int)digit;
		return CHUNKED_SIZE;
	}
	if (!chunked->digits)
		return -1;
	if (c == ' ' || c == '\t')
		return CHUNKED_BLANKS;
	if (c == ';')
		return CHUNKED_EXTENSION;

	return c == '\r' ? CHUNKED_SIZE_LF : -1;
}

static int
take_blank(unsigned char c)
{
	if (c == ';')
		return CHUNKED_EXTENSION;

	return c == ' ' || c == '\t' ? CHUNKED_BLANKS : -1;
}

static int
take_size_lf(struct lws_chunked *chunked, unsigned char c)
{
	if (c != '\n')
		return -1;
	chunked->digits = 0;

	return chunked->left ? CHUNKED_DATA : CHUNKED_TRAILER;
}

static int
take_trailer(unsigned char c)
{
	if (c == '\r')
		return CHUNKED_END_LF;

	return is_token(c) ? CHUNKED_TRAILER_NAME : -1;
}

static int
take_name(unsigned char c)
{
	if (c == ':')
		return CHUNKED_TRAILER_VALUE;

	return is_token(c) ? CHUNKED_TRAILER_NAME : -1;
}

static int
take_text(unsigned char c, int state, int end)
{
	if (c == '\r')
		return end;

	return is_text(c) ? state : -1;
}

static int
take(struct lws_chunked *chunked, unsigned char c)
{
	switch (chunked->state) {
	case CHUNKED_SIZE:
		return take_size(chunked, c);
	case CHUNKED_BLANKS:
		return take_blank(c);
	case CHUNKED_EXTENSION:
		return take_text(c, CHUNKED_EXTENSION, CHUNKED_SIZE_LF);
	case CHUNKED_SIZE_LF:
		return take_size_lf(chunked, c);
	case CHUNKED_DATA_CR:
		return c == '\r' ? CHUNKED_DATA_LF : -1;
	case CHUNKED_DATA_LF:
		return c == '\n' ? CHUNKED_SIZE : -1;
	case CHUNKED_TRAILER:
		return take_trailer(c);
	case CHUNKED_TRAILER_NAME:
		return take_name(c);
	case CHUNKED_TRAILER_VALUE:
		return take_text(c, CHUNKED_TRAILER_VALUE, CHUNKED_TRAILER_LF);
	case CHUNKED_TRAILER_LF:
		return c == '\n' ? CHUNKED_TRAILER : -1;
	default: /* CHUNKED_END_LF */
		return c == '\n' ? CHUNKED_DONE : -1;
	}
}

static int
is_overhead(int state)
{
	return state == CHUNKED_BLANKS || state == CHUNKED_EXTENSION ||
	       state == CHUNKED_TRAILER_NAME || state == CHUNKED_TRAILER_VALUE;
}

int
lws_chunked_take(struct lws_chunked *chunked, const unsigned char *in, size_t in_size,
		 const unsigned char **data, size_t *size)
{
	size_t n = 0;
	int state;

	*data = in;
	*size = 0;
	while (n < in_size && chunked->state != CHUNKED_DATA &&
	       chunked->state != CHUNKED_DONE) {
		state = take(chunked, in[n++]);
		if (state < 0 || (is_overhead(state) &&
				  ++chunked->overhead > OVERHEAD_MAX))
			return -1;
		chunked->state = (uint8_t)state;
	}
	if (chunked->state != CHUNKED_DATA)
		return (int)n;

	*data = in + n;
	*size = in_size - n < chunked->left ? in_size - n : (size_t)chunked->left;
	chunked->left -= *size;
	if (!chunked->left)
		chunked->state = CHUNKED_DATA_CR;

	return (int)(n + *size);
}

int
lws_chunked_is_done(const struct lws_chunked *chunked)
{
	return chunked->state == CHUNKED_DONE;
}
