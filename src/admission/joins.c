#include "admission/admission.h"

/* So many joins of one address a minute (429: RFC 6585 section 4). It is the last rule: who isn't let in hasn't joined. */
int admission_check_joins(const struct admission_request *request,
			  const struct config_admission *settings)
{
	if (!request->limiter || !request->room)
		return 0;
	return limiter_take(request->limiter, LIMIT_JOINS, request->address, request->now) ? 0
											   : 429;
}
