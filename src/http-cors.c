#include "http-cors.h"

#include "config.h"
#include "cors.h"
#include "http.h"
#include "http-client.h"
#include "http-request.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>

static enum cors judge(struct lws *wsi, const struct config_admission *settings, const char *origin)
{
	char *host = http_host(wsi);
	enum cors page = cors_judge(settings, origin, host, http_is_secure(wsi));

	free(host);
	return page;
}

bool http_may_use_cookies(struct lws *wsi, const struct config_admission *settings)
{
	char *origin = http_header(wsi, WSI_TOKEN_ORIGIN);
	bool may = cors_allows_cookies(judge(wsi, settings, origin));

	free(origin);
	return may;
}

const struct config_admission *http_page_settings(struct lws *wsi)
{
	return config_admission_for(server_of(wsi)->config, "/chat");
}

char *http_cors_headers(struct lws *wsi)
{
	const struct config_admission *settings = http_page_settings(wsi);
	char lines[CORS_LINES_SIZE];
	char *origin;

	if (!settings || !settings->n_origins)
		return NULL; /* it is the same for all pages */
	origin = http_header(wsi, WSI_TOKEN_ORIGIN);
	cors_format(lines, judge(wsi, settings, origin), origin);
	free(origin);
	return strdup(lines);
}

bool http_is_preflight(struct lws *wsi)
{
	const char *path;
	char *method;
	bool is;

	if (http_method(wsi, &path) != LWSHUMETH_OPTIONS)
		return false;
	method = http_header_by_name(wsi, "access-control-request-method");
	is = method && lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0;
	free(method);
	return is;
}

int http_reply_preflight(struct lws *wsi)
{
	char *origin = http_header(wsi, WSI_TOKEN_ORIGIN);
	enum cors page = judge(wsi, http_page_settings(wsi), origin);
	char lines[CORS_LINES_SIZE];

	cors_format_preflight(lines, page, origin);
	free(origin);
	return http_reply(wsi, &(struct http_reply){
				       .status = cors_allows(page) ? 204 : 403,
				       .headers = lines,
			       });
}
