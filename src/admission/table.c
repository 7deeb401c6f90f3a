#include "admission/admission.h"

#include <string.h>

static const struct admission_rule rules[] = {
	{"connections", admission_check_connections},
	{"origin", admission_check_origins},
	{"query", admission_check_require_query},
	{"name", admission_check_names},
	{"header", admission_check_require_headers},
	{"past", admission_check_past},
	{"ban", admission_check_bans},
	{"rooms", admission_check_rooms},
	{"joins", admission_check_joins},
};

int admission_decide(const struct admission_request *request,
		     const struct config_admission *settings, const char **reason)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		int status = rules[i].check(request, settings);

		if (status) {
			*reason = rules[i].reason;
			return status;
		}
	}
	return 0;
}

const struct admission_field *admission_query(const struct admission_request *request,
					      const char *name)
{
	for (size_t i = 0; i < request->n_query; i++)
		if (!strcmp(request->query[i].name, name))
			return &request->query[i];
	return NULL;
}
