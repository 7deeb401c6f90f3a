#include "unit.h"

#include <lws-chunked.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *what;
	const char *body;
	const char *data; /* NULL: it is none */
	size_t left;	  /* bytes that are not of the body any more */
} rows[] = {
	{"nothing", "0\r\n\r\n", "", 0},
	{"one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello", 0},
	{"two", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", 0},
	{"a line end inside", "2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0},
	{"a size in either case", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
	 "01234567890123456789", 0},
	{"leading zeros", "00005\r\nhello\r\n000\r\n\r\n", "hello", 0},
	{"extensions", "5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n", "hello", 0},
	{"blanks before one", "5 \t;a\r\nhello\r\n0\r\n\r\n", "hello", 0},
	{"trailers", "5\r\nhello\r\n0\r\nX-A: b\r\nContent-Length:\t7\r\nE:\r\n\r\n", "hello", 0},
	{"what follows", "5\r\nhello\r\n0\r\n\r\nGET / HTTP", "hello", 10},
	{"no size", "\r\nhello\r\n0\r\n\r\n", NULL, 0},
	{"a sign", "+5\r\nhello\r\n0\r\n\r\n", NULL, 0},
	{"a blank before it", " 5\r\nhello\r\n0\r\n\r\n", NULL, 0},
	{"a blank behind it", "5 \r\nhello\r\n0\r\n\r\n", NULL, 0},
	{"0x", "0x5\r\nhello\r\n0\r\n\r\n", NULL, 0},
	{"no hexadecimal", "g\r\nhello\r\n0\r\n\r\n", NULL, 0},
	{"too small a size", "4\r\nhello\r\n0\r\n\r\n", NULL, 0},
	{"too large a size", "6\r\nhello\r\n0\r\n\r\n", NULL, 0},
	{"a size that overflows", "ffffffffffffffff\r\nx", NULL, 0},
	{"one of too many digits", "00000000000000005\r\nhello\r\n0\r\n\r\n", NULL, 0},
	{"LF alone after the size", "5\nhello\r\n0\r\n\r\n", NULL, 0},
	{"LF alone after the data", "5\r\nhello\n0\r\n\r\n", NULL, 0},
	{"LF alone at the end", "0\r\n\n", NULL, 0},
	{"CR alone", "5\rhello\r\n0\r\n\r\n", NULL, 0},
	{"CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", NULL, 0},
	{"LF in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n", NULL, 0},
	{"a trailer without a colon", "0\r\nX\r\n\r\n", NULL, 0},
	{"a trailer without a name", "0\r\n: x\r\n\r\n", NULL, 0},
	{"a folded trailer", "0\r\nX: a\r\n b\r\n\r\n", NULL, 0},
	{"LF alone in a trailer", "0\r\nX: a\nY: b\r\n\r\n", NULL, 0},
};

/* Feeds it in pieces of that size. Returns 0 when it ended, 1 when more should come, -1: it is none. */
static int feed(const char *body, size_t size, size_t piece, char *out, size_t *left)
{
	struct lws_chunked chunked = {0};
	const unsigned char *p = (const unsigned char *)body, *end = p + size, *data;
	size_t n;

	while (p < end && !lws_chunked_is_done(&chunked)) {
		size_t have = (size_t)(end - p) < piece ? (size_t)(end - p) : piece;
		int taken = lws_chunked_take(&chunked, p, have, &data, &n);

		if (taken < 0)
			return -1;
		assert_in_range(taken, 1, have);
		memcpy(out, data, n);
		out += n;
		p += taken;
	}
	*out = '\0';
	*left = (size_t)(end - p);
	return lws_chunked_is_done(&chunked) ? 0 : 1;
}

static void takes_them_to_the_letter(void **state)
{
	for (size_t i = 0; i < LENGTH(rows); i++)
		for (size_t piece = 1; piece < 80; piece++) {
			char out[100];
			size_t left;
			int r = feed(rows[i].body, strlen(rows[i].body), piece, out, &left);

			if (r != (rows[i].data ? 0 : -1))
				fail_msg("%s, in pieces of %zu: %d", rows[i].what, piece, r);
			if (!rows[i].data)
				continue;
			assert_string_equal(out, rows[i].data);
			assert_int_equal(left, rows[i].left);
		}
}

static void has_little_beside_the_data(void **state)
{
	char body[20000], out[16];
	size_t left;

	for (size_t n = 8000; n < 8300; n++) {
		int size = snprintf(body, sizeof(body), "1;%0*d\r\nx\r\n0\r\n\r\n", (int)n, 0);

		assert_int_equal(feed(body, (size_t)size, 1000, out, &left), n < 8192 ? 0 : -1);
		size = snprintf(body, sizeof(body), "0\r\nX:%0*d\r\n\r\n", (int)n, 0);
		assert_int_equal(feed(body, (size_t)size, 1000, out, &left), n < 8191 ? 0 : -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_them_to_the_letter),
		cmocka_unit_test(has_little_beside_the_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
