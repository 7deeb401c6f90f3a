#include "http-request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <lws-path.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

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

static char *put_decimal(char *to, unsigned number)
{
	if (number >= 10)
		to = put_decimal(to, number / 10);
	*to++ = (char)('0' + number % 10);
	return to;
}

/* Most peers have one of these, and inet_ntop() goes by printf. */
static void put_ipv4(char text[HTTP_PEER_SIZE], const unsigned char address[4], in_port_t port)
{
	char *p = text;

	for (int i = 0; i < 4; i++) {
		p = put_decimal(p, address[i]);
		*p++ = i < 3 ? '.' : ':';
	}
	*put_decimal(p, ntohs(port)) = '\0';
}

static void put_ipv6(char text[HTTP_PEER_SIZE], const struct sockaddr_in6 *peer)
{
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(AF_INET6, &peer->sin6_addr, address, sizeof(address));
	snprintf(text, HTTP_PEER_SIZE, "[%s]:%u", address, ntohs(peer->sin6_port));
}

void http_peer(struct lws *wsi, char text[HTTP_PEER_SIZE])
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} peer = {0};
	socklen_t length = sizeof(peer);

	if (getpeername(lws_get_socket_fd(wsi), &peer.any, &length) < 0)
		snprintf(text, HTTP_PEER_SIZE, "unknown");
	else if (peer.any.sa_family == AF_INET)
		put_ipv4(text, (const unsigned char *)&peer.in.sin_addr, peer.in.sin_port);
	else if (peer.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&peer.in6.sin6_addr))
		put_ipv4(text, peer.in6.sin6_addr.s6_addr + 12, peer.in6.sin6_port);
	else if (peer.any.sa_family == AF_INET6)
		put_ipv6(text, &peer.in6);
	else
		snprintf(text, HTTP_PEER_SIZE, "unix");
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
