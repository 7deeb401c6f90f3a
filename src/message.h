#pragma once

#include "journal.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What a chat's members see, as JSON text. A message is
 *
 *     {"type":"message","sender":"ann","message":"hi","seq":42,"time":"2026-01-02T03:04:05.678Z"}
 *
 * What the journal keeps of it, the payload, is the part that the sender
 * determines, with its quotes and escapes in place, so that a message is
 * serialised once in its life.
 *
 * Functions that return text return a string to be freed, with its length in
 * *size, or NULL: out of memory.
 */

#define MESSAGE_MAX_CODE_POINTS 4096

/* Of what a client sends: its text, each character as two escapes, and room for the rest. */
#define MESSAGE_BYTES_MAX (12 * MESSAGE_MAX_CODE_POINTS + 4096)

/* Values in it, see json-scan.h. */
#define MESSAGE_VALUES_MAX 1000

/* Of the id that a client gives a message. */
#define MESSAGE_ID_MAX 64

/* Who speaks when the server itself does. */
#define MESSAGE_SERVER "__server"

/* The payload of text said by sender, both well-formed UTF-8. */
char *message_compose(const char *sender, const char *text, size_t text_size, size_t *size);

/* By which a message is at most longer than its payload. */
#define MESSAGE_ENCODE_EXTRA 128

/* A room_encode_fn. */
size_t message_encode(const struct journal_entry *entry, char *buffer, size_t size);

/* A notice from the server, such as "ann joined", with the time but no sequence. */
char *message_notice(const char *text, size_t *size);

/* Why something that a client sent is not taken. */
struct message_error {
	const char *code; /* a word for programs */
	const char *text; /* and for people */
	const char *id;	  /* of what was sent, or NULL */
};

/* What the sender of something wrong gets, as plain clients and as rich ones do. */
char *message_error_plain(const struct message_error *error, size_t *size);
char *message_error_rich(const struct message_error *error, size_t *size);

/* The object as text. Takes the reference. */
char *message_of_json(struct json_object *object, size_t *size);

/* The same without the braces, as a payload is. */
char *message_payload_of_json(struct json_object *object, size_t *size);

/*
 * Makes nothing be left of a message but that there was one:
 *
 *     {"type":"deleted","sender":"__server","message":"message deleted","seq":42,"time":…}
 *
 * Only what somebody has said can be deleted.
 */
void message_redact(uint64_t sequence, struct journal_redaction *redaction);

/*
 * Takes a kept message into a tag of some of one room: what they are as text
 * can't change, as by message_redact(), without the tag being another one. All
 * but a payload's first bytes stays unread.
 */
uint64_t message_tag(uint64_t tag, const struct journal_entry *entry);

/* What is wrong with the text of a message, or NULL: it is a string of 1 to MESSAGE_MAX_CODE_POINTS. */
const char *message_check(struct json_object *text);

/* The same, but for its being too long: whether it has at most so many code points. */
bool message_fits(struct json_object *text, unsigned max);

/*
 * One object, whole and nothing but it, with at most MESSAGE_VALUES_MAX values;
 * NULL: it is something else. To be put.
 */
struct json_object *message_parse(struct json_tokener *tokener, const char *text, size_t size);
