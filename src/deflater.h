#pragma once

#include <stddef.h>

/*
 * Compresses messages for permessage-deflate (RFC 7692) without context
 * takeover: each by itself, so that one result does for every receiver whose
 * window is at least DEFLATER_WINDOW_BITS. One thread at a time.
 */
struct deflater;

#define DEFLATER_WINDOW_BITS 12

/* Shorter messages are not worth it. */
#define DEFLATER_MIN_SIZE 64

/* Returns 0 or -ENOMEM. */
int deflater_create(struct deflater **deflaterp);
void deflater_destroy(struct deflater *deflater);

/*
 * Writes the payload of a compressed frame to out, which has room for size
 * bytes. Returns its length; 0 where it wouldn't be shorter than that.
 */
size_t deflater_run(struct deflater *deflater, const void *message, size_t message_size, void *out,
		    size_t size);
