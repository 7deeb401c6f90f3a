#include "fuzz.h"

#include "proxy-protocol.h"

/* A header is what it is, whatever follows it, and however it comes in pieces: nothing is said of it before it is whole. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char peer[ADDRESS_PEER_SIZE] = "", again[ADDRESS_PEER_SIZE] = "", network[ADDRESS_SIZE];
	int r = proxy_protocol_read(data, size, peer);

	if (r <= 0) {
		require(!*peer && r >= -22);
		require(r < 0 || size < PROXY_PROTOCOL_MAX);
		return 0;
	}
	require((size_t)r <= size && r <= PROXY_PROTOCOL_MAX);
	for (int n = 0; n < r; n++)
		require(!proxy_protocol_read(data, (size_t)n, again) && !*again);
	require(proxy_protocol_read(data, (size_t)r, again) == r && !strcmp(peer, again));
	if (*peer && strcmp(peer, ADDRESS_UNIX))
		require(address_peer_network(peer, network));
	return 0;
}
