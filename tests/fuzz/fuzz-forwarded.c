#include "fuzz.h"

#include "forwarded.h"

/* The input's lines are the fields. Whoever is found is a peer that reads as itself, and was somewhere in there. */

static char *trusted[] = {(char[]){"127.0.0.0/8"}, (char[]){"10.0.0.0/8"}, (char[]){"fd00::/8"}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *rest = text;
	const char *lines[4];
	struct forwarded_fields fields;
	struct forwarded forwarded;
	char again[ADDRESS_PEER_SIZE], network[ADDRESS_SIZE];

	for (size_t i = 0; i < 4; i++)
		lines[i] = strsep(&rest, "\n");
	fields = (struct forwarded_fields){lines[0] && *lines[0] ? lines[0] : NULL, lines[1],
					   lines[2], lines[3]};
	forwarded_read(&fields, "127.0.0.1:80", trusted, 3, &forwarded);
	require(!address_read_peer(forwarded.peer, strlen(forwarded.peer), again));
	require(!strcmp(forwarded.peer, again));
	require(address_peer_network(again, network));
	require(strlen(forwarded.host) < sizeof(forwarded.host));
	if (!fields.forwarded && !fields.addresses)
		require(!strcmp(forwarded.peer, "127.0.0.1:80") && forwarded.is_client);
	forwarded_read(&fields, "192.0.2.1:80", trusted, 3, &forwarded);
	require(!strcmp(forwarded.peer, "192.0.2.1:80") && !*forwarded.host);
	free(text);
	return 0;
}
