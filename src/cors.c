#include "cors.h"

#include "admission/origin.h"
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For how long browsers need not ask again; none keeps it for longer than a day. */
#define MAX_AGE "7200"

static bool lists_any(const struct config_admission *settings)
{
	for (size_t i = 0; settings && i < settings->n_origins; i++)
		if (!strcmp(settings->origins[i], "*"))
			return true;
	return false;
}

enum cors cors_judge(const struct config_admission *settings, const char *origin, const char *host,
		     bool secure)
{
	if (!origin)
		return CORS_NO_PAGE;
	if (strlen(origin) > CORS_ORIGIN_MAX)
		return CORS_FOREIGN;
	if (origin_is_listed(settings, origin))
		return CORS_LISTED;
	if (origin_is_same(origin, host, secure))
		return CORS_SAME;
	return lists_any(settings) ? CORS_ANY : CORS_FOREIGN;
}

bool cors_allows_cookies(enum cors page)
{
	return page == CORS_NO_PAGE || page == CORS_SAME || page == CORS_LISTED;
}

bool cors_allows(enum cors page)
{
	return page == CORS_LISTED || page == CORS_ANY;
}

static void format(char out[CORS_LINES_SIZE], enum cors page, const char *origin, const char *more)
{
	if (cors_allows(page))
		snprintf(out, CORS_LINES_SIZE,
			 "Vary: Origin\r\nAccess-Control-Allow-Origin: %s\r\n%s%s", origin,
			 page == CORS_LISTED ? "Access-Control-Allow-Credentials: true\r\n" : "",
			 more);
	else
		snprintf(out, CORS_LINES_SIZE, "Vary: Origin\r\n");
}

void cors_format(char out[CORS_LINES_SIZE], enum cors page, const char *origin)
{
	format(out, page, origin,
	       "Access-Control-Expose-Headers: Link, ETag, Location, Retry-After\r\n");
}

void cors_format_preflight(char out[CORS_LINES_SIZE], enum cors page, const char *origin)
{
	format(out, page, origin,
	       "Access-Control-Allow-Methods: GET, HEAD, POST, DELETE\r\n"
	       "Access-Control-Allow-Headers: Authorization, Content-Type, Last-Event-ID, "
	       "If-None-Match\r\n"
	       "Access-Control-Max-Age: " MAX_AGE "\r\n");
}

char *cors_frame_ancestors(const struct config_admission *settings)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	if (lists_any(settings))
		return strdup("*");
	if (!settings || !settings->n_origins)
		return strdup("'none'");
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	fputs("'self'", out);
	for (size_t i = 0; i < settings->n_origins; i++)
		if (strcmp(settings->origins[i], "null") != 0) /* which is no source */
			fprintf(out, " %s", settings->origins[i]);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
