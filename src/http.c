#include "http.h"

#include "http-client.h"
#include "http-request.h"
#include "metrics.h"
#include "server.h"

#include <lws-idle.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

/* Heads and small bodies leave from the stack. */
#define SMALL_REPLY 4096

/* What of a long body may wait in the system, beyond what is on its way. */
#define UNSENT_MAX (64 * 1024)

const char *http_reason(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 204:
		return "No Content";
	case 206:
		return "Partial Content";
	case 301:
		return "Moved Permanently";
	case 304:
		return "Not Modified";
	case 308:
		return "Permanent Redirect";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 411:
		return "Length Required";
	case 412:
		return "Precondition Failed";
	case 413:
		return "Content Too Large";
	case 415:
		return "Unsupported Media Type";
	case 416:
		return "Range Not Satisfiable";
	case 422:
		return "Unprocessable Content";
	case 426:
		return "Upgrade Required";
	case 429:
		return "Too Many Requests";
	case 500:
		return "Internal Server Error";
	case 503:
		return "Service Unavailable";
	case 507:
		return "Insufficient Storage";
	default:
		return "";
	}
}

/* The IMF-fixdate of now (RFC 9110 section 6.6.1), put together once a second. */
static const char *date_now(void)
{
	static _Thread_local char text[32];
	static _Thread_local time_t at;
	time_t now = time(NULL);
	struct tm utc;

	if (now != at) {
		at = now;
		gmtime_r(&now, &utc);
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &utc);
	}
	return text;
}

/* Whether the request's header is that word; without one it isn't. */
static bool header_is(struct lws *wsi, enum lws_token_indexes header, const char *word)
{
	char value[32];

	return lws_hdr_total_length(wsi, header) == (int)strlen(word) &&
	       lws_hdr_copy(wsi, value, sizeof(value), header) > 0 && !strcasecmp(value, word);
}

/* What the answer says about the connection, in agreement with what lws will do (RFC 9112 section 9.3). */
static const char *connection_header(struct lws *wsi, bool close, bool http_1_0)
{
	if (close)
		return "Connection: close\r\n";
	if (!http_1_0)
		return header_is(wsi, WSI_TOKEN_CONNECTION, "close") ? "Connection: close\r\n" : "";
	return header_is(wsi, WSI_TOKEN_CONNECTION, "keep-alive") ? "Connection: keep-alive\r\n"
								  : "";
}

/* A head as it is put together; printf would be a tenth of a small request's work. */
struct head {
	char *out;
	size_t room;
	size_t size; /* may go past room, what doesn't fit is left out */
};

static void put(struct head *head, const char *text)
{
	size_t size = strlen(text);

	if (head->size + size <= head->room)
		memcpy(head->out + head->size, text, size);
	head->size += size;
}

