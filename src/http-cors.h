#pragma once

#include <libwebsockets.h>
#include <stdbool.h>

struct config_admission;

/* cors.h for a request: what the pages that /chat's origins lists may do with REST and the chat's client. */

/* Whether the request's cookies count, by the settings of whom it is for, which may be NULL. */
bool http_may_use_cookies(struct lws *wsi, const struct config_admission *settings);

/* The settings that go for REST and files, or NULL. */
const struct config_admission *http_page_settings(struct lws *wsi);

/* The answer's lines for the page that asks, to be freed; NULL: it has none. */
char *http_cors_headers(struct lws *wsi);

/* Whether a browser asks what a page may ask for (a preflight request); answers it: 204 or 403. */
bool http_is_preflight(struct lws *wsi);
int http_reply_preflight(struct lws *wsi);
