#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

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

/*
 * A peer is an address as people read it, with its port where that is known, an
 * IPv6 address in brackets: "192.0.2.1:4711", "192.0.2.1", "[2001:db8::1]:4711".
 * Who comes by a unix socket has none, and is this.
 */
#define ADDRESS_UNIX "unix"
#define ADDRESS_PEER_SIZE 56

/* Writes the peer that a socket has; one of a family that isn't known is ADDRESS_UNIX. */
void address_peer(const struct sockaddr *socket, char peer[ADDRESS_PEER_SIZE]);

/*
 * Reads an address with or without a port, and brackets only where it needs them
 * (RFC 7239 section 6), and writes it as a peer. A port that hides behind a word
 * is left out. Returns 0, or -EINVAL where it is none.
 */
int address_read_peer(const char *text, size_t size, char peer[ADDRESS_PEER_SIZE]);

/* The peer's network as address_network() has it, in text; NULL: it has none. */
const char *address_peer_network(const char *peer, char network[ADDRESS_SIZE]);

/* Whether a peer is in one of the ranges, of which ADDRESS_UNIX is one as well. */
bool address_peer_is_in(const char *peer, char *const *ranges, size_t n);
