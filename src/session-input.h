#pragma once

#include "session.h"

#include <stddef.h>

/*
 * What comes in: messages are put together from fragments, and everything is
 * charged, to the connection's rates and to its share of a turn.
 *
 * session_receive() is declared in session.h. The rest is session.c's.
 */

/* A ping or a pong has come. Returns what the callback must return. */
int session_hear_control(struct session *session, size_t size);

/* A message may take its time, but comes in at some pace: what is unfinished is memory. */
bool session_is_too_slow(const struct session *session, unsigned idle_seconds);

/* Once a second: who has sent too much may send again. */
void session_let_go_on(struct session *session);

/* What is unfinished is given up. */
void session_drop_input(struct session *session);
