#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int address_network(const char *address, char network[ADDRESS_SIZE])
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, address, &four) == 1) {
		inet_ntop(AF_INET, &four, network, ADDRESS_SIZE);
		return 0;
	}
	if (inet_pton(AF_INET6, address, &six) != 1)
		return -EINVAL;
	if (IN6_IS_ADDR_V4MAPPED(&six)) {
		inet_ntop(AF_INET, &six.s6_addr[12], network, ADDRESS_SIZE);
		return 0;
	}
	memset(&six.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &six, network, ADDRESS_SIZE);
	return 0;
}

/* As 16 bytes, those of IPv4 mapped into IPv6; *bits is how many of them are the family's own. */
static bool parse(const char *address, uint8_t bytes[16], unsigned *bits)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(bytes, mapped, sizeof(mapped));
	*bits = 32;
	if (inet_pton(AF_INET, address, bytes + 12) == 1)
		return true;
	if (inet_pton(AF_INET6, address, bytes) != 1)
		return false;
	*bits = memcmp(bytes, mapped, sizeof(mapped)) ? 128 : 32;
	return true;
}

/* *bits is how many of the bytes must be the same. */
static bool parse_range(const char *range, uint8_t bytes[16], unsigned *bits)
{
	const char *slash = strchr(range, '/');
	char address[ADDRESS_SIZE], *end;
	unsigned long length;
	unsigned most;

	if (!slash)
		slash = range + strlen(range);
	if ((size_t)(slash - range) >= sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(slash - range), range);
	if (!parse(address, bytes, &most))
		return false;
	*bits = 128;
	if (!*slash)
		return true;
	length = strtoul(slash + 1, &end, 10);
	*bits = 128 - most + (unsigned)length;
	return slash[1] >= '0' && slash[1] <= '9' && !*end && length <= most;
}

bool address_is_range(const char *range)
{
	uint8_t bytes[16];
	unsigned bits;

	return parse_range(range, bytes, &bits);
}

bool address_is_in(const char *address, const char *range)
{
	uint8_t wanted[16], bytes[16];
	unsigned bits, all;

	if (!parse_range(range, wanted, &bits) || !parse(address, bytes, &all) ||
	    memcmp(bytes, wanted, bits / 8))
		return false;
	return !(bits % 8) || !((bytes[bits / 8] ^ wanted[bits / 8]) >> (8 - bits % 8));
}

static char *put_decimal(char *to, unsigned number)
{
	if (number >= 10)
		to = put_decimal(to, number / 10);
	*to++ = (char)('0' + number % 10);
	return to;
}

/* Most peers have one of these, and inet_ntop() goes by printf. */
static void put_ipv4(char peer[ADDRESS_PEER_SIZE], const unsigned char address[4], in_port_t port)
{
	char *p = peer;

	for (int i = 0; i < 4; i++) {
		p = put_decimal(p, address[i]);
		*p++ = i < 3 ? '.' : ':';
	}
	*put_decimal(p, ntohs(port)) = '\0';
}

static void put_ipv6(char peer[ADDRESS_PEER_SIZE], const struct sockaddr_in6 *in6)
{
	char address[ADDRESS_SIZE] = "";

	inet_ntop(AF_INET6, &in6->sin6_addr, address, sizeof(address));
	snprintf(peer, ADDRESS_PEER_SIZE, "[%s]:%u", address, ntohs(in6->sin6_port));
}

void address_peer(const struct sockaddr *socket, char peer[ADDRESS_PEER_SIZE])
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (socket->sa_family == AF_INET) {
		memcpy(&in, socket, sizeof(in));
		put_ipv4(peer, (const unsigned char *)&in.sin_addr, in.sin_port);
	} else if (socket->sa_family == AF_INET6) {
		memcpy(&in6, socket, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
			put_ipv4(peer, in6.sin6_addr.s6_addr + 12, in6.sin6_port);
		else
			put_ipv6(peer, &in6);
	} else {
		snprintf(peer, ADDRESS_PEER_SIZE, ADDRESS_UNIX);
	}
}

/* The address in front of what may be a port, without its brackets; *rest is what follows it. NULL: it is too long. */
static const char *cut_port(const char *text, char address[ADDRESS_SIZE], const char **rest)
{
	const char *colon = strchr(text, ':');
	size_t size = strlen(text);

	*rest = text + size;
	if (*text == '[') {
		text++;
		size = strcspn(text, "]");
		*rest = text + size + (text[size] == ']');
		if (!text[size] || !memchr(text, ':', size))
			return NULL;
	} else if (colon && !strchr(colon + 1, ':')) {
		size = (size_t)(colon - text);
		*rest = colon;
	}
	if (size >= ADDRESS_SIZE)
		return NULL;
	memcpy(address, text, size);
	address[size] = '\0';
	return address;
}

/* *port is 0 where it isn't told. */
static bool read_port(const char *text, unsigned *port)
{
	*port = 0;
	if (!*text)
		return true;
	if (*text++ != ':' || !*text)
		return false;
	if (*text == '_')
		return true;
	for (; *text >= '0' && *text <= '9' && *port <= 65535; text++)
		*port = *port * 10 + (unsigned)(*text - '0');
	return !*text && *port <= 65535;
}

int address_read_peer(const char *text, size_t size, char peer[ADDRESS_PEER_SIZE])
{
	char copy[ADDRESS_PEER_SIZE + 16], address[ADDRESS_SIZE];
	const char *rest;
	uint8_t bytes[16];
	unsigned bits, port;
	int n;

	if (size >= sizeof(copy) || memchr(text, '\0', size))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (!cut_port(copy, address, &rest) || !parse(address, bytes, &bits) ||
	    !read_port(rest, &port))
		return -EINVAL;
	if (bits == 32)
		inet_ntop(AF_INET, bytes + 12, address, sizeof(address));
	else
		inet_ntop(AF_INET6, bytes, address, sizeof(address));
	n = snprintf(peer, ADDRESS_PEER_SIZE, bits == 32 ? "%s" : "[%s]", address);
	if (port)
		snprintf(peer + n, (size_t)(ADDRESS_PEER_SIZE - n), ":%u", port);
	return 0;
}

const char *address_peer_network(const char *peer, char network[ADDRESS_SIZE])
{
	char address[ADDRESS_SIZE];
	const char *rest;

	if (*peer >= '0' && *peer <= '9') { /* IPv4: as it stands there */
		*(char *)mempcpy(network, peer, strcspn(peer, ":")) = '\0';
		return network;
	}
	if (!cut_port(peer, address, &rest) || address_network(address, network) < 0)
		return NULL;
	return network;
}

bool address_peer_is_in(const char *peer, char *const *ranges, size_t n)
{
	char address[ADDRESS_SIZE];
	const char *rest;

	if (!cut_port(peer, address, &rest))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(ranges[i], ADDRESS_UNIX) ? !strcmp(peer, ADDRESS_UNIX)
						     : address_is_in(address, ranges[i]))
			return true;
	return false;
}
