#include "mount/answer.h"

#include "http-client.h"
#include "http-cors.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_header(struct answer *answer, const char *line)
{
	char *all;

	if (asprintf(&all, "%s%s\r\n", answer->headers ? answer->headers : "", line) < 0)
		return;
	free(answer->headers);
	answer->headers = all;
}

bool answer_is_for_pages(struct lws *wsi)
{
	const char *path;

	return http_method(wsi, &path) >= 0 && !strncmp(path, "/api/", 5);
}

static void add_page_headers(struct lws *wsi, struct answer *answer)
{
	char *lines = answer_is_for_pages(wsi) ? http_cors_headers(wsi) : NULL;
	char *all;

	if (lines && asprintf(&all, "%s%s", answer->headers ? answer->headers : "", lines) >= 0) {
		free(answer->headers);
		answer->headers = all;
	}
	free(lines);
}

void route_add_header(struct route_later *later, const char *format, ...)
{
	char *line;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vasprintf(&line, format, arguments);
	va_end(arguments);
	if (n < 0)
		return;
	add_header(&later->answer, line);
	free(line);
}

unsigned route_problem(struct json_object **body, unsigned status, const char *detail)
{
	*body = json_object_new_object();
	json_object_object_add(*body, "type", json_object_new_string("about:blank"));
	json_object_object_add(*body, "title", json_object_new_string(http_reason(status)));
	json_object_object_add(*body, "status", json_object_new_int((int)status));
	json_object_object_add(*body, "detail", json_object_new_string(detail));
	return status;
}

unsigned route_busy(struct route_later *later, struct json_object **body)
{
	route_add_header(later, "Retry-After: 1");
	return route_problem(body, 503, "too much is waiting to be read, or to be taken");
}

bool route_is_head(const struct route_later *later)
{
	return later->is_head;
}

void route_peer(const struct route_later *later, char peer[HTTP_PEER_SIZE])
{
	http_peer(later->wsi, peer);
}

bool route_is_forwarded(const struct route_later *later)
{
	return http_is_forwarded(later->wsi);
}

void route_give_text(struct route_later *later, struct http_text *text)
{
	later->answer.text = *text;
	*text = (struct http_text){0};
}

void answer_finish(struct answer *answer)
{
	json_object_put(answer->json);
	http_text_finish(&answer->text);
	free(answer->headers);
	*answer = (struct answer){0};
}

static bool has_type(const struct answer *answer)
{
	return answer->route && answer->route->type && answer->status < 400;
}

static const char *write_json(const struct answer *answer, size_t *size)
{
	if (!has_type(answer))
		return json_object_to_json_string_length(
			answer->json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
			size);
	*size = (size_t)json_object_get_string_len(answer->json);
	return json_object_get_string(answer->json);
}

/* The body as text. A large one is charged, or the answer is another one. */
static void make_text(struct lws *wsi, struct answer *answer)
{
	if (answer->json && !answer->text.bytes) {
		size_t size;
		const char *text = write_json(answer, &size);

		answer->text.bytes = strndup(text, size);
		answer->text.size = answer->text.bytes ? size : 0;
	}
	if (http_body_charge(wsi, &answer->text) < 0) {
		answer_finish(answer);
		add_header(answer, "Retry-After: 1");
		answer->status =
			route_problem(&answer->json, 503, "too much is waiting to be taken");
		make_text(wsi, answer); /* which is small */
	}
}

static const char *type_of(const struct answer *answer)
{
	if (answer->status == 304)
		return NULL;
	if (answer->status >= 400)
		return "application/problem+json";
	return has_type(answer) ? answer->route->type : "application/json";
}

int answer_send(struct lws *wsi, struct http_body *body, struct answer *answer)
{
	struct http_reply reply = {0};
	int r;

	make_text(wsi, answer);
	if (!answer->headers || !strstr(answer->headers, "Cache-Control:"))
		add_header(answer, "Cache-Control: no-store");
	add_page_headers(wsi, answer);
	reply.status = answer->status;
	reply.type = type_of(answer);
	reply.headers = answer->headers;
	reply.unsized = !answer->text.bytes && http_is_head(wsi);
	r = http_body_reply(wsi, body, &reply, &answer->text);
	answer_finish(answer);
	return r;
}

int answer_problem(struct lws *wsi, unsigned status, const char *detail)
{
	struct answer answer = {.status = status};
	struct http_body none = {0};

	route_problem(&answer.json, status, detail);
	answer_send(wsi, &none, &answer);
	return -1;
}

int answer_not_allowed(struct lws *wsi, const char *allow)
{
	struct answer answer = {.status = 405};
	struct http_body none = {0};
	char line[96];

	route_problem(&answer.json, 405, "the resource doesn't know this method");
	snprintf(line, sizeof(line), "Allow: %s", allow);
	add_header(&answer, line);
	answer_send(wsi, &none, &answer);
	return -1;
}

void route_answer(struct route_later *later, unsigned status, struct json_object *body)
{
	struct call *call = later->call;

	later->answer.status = status;
	later->answer.json = body;
	if (call) {
		call->later = NULL;
		call->answer = later->answer;
		if (later->waiting)
			lws_callback_on_writable(later->wsi);
	} else {
		answer_finish(&later->answer);
	}
	free(later);
}
