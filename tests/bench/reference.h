#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames.h"

/* The most connections that send to a room. */
#define SENDERS_MAX 64

/* What every message begins with: #SENDER:NUMBER: */
struct mark {
	int sender; /* -1: a message without a mark, such as a notice */
	uint32_t number;
};

struct mark mark_read(const char *payload, size_t size);

/* Dies unless the marks of each sender count up from 0 by one. */
void mark_check(struct mark mark, uint32_t expected[SENDERS_MAX]);

/*
 * What a room's members receive is the same for all of them, so it needs to be
 * taken apart and checked only once, for whoever gets it first. These are the
 * newest bytes of that stream and where its frames end in it; with each other
 * member its bytes are just compared, which costs a fraction.
 *
 * Positions count bytes and frames from the time at which everybody had joined.
 */
struct reference;

struct reference *reference_create(struct inflater *inflater);

/* Bytes, and messages with a mark, until now. */
uint64_t reference_head(const struct reference *reference);
uint64_t reference_messages(const struct reference *reference);

void reference_append(struct reference *reference, const char *data, size_t size);

/* Whether these bytes stand at position. All of them must be known, and not so old that they are gone. */
bool reference_equals(const struct reference *reference, uint64_t position, const char *data,
		      size_t size);

/* The mark of frame number *frame, if it ends at or before position; then *frame is counted up. */
bool reference_next(const struct reference *reference, uint64_t *frame, uint64_t position,
		    struct mark *mark);

/*
 * For a member whose stream is another from position on: what it expects of each
 * sender there, and the bytes of an unfinished frame. Returns how many messages
 * it has had.
 */
uint64_t reference_leave(const struct reference *reference, uint64_t position,
			 uint32_t expected[SENDERS_MAX], struct frames *frames);
