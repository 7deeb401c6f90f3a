#include "config-reader.h"

#include "config-keys.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int reader_fail(const struct reader *reader, const char *path, const char *format, ...)
{
	char *text = reader->error;
	size_t size = reader->error_size;
	va_list args;
	int n = snprintf(text, size, *path ? "%s: %s: " : "%s: %s", reader->name, path);

	va_start(args, format);
	if (n >= 0 && (size_t)n < size)
		vsnprintf(text + n, size - (size_t)n, format, args);
	va_end(args);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?'; /* a key, or the file's name, may hold anything: the error stays one line */
	return -EINVAL;
}

/* "found "x" (a string)": enough of the value to recognise it by. */
int reader_fail_expected(const struct reader *reader, const char *path, struct json_object *value,
			 const char *format, ...)
{
	static const char *const types[] = {
		[json_type_null] = "null",	  [json_type_boolean] = "a boolean",
		[json_type_double] = "a number",  [json_type_int] = "a number",
		[json_type_object] = "an object", [json_type_array] = "an array",
		[json_type_string] = "a string",
	};
	enum json_type type = json_object_get_type(value);
	char expected[256];
	va_list args;

	va_start(args, format);
	vsnprintf(expected, sizeof(expected), format, args);
	va_end(args);
	if (type == json_type_object || type == json_type_array || type == json_type_null)
		return reader_fail(reader, path, "found %s, expected %s", types[type], expected);
	return reader_fail(reader, path, "found %.60s (%s), expected %s",
			   json_object_to_json_string_ext(
				   value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
			   types[type], expected);
}

void reader_join_path(char out[READER_PATH_SIZE], const char *path, const char *key)
{
	snprintf(out, READER_PATH_SIZE, *path ? "%s.%s" : "%s%s", path, key);
}

void reader_index_path(char out[READER_PATH_SIZE], const char *path, size_t i)
{
	snprintf(out, READER_PATH_SIZE, "%s[%zu]", path, i);
}

static void *member_at(void *target, size_t offset)
{
	return (char *)target + offset;
}

int reader_set_string(char **stringp, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*stringp);
	*stringp = copy;
	return 0;
}

int reader_number(const struct reader *reader, const char *path, struct json_object *value,
		  const struct field *field, void *target)
{
	int64_t number = json_object_get_int64(value);

	if (!json_object_is_type(value, json_type_int) || number < field->min ||
	    number > field->max)
		return reader_fail_expected(reader, path, value, "a whole number from %u to %u",
					    field->min, field->max);
	*(unsigned *)target = (unsigned)number;
	return 0;
}

int reader_check_string(const struct reader *reader, const char *path, struct json_object *value,
			const char *expected)
{
	if (!json_object_is_type(value, json_type_string) || !json_object_get_string_len(value) ||
	    strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
		return reader_fail_expected(reader, path, value, "%s", expected);
	return 0;
}

bool reader_is_token(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("!#$%&'*+-.^_`|~", *p))
			return false;
	return *text != '\0';
}

int reader_string(const struct reader *reader, const char *path, struct json_object *value,
		  const struct field *field, void *target)
{
	int r = reader_check_string(reader, path, value, "a string that is not empty");

	return r < 0 ? r : reader_set_string(target, json_object_get_string(value));
}

int reader_boolean(const struct reader *reader, const char *path, struct json_object *value,
		   const struct field *field, void *target)
{
	if (!json_object_is_type(value, json_type_boolean))
		return reader_fail_expected(reader, path, value, "true or false");
	*(bool *)target = json_object_get_boolean(value);
	return 0;
}

/* Adds to the text in out; what doesn't fit is cut off. */
static void append(char *out, size_t size, const char *before, const char *text, const char *after)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%s%s%s", before, text, after);
}

int reader_choice(const struct reader *reader, const char *path, struct json_object *value,
		  const struct field *field, void *target)
{
	char expected[128] = "one of";

	for (int i = 0; field->choices[i]; i++) {
		if (json_object_is_type(value, json_type_string) &&
		    strlen(field->choices[i]) == (size_t)json_object_get_string_len(value) &&
		    !strcmp(json_object_get_string(value), field->choices[i])) {
			memcpy(target, &i, sizeof(i));
			return 0;
		}
		append(expected, sizeof(expected), i ? ", \"" : " \"", field->choices[i], "\"");
	}
	return reader_fail_expected(reader, path, value, "%s", expected);
}

