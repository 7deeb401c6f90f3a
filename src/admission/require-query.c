#include "admission/admission.h"

/* Query parameters that must be there and not be empty. */
int admission_check_require_query(const struct admission_request *request,
				  const struct config_admission *settings)
{
	if (!settings)
		return 0;
	for (size_t i = 0; i < settings->n_require_query; i++) {
		const struct admission_field *found =
			admission_query(request, settings->require_query[i]);

		if (!found || !found->size)
			return 403;
	}
	return 0;
}
