#include "metrics-access.h"

#include "address.h"
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* How long it takes says nothing of what the secret begins with. */
static bool is_secret(const char *secret, const char *given)
{
	size_t size = strlen(secret);
	unsigned char differs = strlen(given) != size;

	for (size_t i = 0; i < size && given[i]; i++)
		differs |= (unsigned char)(secret[i] ^ given[i]);
	return !differs;
}

static bool knows_secret(const struct config_metrics *config, const struct metrics_reader *reader)
{
	const char *given = reader->authorization;

	if (!config->secret || !given || strncasecmp(given, "Bearer ", 7))
		return false;
	given += 7;
	return is_secret(config->secret, given + strspn(given, " "));
}

/* The address without its port, and without its brackets. */
static void cut_port(const char *peer, char address[ADDRESS_SIZE])
{
	const char *end = strrchr(peer, ':');
	size_t size = end ? (size_t)(end - peer) : strlen(peer);

	if (*peer == '[' && size > 1) {
		peer++;
		size -= 2;
	}
	snprintf(address, ADDRESS_SIZE, "%.*s", (int)size, peer);
}

static bool is_allowed(const char *peer, const char *network)
{
	char address[ADDRESS_SIZE];

	if (!strcmp(network, CONFIG_METRICS_UNIX))
		return !strcmp(peer, "unix");
	cut_port(peer, address);
	return address_is_in(address, network);
}

bool metrics_may_be_read(const struct config_metrics *config, const struct metrics_reader *reader)
{
	if (knows_secret(config, reader))
		return true;
	for (size_t i = 0; i < config->n_allow && !reader->is_forwarded; i++)
		if (is_allowed(reader->peer, config->allow[i]))
			return true;
	return false;
}
