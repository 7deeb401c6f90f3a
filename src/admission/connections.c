#include "admission/admission.h"

/* No more connections than the server is set up for; 503, since another try may do (RFC 9110 section 15.6.4). */
int admission_check_connections(const struct admission_request *request,
				const struct config_admission *settings)
{
	return quota_has_room(request->connections) ? 0 : 503;
}
