#include "message.h"

#include "utf8.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* RFC 3339 with milliseconds, in UTC. */
static void format_time(char *out, size_t size, int64_t milliseconds)
{
	time_t seconds = (time_t)(milliseconds / 1000);
	struct tm utc;
	size_t n;

	gmtime_r(&seconds, &utc);
	n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out + n, size - n, ".%03dZ", (int)(milliseconds % 1000));
}

static int64_t now_in_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

/* The members of an object without its braces. Takes the reference. */
static char *members_of(struct json_object *object, size_t *size)
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

char *message_compose(const char *sender, const char *text, size_t text_size, size_t *size)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return NULL;
	json_object_object_add_ex(object, "sender", json_object_new_string(sender),
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
	json_object_object_add_ex(object, "message",
				  json_object_new_string_len(text, (int)text_size),
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
	return members_of(object, size);
}

size_t message_encode(const struct journal_entry *entry, char *buffer, size_t size)
{
	char time[40];
	char *p = buffer;
	int tail;

	if (entry->size + 128 > size)
		return entry->size + 128;
	format_time(time, sizeof(time), entry->time);
	*p++ = '{';
	p = mempcpy(p, entry->payload, entry->size);
	tail = snprintf(p, size - (size_t)(p - buffer), ",\"seq\":%" PRIu64 ",\"time\":\"%s\"}",
			entry->sequence, time);
	return (size_t)(p - buffer) + (size_t)tail;
}

char *message_notice(const char *text, size_t *size)
{
	size_t payload_size;
	char *payload = message_compose(MESSAGE_SERVER, text, strlen(text), &payload_size);
	char time[40];
	char *notice;
	int n;

	if (!payload)
		return NULL;
	format_time(time, sizeof(time), now_in_milliseconds());
	n = asprintf(&notice, "{%s,\"time\":\"%s\"}", payload, time);
	free(payload);
	if (n < 0)
		return NULL;
	*size = (size_t)n;
	return notice;
}

char *message_error(const char *text, size_t *size)
{
	char *error;
	int n = asprintf(&error, "{\"sender\":\"" MESSAGE_SERVER "\",\"error\":\"%s\"}", text);

	if (n < 0)
		return NULL;
	*size = (size_t)n;
	return error;
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

struct json_object *message_parse(struct json_tokener *tokener, const char *text, size_t size,
				  struct json_object **root, const char **error)
{
	struct json_object *message;

	*root = NULL;
	json_tokener_reset(tokener);
	if (size < INT_MAX)
		*root = json_tokener_parse_ex(tokener, text, (int)size);
	if (!json_object_is_type(*root, json_type_object) ||
	    json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != size) {
		*error = "expected a JSON object with a message";
		return NULL;
	}
	message = json_object_object_get(*root, "message");
	*error = message_check(message);
	return *error ? NULL : message;
}
