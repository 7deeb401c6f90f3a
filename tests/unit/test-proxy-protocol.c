#include "unit.h"

#include "proxy-protocol.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN "127.0.0.1:80"

/*
 * In memory of its own size, so that a sanitizer sees what is read too much, and
 * in all pieces that it may come in. Returns its size, or what is wrong with it.
 */
static int read_header(const void *bytes, size_t size, char peer[ADDRESS_PEER_SIZE])
{
	int r = 0;

	snprintf(peer, ADDRESS_PEER_SIZE, "%s", OWN);
	for (size_t n = 1; n <= size && !r; n++) {
		unsigned char *copy = malloc(n);

		memcpy(copy, bytes, n);
		r = proxy_protocol_read(copy, n, peer);
		free(copy);
		if (r > 0)
			assert_int_equal(r, n);
	}
	return r;
}

static void lines(void **state)
{
	static const struct {
		const char *line, *peer; /* NULL: it is wrong */
	} rows[] = {
		{"PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n", "192.0.2.1:4711"},
		{"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
		 "255.255.255.255:65535"},
		{"PROXY TCP6 2001:db8::1 ::1 4711 443\r\n", "[2001:db8::1]:4711"},
		{"PROXY TCP6 ::ffff:192.0.2.1 ::1 0 443\r\n", "192.0.2.1:0"},
		{"PROXY UNKNOWN\r\n", OWN},
		{"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", OWN},
		{"PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\n", NULL},
		{"PROXY TCP4  192.0.2.1 198.51.100.1 4711 443\r\n", NULL},
		{"PROXY TCP4 192.0.2.1 198.51.100.1 4711 443 \r\n", NULL},
		{"PROXY TCP4 192.0.2.1 198.51.100.1 4711\r\n", NULL},
		{"PROXY TCP4 192.0.2.1 198.51.100.1 4711 65536\r\n", NULL},
		{"PROXY TCP4 192.0.2.1 198.51.100.1 04711 443\r\n", NULL},
		{"PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n", NULL},
		{"PROXY TCP4 192.0.2.1 ::1 4711 443\r\n", NULL},
		{"PROXY TCP6 192.0.2.1 ::1 4711 443\r\n", NULL},
		{"PROXY TCP5 192.0.2.1 198.51.100.1 4711 443\r\n", NULL},
		{"PROXY UNKNOWNS\r\n", NULL},
		{"PROXY \r\n", NULL},
		{"PROXY\r\n", NULL},
		{"proxy UNKNOWN\r\n", NULL},
		{"GET / HTTP/1.1\r\n", NULL},
		{"\r\nPROXY UNKNOWN\r\n", NULL},
		{"PROXY UNKNOWN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
		 NULL},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		size_t size = strlen(rows[i].line);
		char peer[ADDRESS_PEER_SIZE];
		int r = read_header(rows[i].line, size, peer);

		assert_int_equal(r, rows[i].peer ? (int)size : -EINVAL);
		if (rows[i].peer)
			assert_string_equal(peer, rows[i].peer);
	}
	assert_int_equal(proxy_protocol_read((const unsigned char *)"PROXY UNK\0WN\r\n", 14,
					     (char[ADDRESS_PEER_SIZE]){""}),
			 -EINVAL);
}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\x00\x02\x01\xc6\x33\x64\x01\x12\x67\x01\xbb"
#define V6                                                                                         \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x12\x67\x01\xbb"
#define BINARY(rest, peer)                                                                         \
	{                                                                                          \
		SIGNATURE rest, sizeof(SIGNATURE rest) - 1, peer                                   \
	}

static void binaries(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *peer;
	} rows[] = {
		BINARY("\x21\x11\0\x0c" V4, "192.0.2.1:4711"),
		BINARY("\x21\x11\0\x10" V4 "\x04\0\x01x",
		       "192.0.2.1:4711"), /* and what may follow */
		BINARY("\x21\x21\0\x24" V6, "[2001:db8::1]:4711"),
		BINARY("\x20\0\0\0", OWN), /* a health check of the balancer's own */
		BINARY("\x20\x11\0\x0c" V4, OWN),
		BINARY("\x21\0\0\0", OWN),
		BINARY("\x21\0\0\x0c" V4, OWN),
		BINARY("\x21\x11\0\x0b", NULL), /* no room for the addresses: see below */
		BINARY("\x21\x21\0\x0c" V4, NULL),
		BINARY("\x21\x31\0\x0c" V4, NULL),
		BINARY("\x21\x12\0\x0c" V4, NULL), /* datagrams */
		BINARY("\x22\x11\0\x0c" V4, NULL),
		BINARY("\x11\x11\0\x0c" V4, NULL),
		BINARY("\x21\x11\x02\x09" V4, NULL), /* 521 bytes */
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		char padded[64] = {0}, peer[ADDRESS_PEER_SIZE];
		size_t size = rows[i].size;
		int r;

		memcpy(padded, rows[i].bytes, size);
		if (padded[15] == 0x0b)
			size = 27;
		r = read_header(padded, size, peer);
		assert_int_equal(r, rows[i].peer ? (int)size : -EINVAL);
		if (rows[i].peer)
			assert_string_equal(peer, rows[i].peer);
	}
}

static void the_longest(void **state)
{
	unsigned char bytes[PROXY_PROTOCOL_MAX] = SIGNATURE "\x21\x31\x02\x08";
	char peer[ADDRESS_PEER_SIZE];

	assert_int_equal(read_header(bytes, sizeof(bytes), peer), sizeof(bytes));
	assert_string_equal(peer, ADDRESS_UNIX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(binaries),
		cmocka_unit_test(the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
