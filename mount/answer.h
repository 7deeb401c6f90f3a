#pragma once

#include "http-body.h"
#include "mount/routes.h"

/* The answer of a REST call, on its way from the handler to the connection. */
struct answer {
	const struct route *route; /* NULL: none was found */
	unsigned status;	   /* 0: there is no answer yet */
	char *headers;		   /* more of them, or NULL */
	struct json_object *json;
	struct http_text text; /* instead of json, where it has bytes */
};

/* What answers before or after the handler has returned. */
struct route_later {
	struct lws *wsi;
	struct call *call; /* NULL: the connection is gone */
	bool is_head;
	bool waiting; /* the handler has returned without an answer */
	struct answer answer;
};

/* The request of a connection, for as long as it takes to come in, and its answer where that takes time. */
struct call {
	char *body;
	size_t size;
	struct pending *pending;   /* that the body is charged to; NULL: none has come */
	uint64_t since;		   /* it began to come in, as turn_now() */
	struct route_later *later; /* the handler has yet to answer */
	struct answer answer;	   /* has come, and is to be sent */
	struct http_body sending;
};

/* Whether other sites' pages may have the answer, if they are listed: that of a call, and of nothing else. */
bool answer_is_for_pages(struct lws *wsi);

/* Sends the answer, of which nothing is left then. Returns what the callback must return. */
int answer_send(struct lws *wsi, struct http_body *body, struct answer *answer);

/* Frees what there is, harmless for one that is all zeroes. */
void answer_finish(struct answer *answer);

/* A problem, as answer_send(); the connection ends with it, since a request's body may still be on its way. */
int answer_problem(struct lws *wsi, unsigned status, const char *detail);

/* 405, as answer_problem(); allow is such as "GET, HEAD". */
int answer_not_allowed(struct lws *wsi, const char *allow);
