#include "admission/admission.h"

/* Strangers name rooms, and each takes memory: there may be only so many. */
int admission_check_rooms(const struct admission_request *request,
			  const struct config_admission *settings)
{
	return request->no_more_rooms ? 503 : 0;
}
