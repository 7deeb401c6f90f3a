#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "reference.h"

/* The messages that the client sends: a mark, and words up to the size. */
struct messages;

/* chat: {"message":"…"} instead of the text alone. */
struct messages *messages_create(size_t size, bool chat);

/* The most bytes that messages_put() writes. */
size_t messages_room(const struct messages *messages);

/* Writes a message with its frame; returns its size. */
size_t messages_put(const struct messages *messages, struct mark mark, char *to);

/* Whether text is what messages_put() writes for that mark, without its frame. Not for a chat. */
bool messages_equal(const struct messages *messages, struct mark mark, const char *text,
		    size_t size);
