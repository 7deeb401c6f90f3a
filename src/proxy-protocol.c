#include "proxy-protocol.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With its line end. */
#define LINE_MAX_SIZE 107

#define HEAD_SIZE 16 /* of version 2, before the addresses */

static const char line_start[] = "PROXY ";
static const unsigned char signature[] = "\r\n\r\n\0\r\nQUIT\n";

#define SIGNATURE_SIZE (sizeof(signature) - 1)

static bool begins_with(const unsigned char *bytes, size_t size, const void *start,
			size_t start_size)
{
	return !memcmp(bytes, start, size < start_size ? size : start_size);
}

/* As section 2.1 has them: decimal, and no zero in front. */
static bool read_port(const char *text, in_port_t *port)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long number;

	if (!digits || digits > 5 || text[digits] || (digits > 1 && *text == '0'))
		return false;
	number = strtoul(text, NULL, 10);
	*port = htons((uint16_t)number);
	return number <= 65535;
}

/* What is between PROXY and the line's end: TCP4 or TCP6, both addresses, both ports; it is cut up. */
static bool read_words(char *line, char peer[ADDRESS_PEER_SIZE])
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};
	char *words[5], destination[16];
	in_port_t port, other_port;
	int family;
	void *address;

	for (size_t i = 0; i < 5; i++)
		words[i] = strsep(&line, " ");
	if (line || !words[4])
		return false;
	if (strcmp(words[0], "TCP4") && strcmp(words[0], "TCP6"))
		return false;
	family = words[0][3] == '4' ? AF_INET : AF_INET6;
	address = family == AF_INET ? (void *)&in.sin_addr : (void *)&in6.sin6_addr;
	if (inet_pton(family, words[1], address) != 1 ||
	    inet_pton(family, words[2], destination) != 1 || !read_port(words[3], &port) ||
	    !read_port(words[4], &other_port))
		return false;
	in.sin_port = port;
	in6.sin6_port = port;
	address_peer(family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6, peer);
	return true;
}

static int read_line(const unsigned char *bytes, size_t size, char peer[ADDRESS_PEER_SIZE])
{
	size_t most = size < LINE_MAX_SIZE ? size : LINE_MAX_SIZE;
	const unsigned char *end = memchr(bytes, '\n', most);
	char line[LINE_MAX_SIZE + 1];
	size_t length;

	if (!end)
		return size < LINE_MAX_SIZE && !memchr(bytes, '\0', size) ? 0 : -EINVAL;
	length = (size_t)(end - bytes);
	if (length < sizeof(line_start) || bytes[length - 1] != '\r')
		return -EINVAL;
	memcpy(line, bytes, length - 1);
	line[length - 1] = '\0';
	if (strlen(line) != length - 1)
		return -EINVAL;
	if (!strncmp(line + 6, "UNKNOWN", 7) && (!line[13] || line[13] == ' '))
		return (int)length + 1;
	return read_words(line + 6, peer) ? (int)length + 1 : -EINVAL;
}

/* Section 2.2: family and transport in one byte. */
static bool read_addresses(unsigned char kind, const unsigned char *bytes, size_t size,
			   char peer[ADDRESS_PEER_SIZE])
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};

	switch (kind) {
	case 0x00: /* not known */
		return true;
	case 0x11: /* TCP over IPv4 */
		if (size < 12)
			return false;
		memcpy(&in.sin_addr, bytes, 4);
		memcpy(&in.sin_port, bytes + 8, 2);
		address_peer((struct sockaddr *)&in, peer);
		return true;
	case 0x21: /* TCP over IPv6 */
		if (size < 36)
			return false;
		memcpy(&in6.sin6_addr, bytes, 16);
		memcpy(&in6.sin6_port, bytes + 32, 2);
		address_peer((struct sockaddr *)&in6, peer);
		return true;
	case 0x31: /* a stream of a unix socket */
		if (size < 216)
			return false;
		snprintf(peer, ADDRESS_PEER_SIZE, ADDRESS_UNIX);
		return true;
	default:
		return false;
	}
}

static int read_binary(const unsigned char *bytes, size_t size, char peer[ADDRESS_PEER_SIZE])
{
	size_t length;

	if (size > SIGNATURE_SIZE && bytes[12] != 0x20 && bytes[12] != 0x21)
		return -EINVAL;
	if (size < HEAD_SIZE)
		return 0;
	length = (size_t)bytes[14] << 8 | bytes[15];
	if (HEAD_SIZE + length > PROXY_PROTOCOL_MAX)
		return -EINVAL;
	if (size < HEAD_SIZE + length)
		return 0;
	if (bytes[12] == 0x21 && !read_addresses(bytes[13], bytes + HEAD_SIZE, length, peer))
		return -EINVAL;
	return (int)(HEAD_SIZE + length);
}

int proxy_protocol_read(const unsigned char *bytes, size_t size, char peer[ADDRESS_PEER_SIZE])
{
	if (!size)
		return 0;
	if (begins_with(bytes, size, signature, SIGNATURE_SIZE))
		return read_binary(bytes, size, peer);
	if (begins_with(bytes, size, line_start, sizeof(line_start) - 1))
		return read_line(bytes, size, peer);
	return -EINVAL;
}
