#pragma once

#include <libwebsockets.h>

/*
 * Requests take turns as messages do (turn.h): a connection that has used up its
 * share of a turn gets this request's answer, and its next one waits.
 */

/* A request has come, or a part of its body: so many units of work. */
void http_turn_charge(struct lws *wsi, unsigned units);

/* The connection is about to be gone. */
void http_turn_forget(struct lws *wsi);
