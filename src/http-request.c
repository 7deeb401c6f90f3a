#include "http-request.h"

#include <errno.h>
#include <lws-path.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int http_method(struct lws *wsi, const char **path)
{
	char *uri = NULL;
	int length;
	int method = lws_http_get_uri_and_method(wsi, &uri, &length);

	*path = uri;
	return uri ? method : -1;
}

bool http_has_query(struct lws *wsi, const char **query)
{
	*query = lws_query(wsi);
	return *query;
}

int http_path_split(struct http_path *path, const char *text, size_t size)
{
	int n;

	*path = (struct http_path){.segments = malloc(size + 1)};
	if (!path->segments)
		return -ENOMEM;
	n = lws_path_split(text, size, path->segments);
	if (n < 0) {
		http_path_finish(path);
		return -EINVAL;
	}
	path->size = (size_t)n;
	return 0;
}

int http_path_read(struct lws *wsi, struct http_path *path)
{
	const char *text;

	*path = (struct http_path){0};
	return http_method(wsi, &text) < 0 ? -EINVAL : http_path_split(path, text, strlen(text));
}

void http_path_finish(struct http_path *path)
{
	free(path->segments);
	*path = (struct http_path){0};
}

const char *http_path_next(const struct http_path *path, const char *segment)
{
	const char *next = segment ? segment + strlen(segment) + 1 : path->segments;

	return next && next < path->segments + path->size ? next : NULL;
}

const char *http_path_as_file(struct http_path *path)
{
	const char *segment = NULL;

	while ((segment = http_path_next(path, segment)))
		if (strchr(segment, '/') || !strcmp(segment, ".") || !strcmp(segment, ".."))
			return NULL;
	for (size_t i = 0; i + 1 < path->size; i++)
		if (!path->segments[i])
			path->segments[i] = '/';
	return path->segments;
}

bool http_is_get_or_head(struct lws *wsi)
{
	const char *path;
	int method = http_method(wsi, &path);

	return method == LWSHUMETH_GET || method == LWSHUMETH_HEAD;
}

bool http_is_head(struct lws *wsi)
{
	return lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
}

char *http_header(struct lws *wsi, enum lws_token_indexes token)
{
	int length = lws_hdr_total_length(wsi, token);
	char *value;

	if (length <= 0)
		return NULL;
	value = malloc((size_t)length + 1);
	if (value && lws_hdr_copy(wsi, value, length + 1, token) < 0) {
		free(value);
		return NULL;
	}
	return value;
}

/* lws keeps the headers that it knows apart from all others. */
static char *known_header(struct lws *wsi, const char *name)
{
	size_t length = strlen(name);

	for (int i = 0; i < WSI_TOKEN_COUNT; i++) {
		enum lws_token_indexes token = (enum lws_token_indexes)i;
		const char *known = (const char *)lws_token_to_string(token);

		if (known && !strncmp(known, name, length) && !strcmp(known + length, ":"))
			return http_header(wsi, token);
	}
	return NULL;
}

char *http_header_by_name(struct lws *wsi, const char *name)
{
	char *value = known_header(wsi, name);
	char with_colon[128];
	int n, length;

	if (value)
		return value;
	n = snprintf(with_colon, sizeof(with_colon), "%s:", name);
	if (n < 0 || (size_t)n >= sizeof(with_colon))
		return NULL;
	length = lws_hdr_custom_length(wsi, with_colon, n);
	if (length < 0)
		return NULL;
	value = malloc((size_t)length + 1);
	if (value && lws_hdr_custom_copy(wsi, value, length + 1, with_colon, n) < 0) {
		free(value);
		return NULL;
	}
	return value;
}

static size_t decode(char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] == '+')
			text[i] = ' ';
	size = lws_percent_decode(text, size);
	text[size] = '\0';
	return size;
}

bool http_query_split(char *parameter, size_t size, struct admission_field *field)
{
	char *equals = memchr(parameter, '=', size);
	size_t name_size = equals ? (size_t)(equals - parameter) : size;
	char *value = equals ? equals + 1 : parameter + size;
	size_t value_size = (size_t)(parameter + size - value);

	value_size = decode(value, value_size);
	name_size = decode(parameter, name_size);
	*field = (struct admission_field){.name = parameter, .value = value, .size = value_size};
	return name_size && strlen(parameter) == name_size;
}

int http_query_read(struct lws *wsi, struct http_query *query)
{
	const char *text;
	char *p;

	*query = (struct http_query){0};
	query->storage = strdup(http_has_query(wsi, &text) ? text : "");
	if (!query->storage)
		return -ENOMEM;
	for (p = query->storage; *p && query->n < HTTP_QUERY_MAX; p++) {
		char *next = strchrnul(p, '&');
		bool is_last = !*next;

		if (http_query_split(p, (size_t)(next - p), &query->fields[query->n]))
			query->n++;
		if (is_last)
			break;
		p = next;
	}
	return 0;
}

void http_query_finish(struct http_query *query)
{
	free(query->storage);
}
