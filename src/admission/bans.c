#include "admission/admission.h"

/* Nobody who is banned from the room, by name or, unless they moderate it, by address. */
int admission_check_bans(const struct admission_request *request,
			 const struct config_admission *settings)
{
	const struct admission_field *username = admission_query(request, "username");

	if (!request->bans || !request->room)
		return 0;
	return bans_until(request->bans, BAN_ENTRY, request->room,
			  username ? username->value : NULL,
			  request->moderates ? NULL : request->address, request->time)
		       ? 403
		       : 0;
}
