#pragma once

#include <stdbool.h>

struct config_admission;

/*
 * Whether a page of that origin (RFC 6454 section 7) comes from the server that
 * a request asks for: its Host, and whether it came in over TLS. The default
 * port of a scheme is the same as none, and the case of letters doesn't matter.
 * A page without an origin of its own, "null", comes from nowhere.
 *
 * A page from https is welcome on a plain listener as well: most of these stand
 * behind a proxy that ends TLS. Not the other way round, as anybody on the way
 * may have written a page that came over http.
 */
bool origin_is_same(const char *origin, const char *host, bool secure);

/* Whether the settings, which may be NULL, name that very origin; "*" names none. */
bool origin_is_listed(const struct config_admission *settings, const char *origin);
