#pragma once

#include <stdbool.h>
#include <time.h>

/* What a request asks to be so before it is answered (RFC 9110 section 13): header values, NULL for those that it hasn't. */
struct conditions {
	char *if_match;
	char *if_none_match;
	char *if_modified_since;
	char *if_unmodified_since;
	char *if_range;
};

struct lws;

void conditions_read(struct lws *wsi, struct conditions *conditions);
void conditions_finish(struct conditions *conditions);

/*
 * What a GET or HEAD of something with that strong ETag, last modified then, is to
 * be answered with: 200, 304 or 412 (section 13.2.2). A date that is none counts as
 * if it weren't there.
 */
unsigned conditions_check(const struct conditions *conditions, const char *etag, time_t modified,
			  time_t now);

/* Whether a range is for this state of it, or there is no such condition (section 13.1.5). */
bool conditions_allow_range(const struct conditions *conditions, const char *etag,
			    const char *last_modified);
