#include "admission/admission.h"
#include "admission/origin.h"

#include <string.h>

static bool is_any(const struct config_admission *settings)
{
	for (size_t i = 0; i < settings->n_origins; i++)
		if (!strcmp(settings->origins[i], "*"))
			return true;
	return false;
}

/*
 * Pages of which origins may connect: browsers always say, and nothing but this
 * keeps other sites' pages out (RFC 6455 section 10.2). Without a list only
 * those from here may, and whoever is no browser. Who isn't one can say
 * anything, so a request without an Origin is refused too where a list is set.
 */
int admission_check_origins(const struct admission_request *request,
			    const struct config_admission *settings)
{
	const char *origin = request->origin;

	if (!settings || !settings->n_origins)
		return !origin || origin_is_same(origin, request->host, request->secure) ? 0 : 403;
	if (is_any(settings) || (origin && origin_is_listed(settings, origin)))
		return 0;
	return 403;
}
