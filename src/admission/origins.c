#include "admission/admission.h"

#include <strings.h>

/*
 * Pages of which origins may connect: browsers always say, and nothing but this
 * keeps other sites' pages out (RFC 6455 section 10.2). Who isn't a browser can
 * say anything, so a request without an Origin is refused too where a list is set.
 */
int admission_check_origins(const struct admission_request *request,
			    const struct config_admission *settings)
{
	if (!settings || !settings->n_origins)
		return 0;
	if (!request->origin)
		return 403;
	for (size_t i = 0; i < settings->n_origins; i++)
		if (!strcasecmp(request->origin, settings->origins[i]))
			return 0;
	return 403;
}
