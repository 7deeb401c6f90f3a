#include "mount/conditions.h"

#include "http-date.h"
#include "http-request.h"

#include <stdlib.h>
#include <string.h>

void conditions_read(struct lws *wsi, struct conditions *conditions)
{
	*conditions = (struct conditions){
		.if_match = http_header(wsi, WSI_TOKEN_HTTP_IF_MATCH),
		.if_none_match = http_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH),
		.if_modified_since = http_header(wsi, WSI_TOKEN_HTTP_IF_MODIFIED_SINCE),
		.if_unmodified_since = http_header(wsi, WSI_TOKEN_HTTP_IF_UNMODIFIED_SINCE),
		.if_range = http_header(wsi, WSI_TOKEN_HTTP_IF_RANGE),
	};
}

void conditions_finish(struct conditions *conditions)
{
	free(conditions->if_match);
	free(conditions->if_none_match);
	free(conditions->if_modified_since);
	free(conditions->if_unmodified_since);
	free(conditions->if_range);
}

/*
 * Whether the list has that strong tag, or is * (section 8.8.3). Weakly it may be
 * marked as weak there.
 */
static bool has_tag(const char *list, const char *etag, bool weakly)
{
	size_t length = strlen(etag);

	if (!strcmp(list, "*"))
		return true;
	while (*(list += strspn(list, ", \t"))) {
		bool is_weak = !strncmp(list, "W/", 2);
		const char *end;

		list += is_weak ? 2 : 0;
		end = *list == '"' ? strchr(list + 1, '"') : NULL;
		if (!end)
			return false; /* it is no list of tags from here on */
		end++;
		if ((size_t)(end - list) == length && !memcmp(list, etag, length) &&
		    (weakly || !is_weak))
			return true;
		list = end;
	}
	return false;
}

/* Section 13.2.2, steps 1 and 2. */
static bool has_failed(const struct conditions *conditions, const char *etag, time_t modified,
		       time_t now)
{
	time_t since;

	if (conditions->if_match)
		return !has_tag(conditions->if_match, etag, false);
	return conditions->if_unmodified_since &&
	       http_date_parse(conditions->if_unmodified_since, now, &since) && modified > since;
}

/* Steps 3 and 4. */
static bool is_not_modified(const struct conditions *conditions, const char *etag, time_t modified,
			    time_t now)
{
	time_t since;

	if (conditions->if_none_match)
		return has_tag(conditions->if_none_match, etag, true);
	return conditions->if_modified_since &&
	       http_date_parse(conditions->if_modified_since, now, &since) && modified <= since;
}

unsigned conditions_check(const struct conditions *conditions, const char *etag, time_t modified,
			  time_t now)
{
	if (has_failed(conditions, etag, modified, now))
		return 412;
	return is_not_modified(conditions, etag, modified, now) ? 304 : 200;
}

bool conditions_allow_range(const struct conditions *conditions, const char *etag,
			    const char *last_modified)
{
	const char *condition = conditions->if_range;

	return !condition || !strcmp(condition, etag) || !strcmp(condition, last_modified);
}
