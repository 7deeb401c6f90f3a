#pragma once

#include "address.h"

#include <stddef.h>

/*
 * The PROXY protocol, versions 1 and 2: the header in front of a connection by
 * which a TCP balancer says whose it is ("The PROXY protocol", HAProxy
 * Technologies, sections 2.1 and 2.2).
 */

/* The longest header that is read: what of version 2 comes before its addresses, and those with what may follow them. */
#define PROXY_PROTOCOL_MAX (16 + 520)

/*
 * Reads the header that the bytes begin with. Returns its size, 0 where there
 * must be more of it, or -EINVAL where it is none. peer gets the client's address
 * and port, and stays as it is where the header doesn't tell: the balancer has
 * connected for itself, or doesn't know.
 */
int proxy_protocol_read(const unsigned char *bytes, size_t size, char peer[ADDRESS_PEER_SIZE]);
