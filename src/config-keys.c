#include "config-keys.h"

#include <json-c/json.h>
#include <limits.h>
#include <string.h>

/* Deeper than json-c goes. */
#define DEPTH_MAX 64

struct scan {
	const char *text;
	size_t size;
	size_t depth;
	struct json_object *keys[DEPTH_MAX]; /* of each object around; NULL: it is an array */
};

/* Where the string ends that begins there: behind its quotation mark. */
static size_t end_of_string(const struct scan *scan, size_t at)
{
	for (at++; at < scan->size && scan->text[at] != '"'; at++)
		at += scan->text[at] == '\\';
	return at < scan->size ? at + 1 : scan->size;
}

static bool is_key(const struct scan *scan, size_t end)
{
	while (end < scan->size && strchr(" \t\r\n", scan->text[end]))
		end++;
	return end < scan->size && scan->text[end] == ':' && scan->depth &&
	       scan->keys[scan->depth - 1];
}

/* Whether the object has had it before: as it is meant, however it is written. */
static bool is_second(struct json_object *keys, const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *key = NULL;
	bool is = false;

	if (tokener && size < INT_MAX)
		key = json_tokener_parse_ex(tokener, text, (int)size);
	if (key) {
		const char *name = json_object_get_string(key);

		is = json_object_object_get_ex(keys, name, NULL);
		json_object_object_add(keys, name, NULL);
	}
	json_object_put(key);
	if (tokener)
		json_tokener_free(tokener);
	return is;
}

static bool find(struct scan *scan, size_t *at)
{
	for (size_t i = 0; i < scan->size; i++) {
		char c = scan->text[i];
		size_t end;

		if (c == '{' || c == '[') {
			if (scan->depth == DEPTH_MAX)
				return false;
			scan->keys[scan->depth++] = c == '{' ? json_object_new_object() : NULL;
		} else if ((c == '}' || c == ']') && scan->depth) {
			json_object_put(scan->keys[--scan->depth]);
		} else if (c == '"') {
			end = end_of_string(scan, i);
			if (is_key(scan, end) &&
			    is_second(scan->keys[scan->depth - 1], scan->text + i, end - i)) {
				*at = i;
				return true;
			}
			i = end - 1;
		}
	}
	return false;
}

bool config_find_duplicate(const char *text, size_t size, size_t *at)
{
	struct scan scan = {.text = text, .size = size};
	bool found = find(&scan, at);

	while (scan.depth)
		json_object_put(scan.keys[--scan.depth]);
	return found;
}
