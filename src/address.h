#pragma once

#include <stdbool.h>

/* Of a network, with the NUL: INET6_ADDRSTRLEN. */
#define ADDRESS_SIZE 46

/*
 * Who is behind an address, as limits and bans count: an IPv4 address is one of
 * its own, also where it is mapped into IPv6 (RFC 4291 section 2.5.5.2), but of
 * IPv6 a single customer has all addresses that begin with the same 64 bits (RFC
 * 6177, RFC 4291 section 2.5.4). Writes what they have in common, as the first
 * address of that network, such as 2001:db8:0:1:: for 2001:db8:0:1::7. Returns 0,
 * or -EINVAL where it is no address.
 */
int address_network(const char *address, char network[ADDRESS_SIZE]);

/*
 * Whether an address is in a range: an address, or one with the length of a
 * prefix behind it, such as 10.0.0.0/8 (RFC 4632 section 3.1, RFC 4291 section
 * 2.3). An IPv4 address mapped into IPv6 is one of IPv4.
 */
bool address_is_in(const char *address, const char *range);

/* Whether it is one. */
bool address_is_range(const char *range);
