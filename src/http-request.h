#pragma once

#include "admission/admission.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>

/* What an HTTP request says, a handshake's as well. */

/* The request's method as one of LWSHUMETH_, with its path as it was written; -1: there is none. */
int http_method(struct lws *wsi, const char **path);

/* Whether the target has a question mark, and what follows that as it was written. */
bool http_has_query(struct lws *wsi, const char **query);

bool http_is_get_or_head(struct lws *wsi);
bool http_is_head(struct lws *wsi);

/* A header's value, to be freed; NULL where the request has none. */
char *http_header(struct lws *wsi, enum lws_token_indexes token);

/* The same by its name in lower case, for headers that lws has no token for. */
char *http_header_by_name(struct lws *wsi, const char *name);

/*
 * What a path means: it was cut at its slashes, its dot segments went, and only
 * then was it decoded (RFC 3986 section 2.4). A segment may have slashes inside
 * and be called ".."; the last one is empty where the path ends with a slash.
 */
struct http_path {
	char *segments; /* each ended by NUL */
	size_t size;
};

/* Returns 0, -ENOMEM, or -EINVAL where a segment has a NUL inside: nothing is called that. */
int http_path_read(struct lws *wsi, struct http_path *path);
int http_path_split(struct http_path *path, const char *text, size_t size);
void http_path_finish(struct http_path *path);

/* The segment after that one, the first after NULL; NULL: there are no more. */
const char *http_path_next(const struct http_path *path, const char *segment);

/*
 * Makes a relative path of a file of it, such as "a/b" or "a/", in its own memory;
 * the segments are gone then. NULL: no file is called that, as one has a slash
 * inside or would lead elsewhere.
 */
const char *http_path_as_file(struct http_path *path);

#define HTTP_QUERY_MAX 32

/* The query parameters, decoded, in the order of the request (URL standard, application/x-www-form-urlencoded). */
struct http_query {
	struct admission_field fields[HTTP_QUERY_MAX];
	size_t n;
	char *storage;
};

/* Returns 0 or -ENOMEM. Parameters past HTTP_QUERY_MAX are left out. */
int http_query_read(struct lws *wsi, struct http_query *query);
void http_query_finish(struct http_query *query);

/*
 * Splits a parameter into name and value and decodes them, in place:
 * parameter[size] must be writable. Returns false where the name is empty or has a
 * NUL inside.
 */
bool http_query_split(char *parameter, size_t size, struct admission_field *field);
