#pragma once

#include "journal.h"

#include <json-c/json.h>
#include <stddef.h>

/*
 * The messages that a room's members see, as JSON text:
 *
 *     {"sender":"ann","message":"hi","seq":42,"time":"2026-01-02T03:04:05.678Z"}
 *
 * What the journal keeps of it, the payload, is the part that the sender
 * determines, with its quotes and escapes in place, so that a message is
 * serialised once in its life.
 */

#define MESSAGE_MAX_CODE_POINTS 4096

/* Who speaks when the server itself does. */
#define MESSAGE_SERVER "__server"

/*
 * The payload of text said by sender, both well-formed UTF-8. Returns a string
 * to be freed with its length in *size, or NULL: out of memory.
 */
char *message_compose(const char *sender, const char *text, size_t text_size, size_t *size);

/* A room_encode_fn. */
size_t message_encode(const struct journal_entry *entry, char *buffer, size_t size);

/* A notice from the server, such as "ann joined", with the time but no sequence. As message_compose(). */
char *message_notice(const char *text, size_t *size);

/* What the sender of something wrong gets; text needs no escapes. As message_compose(). */
char *message_error(const char *text, size_t *size);

/* What is wrong with the text of a message, or NULL: it is a string of 1 to MESSAGE_MAX_CODE_POINTS. */
const char *message_check(struct json_object *text);

/*
 * What a client sent: an object with the text to send in "message". Returns the
 * string, which belongs to *root, or NULL with what is wrong in *error. *root
 * is to be put in either case.
 */
struct json_object *message_parse(struct json_tokener *tokener, const char *text, size_t size,
				  struct json_object **root, const char **error);
