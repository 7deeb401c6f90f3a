#include "http-client.h"

#include "config.h"
#include "forwarded.h"
#include "http-request.h"
#include "service.h"
#include "source.h"

#include <lws-fields.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All fields of that name, joined by commas; NULL: there are none. lws's own functions give the first one only. */
static char *all_fields(struct lws *wsi, const char *name)
{
	int size = lws_fields_join(wsi, name, NULL, 0);
	char *value = size < 0 ? NULL : malloc((size_t)size + 1);

	if (value)
		lws_fields_join(wsi, name, value, (size_t)size + 1);
	return value;
}

/* Returns false where nobody is trusted: what is there is the socket's. */
static bool read_forwarded(struct lws *wsi, struct forwarded *forwarded)
{
	const struct source *source = service_source_of(wsi);
	const struct config_listen *listen = source ? source->listen : NULL;
	char *fields[4];
	struct forwarded_fields all;

	if (!listen ||
	    !address_peer_is_in(source->peer, listen->trusted_proxies, listen->n_trusted_proxies))
		return false;
	fields[0] = all_fields(wsi, "forwarded:");
	fields[1] = http_header(wsi, WSI_TOKEN_X_FORWARDED_FOR);
	fields[2] = all_fields(wsi, "x-forwarded-proto:");
	fields[3] = all_fields(wsi, "x-forwarded-host:");
	all = (struct forwarded_fields){fields[0], fields[1], fields[2], fields[3]};
	forwarded_read(&all, source->peer, listen->trusted_proxies, listen->n_trusted_proxies,
		       forwarded);
	for (size_t i = 0; i < 4; i++)
		free(fields[i]);
	return true;
}

void http_peer(struct lws *wsi, char text[HTTP_PEER_SIZE])
{
	const struct source *source = service_source_of(wsi);
	struct forwarded forwarded;

	if (read_forwarded(wsi, &forwarded))
		memcpy(text, forwarded.peer, HTTP_PEER_SIZE);
	else
		snprintf(text, HTTP_PEER_SIZE, "%s", source ? source->peer : ADDRESS_UNIX);
}

bool http_is_secure(struct lws *wsi)
{
	struct forwarded forwarded;

	if (!read_forwarded(wsi, &forwarded) || forwarded.scheme == FORWARDED_UNKNOWN)
		return service_speaks_tls(wsi);
	return forwarded.scheme == FORWARDED_SECURE;
}

char *http_host(struct lws *wsi)
{
	struct forwarded forwarded;

	if (!read_forwarded(wsi, &forwarded) || !*forwarded.host)
		return http_header(wsi, WSI_TOKEN_HOST);
	return strdup(forwarded.host);
}

bool http_is_forwarded(struct lws *wsi)
{
	struct forwarded forwarded;

	if (lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) <= 0 &&
	    lws_fields_join(wsi, "forwarded:", NULL, 0) < 0)
		return false;
	return !read_forwarded(wsi, &forwarded) || !forwarded.is_client;
}
