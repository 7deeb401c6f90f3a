#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Reads JSON into structs, and says where it is wrong.
 *
 * The shape of the JSON is a tree of tables: a field names its key, the function
 * that reads its value, and where in its parent's struct the value goes. Such a
 * function gets the value with the path of keys that led there, so that an error
 * can name it. They all return 0, -EINVAL with the error in words, or -ENOMEM.
 */
struct reader {
	const char *name; /* what errors call the text: a file's name */
	char *error;
	size_t error_size;
};

struct field {
	const char *key;
	int (*read)(const struct reader *reader, const char *path, struct json_object *value,
		    const struct field *field, void *target);
	size_t offset;
	unsigned min, max;	    /* of numbers */
	const char *const *choices; /* of words, ended by NULL */
	const struct field *fields; /* of objects, ended by a NULL key */
};

#define READER_PATH_SIZE 256

/* Parses the text, which must be an object of that shape, into target. */
int reader_parse(const struct reader *reader, const char *text, size_t size,
		 const struct field *shape, void *target);

/* An error at that path; returns -EINVAL. */
int reader_fail(const struct reader *reader, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An error that names what was found there, and what was expected instead; returns -EINVAL. */
int reader_fail_expected(const struct reader *reader, const char *path, struct json_object *value,
			 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The path of an object's member, and of an array's element. */
void reader_join_path(char out[READER_PATH_SIZE], const char *path, const char *key);
void reader_index_path(char out[READER_PATH_SIZE], const char *path, size_t i);

/* Whether the value is a string that isn't empty and has no NUL inside. */
int reader_check_string(const struct reader *reader, const char *path, struct json_object *value,
			const char *expected);

/* RFC 9110 section 5.6.2: what the name of a header, and that of a cookie, is made of. */
bool reader_is_token(const char *text);

/* What struct field's read may be. The target of a string is a char *, which is replaced. */
int reader_number(const struct reader *reader, const char *path, struct json_object *value,
		  const struct field *field, void *target);
int reader_string(const struct reader *reader, const char *path, struct json_object *value,
		  const struct field *field, void *target);
int reader_boolean(const struct reader *reader, const char *path, struct json_object *value,
		   const struct field *field, void *target);

/* The target is an enum whose values are the choices' places. */
int reader_choice(const struct reader *reader, const char *path, struct json_object *value,
		  const struct field *field, void *target);

/* Members that the JSON doesn't have keep what the target holds; unknown ones are an error. */
int reader_object(const struct reader *reader, const char *path, struct json_object *value,
		  const struct field *field, void *target);

/* The target is a char ** followed by its count, a size_t; both are overwritten. */
int reader_strings(const struct reader *reader, const char *path, struct json_object *value,
		   const struct field *field, void *target);

void reader_free_strings(char **strings, size_t n);
int reader_set_string(char **stringp, const char *value);
