#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
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
