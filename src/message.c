#include "message.h"

#include "json-scan.h"
#include "utf8.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* RFC 3339 with milliseconds, in UTC: 2026-01-02T03:04:05.678Z, without a NUL. */
#define TIME_SIZE 24

/* Of a second that is put together once, since messages come many in one second. */
static void put_time(char out[TIME_SIZE], int64_t milliseconds)
{
	static _Thread_local char text[TIME_SIZE];
	static _Thread_local time_t at = -1;
	time_t seconds = (time_t)(milliseconds / 1000);
	unsigned rest = (unsigned)(milliseconds % 1000);
	struct tm utc;

	if (seconds != at) {
		at = seconds;
		gmtime_r(&seconds, &utc);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	}
	memcpy(out, text, TIME_SIZE);
	out[19] = '.';
	out[20] = (char)('0' + rest / 100);
	out[21] = (char)('0' + rest / 10 % 10);
	out[22] = (char)('0' + rest % 10);
	out[23] = 'Z';
}

static char *put_number(char *out, uint64_t number)
{
	char digits[20];
	size_t n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return mempcpy(out, digits + n, sizeof(digits) - n);
}

static int64_t now_in_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

char *message_of_json(struct json_object *object, size_t *size)
{
	const char *json = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, size);
	char *text = json ? strndup(json, *size) : NULL;

	json_object_put(object);
	return text;
}

char *message_payload_of_json(struct json_object *object, size_t *size)
{
	const char *json = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, size);
	char *members = NULL;

	if (json) {
		*size -= 2;
		members = strndup(json + 1, *size);
	}
	json_object_put(object);
	return members;
}

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add_ex(object, key, value,
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
}

char *message_compose(const char *sender, const char *text, size_t text_size, size_t *size)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	add(object, "type", json_object_new_string_len("message", 7));
	add(object, "sender", json_object_new_string(sender));
	add(object, "message", json_object_new_string_len(text, (int)text_size));
	return message_payload_of_json(object, size);
}

size_t message_encode(const struct journal_entry *entry, char *buffer, size_t size)
{
	char *p = buffer;

	if (entry->size + MESSAGE_ENCODE_EXTRA > size)
		return entry->size + MESSAGE_ENCODE_EXTRA;
	*p++ = '{';
	p = mempcpy(p, entry->payload, entry->size);
	p = mempcpy(p, ",\"seq\":", 7);
	p = put_number(p, entry->sequence);
	p = mempcpy(p, ",\"time\":\"", 9);
	put_time(p, entry->time);
	p = mempcpy(p + TIME_SIZE, "\"}", 2);
	return (size_t)(p - buffer);
}

static const char said[] = "\"type\":\"message\",";

static uint64_t mix(uint64_t tag, uint64_t value)
{
	tag = (tag ^ value) * 0x9e3779b97f4a7c15;
	return tag ^ tag >> 29;
}

uint64_t message_tag(uint64_t tag, const struct journal_entry *entry)
{
	bool is_whole =
		entry->size >= sizeof(said) - 1 && !memcmp(entry->payload, said, sizeof(said) - 1);

	tag = mix(tag, entry->sequence);
	tag = mix(tag, (uint64_t)entry->time);
	return mix(tag, entry->size * 2 + is_whole);
}

void message_redact(uint64_t sequence, struct journal_redaction *redaction)
{
	static const char stub[] = "\"type\":\"deleted\",\"sender\":\"" MESSAGE_SERVER
				   "\",\"message\":\"message deleted\"";

	*redaction = (struct journal_redaction){
		.sequence = sequence,
		.prefix = said,
		.prefix_size = sizeof(said) - 1,
		.payload = stub,
		.size = sizeof(stub) - 1,
	};
}

char *message_notice(const char *text, size_t *size)
{
	struct json_object *object = json_object_new_object();
	char time[TIME_SIZE];

	if (!object)
		return NULL;
	put_time(time, now_in_milliseconds());
	add(object, "sender", json_object_new_string(MESSAGE_SERVER));
	add(object, "message", json_object_new_string(text));
	add(object, "time", json_object_new_string_len(time, sizeof(time)));
	return message_of_json(object, size);
}

char *message_error_plain(const struct message_error *error, size_t *size)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	add(object, "sender", json_object_new_string(MESSAGE_SERVER));
	add(object, "error", json_object_new_string(error->text));
	return message_of_json(object, size);
}

char *message_error_rich(const struct message_error *error, size_t *size)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	add(object, "type", json_object_new_string("error"));
	add(object, "code", json_object_new_string(error->code));
	add(object, "message", json_object_new_string(error->text));
	if (error->id)
		add(object, "id", json_object_new_string(error->id));
	return message_of_json(object, size);
}

const char *message_check(struct json_object *text)
{
	int count;

	if (!json_object_is_type(text, json_type_string))
		return "message: expected a string";
	if (!json_object_get_string_len(text))
		return "message: expected a string that is not empty";
	count = utf8_count(json_object_get_string(text), (size_t)json_object_get_string_len(text));
	if (count < 0)
		return "message: expected well-formed Unicode";
	if (count > MESSAGE_MAX_CODE_POINTS)
		return "message: expected at most 4096 characters";
	return NULL;
}

bool message_fits(struct json_object *text, unsigned max)
{
	int count =
		utf8_count(json_object_get_string(text), (size_t)json_object_get_string_len(text));

	return count >= 0 && (unsigned)count <= max;
}

struct json_object *message_parse(struct json_tokener *tokener, const char *text, size_t size)
{
	struct json_object *root = NULL;

	json_tokener_reset(tokener);
	if (size < INT_MAX && json_scan_fits(text, size, MESSAGE_VALUES_MAX))
		root = json_tokener_parse_ex(tokener, text, (int)size);
	if (json_object_is_type(root, json_type_object) &&
	    json_tokener_get_error(tokener) == json_tokener_success &&
	    json_tokener_get_parse_end(tokener) == size)
		return root;
	json_object_put(root);
	return NULL;
}
