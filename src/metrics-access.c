#include "metrics-access.h"

#include "address.h"
#include "config.h"

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

bool metrics_may_be_read(const struct config_metrics *config, const struct metrics_reader *reader)
{
	if (knows_secret(config, reader))
		return true;
	return !reader->is_forwarded &&
	       address_peer_is_in(reader->peer, config->allow, config->n_allow);
}
