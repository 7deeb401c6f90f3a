#include "admission/admission.h"

#include <string.h>

static const struct admission_field *find(const struct admission_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_headers; i++)
		if (!strcmp(request->headers[i].name, name))
			return &request->headers[i];
	return NULL;
}

/* In the same time for every wrong value, since such a header may be a secret. */
static bool same(const struct admission_field *field, const char *wanted)
{
	size_t size = strlen(wanted);
	unsigned char difference = field->size != size;

	for (size_t i = 0; i < field->size; i++)
		difference |= (unsigned char)(field->value[i] ^ wanted[size ? i % size : 0]);
	return !difference;
}

/* Headers that must be there, or have a given value. */
int admission_check_require_headers(const struct admission_request *request,
				    const struct config_admission *settings)
{
	if (!settings)
		return 0;
	for (size_t i = 0; i < settings->n_require_headers; i++) {
		const struct config_header *wanted = &settings->require_headers[i];
		const struct admission_field *found = find(request, wanted->name);

		if (!found || (wanted->value && !same(found, wanted->value)))
			return 403;
	}
	return 0;
}
