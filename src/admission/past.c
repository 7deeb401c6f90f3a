#include "admission/admission.h"

/* How much of a room's past is asked for must be a whole number, however large. */
int admission_check_past(const struct admission_request *request,
			 const struct config_admission *settings)
{
	const struct admission_field *history =
		request->room ? admission_query(request, "history") : NULL;

	if (!history)
		return 0;
	for (size_t i = 0; i < history->size; i++)
		if (history->value[i] < '0' || history->value[i] > '9')
			return 400;
	return history->size ? 0 : 400;
}
