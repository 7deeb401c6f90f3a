#pragma once

#include "admission/admission.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>

/* What an HTTP request says, a handshake's as well. */

/* The request's method as one of LWSHUMETH_, with its decoded path; -1: there is none. */
int http_method(struct lws *wsi, const char **path);
bool http_is_get_or_head(struct lws *wsi);
bool http_is_head(struct lws *wsi);

/* A header's value, to be freed; NULL where the request has none. */
char *http_header(struct lws *wsi, enum lws_token_indexes token);

/* The same by its name in lower case, for headers that lws has no token for. */
char *http_header_by_name(struct lws *wsi, const char *name);

/* An IPv6 address in brackets, a colon and a port. */
#define HTTP_PEER_SIZE 56

/* The peer's address and port, or "unix", into text. */
void http_peer(struct lws *wsi, char text[HTTP_PEER_SIZE]);

#define HTTP_QUERY_MAX 32

/* The query parameters, decoded, in the order of the request. */
struct http_query {
	struct admission_field fields[HTTP_QUERY_MAX];
	size_t n;
	char *storage;
};

/* Returns 0 or -ENOMEM. Parameters past HTTP_QUERY_MAX are left out. */
int http_query_read(struct lws *wsi, struct http_query *query);
void http_query_finish(struct http_query *query);

/*
 * Splits a decoded parameter into name and value, in place: fragment[size] must
 * be writable. Returns false where the name is empty or has a NUL inside.
 */
bool http_query_split(char *fragment, size_t size, struct admission_field *field);
