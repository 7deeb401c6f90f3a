#include "admission/admission.h"

#include "utf8.h"

/* Who and where: a name, wherever one is given, must be one that can be shown to others. */
int admission_check_names(const struct admission_request *request,
			  const struct config_admission *settings)
{
	const struct admission_field *username = admission_query(request, "username");
	const struct admission_field *room = admission_query(request, "room");

	if (!username && request->needs_username)
		return 403;
	if (username && !utf8_is_name(username->value, username->size))
		return 403;
	if (room && !utf8_is_name(room->value, room->size))
		return 403;
	return 0;
}
