#include "admission/origin.h"

#include "config.h"

#include <string.h>
#include <strings.h>

#define HTTP_PORT 80
#define HTTPS_PORT 443

/* What stands in front of a port, and the port. */
struct authority {
	const char *host;
	size_t length;
	unsigned port;
};

static bool read_port(const char *text, unsigned *port)
{
	unsigned long number = 0;

	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number > 6553)
			return false;
		number = number * 10 + (unsigned long)(*text - '0');
	}
	*port = (unsigned)number;
	return number && number <= 65535;
}

/* RFC 3986 section 3.2: an IPv6 address is in brackets; an empty port is none. Nothing may follow. */
static bool read_authority(const char *text, unsigned default_port, struct authority *authority)
{
	const char *end = text + strcspn(text, *text == '[' ? "]" : ":");

	if (*text == '[') {
		if (!*end)
			return false;
		end++;
	}
	authority->host = text;
	authority->length = (size_t)(end - text);
	authority->port = default_port;
	if (!authority->length || strcspn(text, "/?#@ \\") != strlen(text))
		return false;
	if (!*end || !strcmp(end, ":"))
		return true;
	return *end == ':' && read_port(end + 1, &authority->port);
}

bool origin_is_same(const char *origin, const char *host, bool secure)
{
	bool is_https = !strncasecmp(origin, "https://", 8);
	unsigned default_port = is_https ? HTTPS_PORT : HTTP_PORT;
	struct authority a, b;

	if (!is_https && (secure || strncasecmp(origin, "http://", 7) != 0))
		return false;
	return host && read_authority(origin + (is_https ? 8 : 7), default_port, &a) &&
	       read_authority(host, default_port, &b) && a.port == b.port && a.length == b.length &&
	       !strncasecmp(a.host, b.host, a.length);
}

bool origin_is_listed(const struct config_admission *settings, const char *origin)
{
	for (size_t i = 0; settings && i < settings->n_origins; i++)
		if (!strcasecmp(origin, settings->origins[i]) && strcmp(origin, "*") != 0)
			return true;
	return false;
}