static void put_number(struct head *head, uint64_t number)
{
	char digits[24] = "";
	char *p = digits + sizeof(digits) - 1;

	do {
		*--p = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	put(head, p);
}

static void put_header(struct head *head, const char *name, const char *value)
{
	put(head, name);
	put(head, value);
	put(head, "\r\n");
}

static void put_header_number(struct head *head, const char *name, uint64_t value)
{
	put(head, name);
	put_number(head, value);
	put(head, "\r\n");
}

/* RFC 6797: from now on, only by TLS. */
static void put_hsts(struct lws *wsi, struct head *head)
{
	const struct config_listen *listen = service_listen_of(wsi);

	if (listen && listen->tls && listen->tls->hsts_seconds)
		put_header_number(head,
				  "Strict-Transport-Security: max-age=", listen->tls->hsts_seconds);
}

/* Returns the head's length, or -1 where it doesn't fit. size is that of the body; -1: unknown. */
static int format_head(struct lws *wsi, char *out, size_t room, const struct http_reply *reply,
		       int64_t size)
{
	struct head head = {.out = out, .room = room};
	bool http_1_0 = header_is(wsi, WSI_TOKEN_HTTP, "HTTP/1.0");

	put(&head, http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ");
	put_number(&head, reply->status);
	put_header(&head, " ", http_reason(reply->status));
	put_header(&head, "Date: ", date_now());
	put(&head,
	    connection_header(wsi, reply->close || server_is_draining(server_of(wsi)), http_1_0));
	if (reply->type)
		put_header(&head, "Content-Type: ", reply->type);
	if (size >= 0 && reply->status != 304 && reply->status != 204)
		put_header_number(&head, "Content-Length: ", (uint64_t)size);
	put_hsts(wsi, &head);
	put(&head, "X-Content-Type-Options: nosniff\r\n");
	if (reply->headers)
		put(&head, reply->headers);
	put(&head, "\r\n");
	return head.size > room ? -1 : (int)head.size;
}

/* A server that is about to end takes no further request. */
static void begin_reply(struct lws *wsi)
{
	struct service *service = service_of(wsi);

	metrics_server(service->metrics)->http_requests++;
	if (server_is_draining(service->server))
		lws_http_no_keep_alive(wsi);
}

int http_patience(struct lws *wsi)
{
	return (int)(3 * server_of(wsi)->config->limits.handshake_seconds);
}

/* lws sets a timeout at the request, and never again: what hasn't left yet has a while of its own. */
static int write_part(struct lws *wsi, unsigned char *bytes, size_t size,
		      enum lws_write_protocol how)
{
	if (lws_write(wsi, bytes, size, how) < 0)
		return -1;
	if (lws_partial_buffered(wsi))
		lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, http_patience(wsi));
	return 0;
}

int http_continue(struct lws *wsi)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	char buffer[LWS_PRE + sizeof(text)];

	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_EXPECT) <= 0 ||
	    header_is(wsi, WSI_TOKEN_HTTP, "HTTP/1.0"))
		return 0;
	memcpy(buffer + LWS_PRE, text, sizeof(text));
	return lws_write(wsi, (unsigned char *)buffer + LWS_PRE, sizeof(text) - 1, LWS_WRITE_HTTP) <
			       0
		       ? -1
		       : 0;
}

static size_t count_headers(const struct http_reply *reply)
{
	return reply->headers ? strlen(reply->headers) : 0;
}

int http_reply(struct lws *wsi, const struct http_reply *reply)
{
	size_t body = http_is_head(wsi) ? 0 : reply->size;
	size_t more = count_headers(reply);
	size_t room = SMALL_REPLY - (body < SMALL_REPLY ? body : 0);
	char small[LWS_PRE + SMALL_REPLY];
	char *buffer = small;
	int head, r;

	begin_reply(wsi);
	if (body + more > SMALL_REPLY / 2) {
		room = SMALL_REPLY + more;
		buffer = malloc(LWS_PRE + room + body);
		if (!buffer)
			return -1;
	}
	head = format_head(wsi, buffer + LWS_PRE, room, reply,
			   reply->unsized ? -1 : (int64_t)reply->size);
	r = -1;
	if (head > 0) {
		if (body)
			memcpy(buffer + LWS_PRE + head, reply->body, body);
		r = write_part(wsi, (unsigned char *)buffer + LWS_PRE, (size_t)head + body,
			       LWS_WRITE_HTTP_FINAL);
	}
	if (buffer != small)
		free(buffer);
	if (r < 0 || reply->close)
		return -1;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

int http_reply_text(struct lws *wsi, unsigned status, const char *text)
{
	char body[512];
	int n = snprintf(body, sizeof(body), "%s\n", text);

	return http_reply(wsi, &(struct http_reply){
				       .status = status,
				       .type = "text/plain; charset=utf-8",
				       .body = body,
				       .size = (size_t)n,
			       });
}

int http_reply_json(struct lws *wsi, unsigned status, struct json_object *body)
{
	size_t size;
	const char *text = json_object_to_json_string_length(
		body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
	int r = http_reply(wsi, &(struct http_reply){
					.status = status,
					.type = "application/json",
					.headers = "Cache-Control: no-store\r\n",
					.body = text,
					.size = size,
				});

	json_object_put(body);
	return r;
}

int http_reply_upgrade_required(struct lws *wsi)
{
	static const char body[] = "This endpoint speaks WebSocket\n";

	return http_reply(wsi, &(struct http_reply){
				       .status = 426,
				       .type = "text/plain; charset=utf-8",
				       .headers = "Upgrade: websocket\r\nConnection: upgrade\r\n",
				       .body = body,
				       .size = sizeof(body) - 1,
			       });
}

int http_reply_not_allowed(struct lws *wsi, const char *allow)
{
	static const char body[] = "Method not allowed\n";
	char headers[128];

	snprintf(headers, sizeof(headers), "Allow: %s\r\n", allow);
	return http_reply(wsi,
			  &(struct http_reply){
				  .status = 405,
				  .type = "text/plain; charset=utf-8",
				  .headers = headers,
				  .body = body,
				  .size = sizeof(body) - 1,
				  .close = true, /* its body, if any, is not worth waiting for */
			  });
}

size_t http_encode(char *out, size_t size, const char *text, size_t text_size)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-._~";
	size_t n = 0;

	for (size_t i = 0; i < text_size && n + 4 <= size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c && strchr(plain, c))
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, size - n, "%%%02X", c);
	}
	if (size)
		out[n < size ? n : size - 1] = '\0';
	return n;
}

