#include "config-files.h"

#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void free_headers(struct config_header *headers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(headers[i].name);
		free(headers[i].value);
	}
	free(headers);
}

static void free_rules(struct config_file_headers *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(rules[i].match);
		free_headers(rules[i].headers, rules[i].n_headers);
	}
	free(rules);
}

static void free_types(struct config_file_type *types, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(types[i].ending);
		free(types[i].type);
	}
	free(types);
}

void config_files_finish(struct config_files *files)
{
	free_rules(files->headers, files->n_headers);
	free_types(files->types, files->n_types);
	free(files->fallback);
	free(files->not_found);
	*files = (struct config_files){0};
}

/* What can stand in a header's value (RFC 9110 section 5.5). */
static int read_text(const struct reader *reader, const char *path, struct json_object *value,
		     char **target)
{
	static const char expected[] = "a string that is not empty, without control characters";
	int r = reader_check_string(reader, path, value, expected);

	if (r < 0)
		return r;
	for (const char *p = json_object_get_string(value); *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return reader_fail_expected(reader, path, value, "%s", expected);
	return reader_set_string(target, json_object_get_string(value));
}

/* What only the server knows, and what is said elsewhere. */
static int check_header(const struct reader *reader, const char *path, const char *name)
{
	static const struct {
		const char *name;
		const char *instead;
	} reserved[] = {
		{"accept-ranges", NULL},
		{"connection", NULL},
		{"content-encoding", NULL},
		{"content-length", NULL},
		{"content-range", NULL},
		{"content-type", "files.types"},
		{"date", NULL},
		{"etag", NULL},
		{"keep-alive", NULL},
		{"last-modified", NULL},
		{"strict-transport-security", "listen[].tls.hsts_seconds"},
		{"trailer", NULL},
		{"transfer-encoding", NULL},
		{"upgrade", NULL},
		{"x-content-type-options", NULL},
	};

	if (!reader_is_token(name))
		return reader_fail(reader, path,
				   "not the name of a header, expected letters, digits and -");
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (!strcasecmp(name, reserved[i].name))
			return reader_fail(reader, path,
					   "found a header of the server's own, "
					   "expected %s",
					   reserved[i].instead ? reserved[i].instead : "another");
	return 0;
}

static int read_headers(const struct reader *reader, const char *path, struct json_object *value,
			const struct field *field, void *target)
{
	struct config_file_headers *rule = target;

	if (!json_object_is_type(value, json_type_object))
		return reader_fail_expected(reader, path, value, "an object of header names");
	rule->headers =
		calloc((size_t)json_object_object_length(value) + 1, sizeof(*rule->headers));
	if (!rule->headers)
		return -ENOMEM;
	json_object_object_foreach(value, name, text) {
		struct config_header *header = &rule->headers[rule->n_headers++];
		char header_path[READER_PATH_SIZE];
		int r;

		reader_join_path(header_path, path, name);
		r = check_header(reader, header_path, name);
		if (!r)
			r = read_text(reader, header_path, text, &header->value);
		if (!r)
			r = reader_set_string(&header->name, name);
		if (r < 0)
			return r;
	}
	return 0;
}

#define RULE(member) offsetof(struct config_file_headers, member)

static const struct field rule_fields[] = {
	{.key = "match", .read = reader_string, .offset = RULE(match)},
	{.key = "headers", .read = read_headers},
	{0},
};

static int read_rules(const struct reader *reader, const char *path, struct json_object *value,
		      const struct field *field, void *target)
{
	static const struct field shape = {.fields = rule_fields};
	struct config_files *files = target;
	size_t n;

	if (!json_object_is_type(value, json_type_array))
		return reader_fail_expected(reader, path, value,
					    "an array of {\"match\", \"headers\"}");
	n = json_object_array_length(value);
	free_rules(files->headers, files->n_headers);
	files->n_headers = 0;
	files->headers = calloc(n + 1, sizeof(*files->headers));
	if (!files->headers)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct config_file_headers *rule = &files->headers[files->n_headers++];
		char rule_path[READER_PATH_SIZE];
		int r;

		reader_index_path(rule_path, path, i);
		r = reader_object(reader, rule_path, json_object_array_get_idx(value, i), &shape,
				  rule);
		if (r < 0)
			return r;
		if (!rule->match || !rule->headers)
			return reader_fail(reader, rule_path, "expected both match and headers");
	}
	return 0;
}

static int read_types(const struct reader *reader, const char *path, struct json_object *value,
		      const struct field *field, void *target)
{
	struct config_files *files = target;

	if (!json_object_is_type(value, json_type_object))
		return reader_fail_expected(reader, path, value,
					    "an object such as "
					    "{\".glb\": \"model/gltf-binary\"}");
	free_types(files->types, files->n_types);
	files->n_types = 0;
	files->types = calloc((size_t)json_object_object_length(value) + 1, sizeof(*files->types));
	if (!files->types)
		return -ENOMEM;
	json_object_object_foreach(value, ending, type) {
		struct config_file_type *entry = &files->types[files->n_types++];
		char type_path[READER_PATH_SIZE];
		int r;

		reader_join_path(type_path, path, ending);
		if (ending[0] != '.' || !ending[1] || strchr(ending, '/'))
			return reader_fail(reader, type_path,
					   "not the ending of a name, expected one such as .glb");
		r = read_text(reader, type_path, type, &entry->type);
		if (!r && entry->type && !strchr(entry->type, '/'))
			r = reader_fail_expected(reader, type_path, type,
						 "a media type such as model/gltf-binary");
		if (!r)
			r = reader_set_string(&entry->ending, ending);
		if (r < 0)
			return r;
	}
	return 0;
}

/* From the root, whether it is written with a slash in front or without. */
static int read_file(const struct reader *reader, const char *path, struct json_object *value,
		     const struct field *field, void *target)
{
	static const char expected[] = "the path of a file in www";
	int r = reader_check_string(reader, path, value, expected);
	const char *file;

	if (r < 0)
		return r;
	file = json_object_get_string(value);
	file += strspn(file, "/");
	if (!*file || file[strlen(file) - 1] == '/')
		return reader_fail_expected(reader, path, value, "%s", expected);
	return reader_set_string(target, file);
}

#define FILES(member) offsetof(struct config_files, member)

static const struct field files_fields[] = {
	{.key = "headers", .read = read_rules},
	{.key = "types", .read = read_types},
	{.key = "fallback", .read = read_file, .offset = FILES(fallback)},
	{.key = "not_found", .read = read_file, .offset = FILES(not_found)},
	{0},
};

int config_read_files(const struct reader *reader, const char *path, struct json_object *value,
		      const struct field *field, void *target)
{
	static const struct field shape = {.fields = files_fields};

	return reader_object(reader, path, value, &shape, target);
}
