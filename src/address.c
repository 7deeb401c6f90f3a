#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
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