bool http_wants_redirect(struct lws *wsi)
{
	const struct config_listen *listen = service_listen_of(wsi);

	/* A proxy in front may speak TLS with the client: there is nowhere else to go. */
	return listen && listen->redirect && !http_is_secure(wsi);
}

/* The name in the Host header without its port; false: there is none that could stand in a URL. */
static bool read_host(struct lws *wsi, char *out, size_t size)
{
	char *host = http_header(wsi, WSI_TOKEN_HOST);
	size_t length = 0;

	if (host && *host == '[') {
		length = strspn(host + 1, "0123456789abcdefABCDEF:.") + 1;
		length = host[length] == ']' ? length + 1 : 0;
	} else if (host) {
		length = strspn(
			host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
	}
	if (length && length < size && (!host[length] || host[length] == ':'))
		snprintf(out, size, "%.*s", (int)length, host);
	else
		length = 0;
	free(host);
	return length > 0;
}

/* Where the connection is to go on, "https://name:port"; -1: it isn't known. */
static int format_origin(struct lws *wsi, char *out, size_t size)
{
	unsigned https_port = server_of(wsi)->https_port;
	char host[256];

	if (!https_port || !read_host(wsi, host, sizeof(host)))
		return -1;
	if (https_port == 443)
		return snprintf(out, size, "https://%s", host);
	return snprintf(out, size, "https://%s:%u", host, https_port);
}

int http_redirect(struct lws *wsi, unsigned status, const char *origin, const char *suffix,
		  bool close)
{
	struct http_reply reply = {.status = status, .close = close};
	const char *path, *query;
	bool has_query = http_has_query(wsi, &query);
	char *headers = NULL;
	int r;

	if (http_method(wsi, &path) < 0)
		return -1;
	if (asprintf(&headers, "Location: %s%s%s%s%s\r\n", origin, path, suffix,
		     has_query ? "?" : "", has_query ? query : "") < 0)
		return -1;
	reply.headers = headers;
	r = http_reply(wsi, &reply);
	free(headers);
	return r;
}

int http_redirect_to_https(struct lws *wsi)
{
	const char *path;
	char origin[300];

	if (http_method(wsi, &path) < 0 || *path != '/' ||
	    format_origin(wsi, origin, sizeof(origin)) < 0) {
		http_reply_text(wsi, 400, "Use https");
		return -1;
	}
	return http_redirect(wsi, 308, origin, "", true);
}

void http_limit_unsent(struct lws *wsi, bool limit)
{
	int bytes = limit ? UNSENT_MAX : 0; /* 0: as usual */

	setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof(bytes));
}

int http_begin_body(struct lws *wsi, const struct http_reply *reply, int64_t size)
{
	size_t room = SMALL_REPLY + count_headers(reply);
	char *buffer = malloc(LWS_PRE + room);
	int head = -1, r = -1;

	if (!buffer)
		return -1;
	begin_reply(wsi);
	head = format_head(wsi, buffer + LWS_PRE, room, reply, size);
	if (head > 0) {
		http_limit_unsent(wsi, true);
		r = write_part(wsi, (unsigned char *)buffer + LWS_PRE, (size_t)head,
			       LWS_WRITE_HTTP_HEADERS);
	}
	free(buffer);
	return r;
}

int http_write_body(struct lws *wsi, unsigned char *piece, size_t size)
{
	if (write_part(wsi, piece, size, LWS_WRITE_HTTP) < 0)
		return -1;
	lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, http_patience(wsi));
	return 0;
}