static int fail_unknown_key(const struct reader *reader, const char *path,
			    const struct field *fields)
{
	char expected[256] = "";

	for (const struct field *field = fields; field->key; field++)
		append(expected, sizeof(expected), *expected ? ", " : "", field->key, "");
	return reader_fail(reader, path, "unknown key, expected one of %s", expected);
}

int reader_object(const struct reader *reader, const char *path, struct json_object *value,
		  const struct field *field, void *target)
{
	if (!json_object_is_type(value, json_type_object))
		return reader_fail_expected(reader, path, value, "an object");
	json_object_object_foreach(value, key, member) {
		const struct field *f = field->fields;
		char member_path[READER_PATH_SIZE];
		int r;

		reader_join_path(member_path, path, key);
		while (f->key && strcmp(f->key, key))
			f++;
		if (!f->key)
			return fail_unknown_key(reader, member_path, field->fields);
		r = f->read(reader, member_path, member, f, member_at(target, f->offset));
		if (r < 0)
			return r;
	}
	return 0;
}

void reader_free_strings(char **strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(strings[i]);
	free(strings);
}

/* The target is a char ** with its count in the size_t that follows it. */
struct string_list {
	char **strings;
	size_t n;
};

int reader_strings(const struct reader *reader, const char *path, struct json_object *value,
		   const struct field *field, void *target)
{
	struct string_list list = {0};
	size_t n;

	if (!json_object_is_type(value, json_type_array))
		return reader_fail_expected(reader, path, value, "an array of strings");
	n = json_object_array_length(value);
	list.strings = calloc(n + 1, sizeof(char *));
	if (!list.strings)
		return -ENOMEM;
	for (; list.n < n; list.n++) {
		char item_path[READER_PATH_SIZE];
		int r;

		reader_index_path(item_path, path, list.n);
		r = reader_string(reader, item_path, json_object_array_get_idx(value, list.n), NULL,
				  &list.strings[list.n]);
		if (r < 0) {
			reader_free_strings(list.strings, list.n);
			return r;
		}
	}
	memcpy(target, &list, sizeof(list));
	return 0;
}

static int fail_at(const struct reader *reader, const char *text, size_t at, const char *what)
{
	size_t line = 1, column = 1;
	char where[64];

	for (size_t i = 0; i < at; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	snprintf(where, sizeof(where), "line %zu, column %zu", line, column);
	return reader_fail(reader, where, "%s", what);
}

static int fail_syntax(const struct reader *reader, const char *text, size_t at, const char *what)
{
	char words[128];

	snprintf(words, sizeof(words), "%s, expected JSON", what);
	return fail_at(reader, text, at, words);
}

static int fail_duplicate(const struct reader *reader, const char *text, size_t size, size_t at)
{
	char words[160];
	size_t n = 1;

	while (at + n < size && text[at + n] != '"')
		n += text[at + n] == '\\' ? 2 : 1;
	snprintf(words, sizeof(words),
		 "found \"%.*s\" a second time in the object, expected it once",
		 n < 60 ? (int)n - 1 : 59, text + at + 1);
	return fail_at(reader, text, at, words);
}

int reader_parse(const struct reader *reader, const char *text, size_t size,
		 const struct field *shape, void *target)
{
	struct json_tokener *tokener;
	struct json_object *root;
	size_t at;
	int r;

	if (size > INT_MAX)
		return reader_fail(reader, "", "longer than 2 GiB");
	tokener = json_tokener_new();
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, text, (int)size);
	if (json_tokener_get_error(tokener) == json_tokener_continue) {
		r = fail_syntax(reader, text, size, "found the end");
	} else if (json_tokener_get_error(tokener) != json_tokener_success) {
		r = fail_syntax(reader, text, json_tokener_get_parse_end(tokener),
				json_tokener_error_desc(json_tokener_get_error(tokener)));
	} else if (json_tokener_get_parse_end(tokener) != size) {
		r = fail_syntax(reader, text, json_tokener_get_parse_end(tokener),
				"unexpected character"); /* a NUL ends it for json-c */
	} else if (!json_object_is_type(root, json_type_object)) {
		r = reader_fail_expected(reader, "", root, "an object");
	} else if (config_find_duplicate(text, size, &at)) {
		r = fail_duplicate(reader, text, size, at);
	} else {
		r = reader_object(reader, "", root, shape, target);
	}
	json_object_put(root);
	json_tokener_free(tokener);
	return r;
}
