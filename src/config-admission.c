#include "config-admission.h"

#include "config.h"

#include <ctype.h>
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

struct header_list {
	struct config_header *headers;
	size_t n;
};

static int read_header(const struct reader *reader, const char *path, const char *name,
		       struct json_object *value, struct config_header *header)
{
	if (!reader_is_token(name))
		return reader_fail(reader, path,
				   "not the name of a header, expected letters, digits and -");
	if (!value || json_object_is_type(value, json_type_boolean)) {
		if (!json_object_get_boolean(value))
			return reader_fail_expected(
				reader, path, value,
				"true (must be there) or the value it must have");
	} else {
		int r = reader_check_string(reader, path, value,
					    "true (must be there) or the value it must have");

		if (r < 0)
			return r;
		header->value = strdup(json_object_get_string(value));
		if (!header->value)
			return -ENOMEM;
	}
	header->name = strdup(name);
	if (!header->name)
		return -ENOMEM;
	for (char *p = header->name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return 0;
}

static int read_headers(const struct reader *reader, const char *path, struct json_object *value,
			const struct field *field, void *target)
{
	struct header_list list = {0};

	if (!json_object_is_type(value, json_type_object))
		return reader_fail_expected(reader, path, value, "an object of header names");
	list.headers =
		calloc((size_t)json_object_object_length(value) + 1, sizeof(struct config_header));
	if (!list.headers)
		return -ENOMEM;
	json_object_object_foreach(value, name, wanted) {
		char header_path[READER_PATH_SIZE];
		int r;

		reader_join_path(header_path, path, name);
		r = read_header(reader, header_path, name, wanted, &list.headers[list.n++]);
		if (r < 0) {
			free_headers(list.headers, list.n);
			return r;
		}
	}
	memcpy(target, &list, sizeof(list));
	return 0;
}

static void finish_one(struct config_admission *admission)
{
	free(admission->path);
	reader_free_strings(admission->require_query, admission->n_require_query);
	reader_free_strings(admission->origins, admission->n_origins);
	free_headers(admission->require_headers, admission->n_require_headers);
}

static struct config_admission *find(const struct config *config, const char *path)
{
	for (size_t i = 0; i < config->n_admission; i++)
		if (!strcmp(config->admission[i].path, path))
			return &config->admission[i];
	return NULL;
}

/* Fresh rules for that path, in place of those that it had. */
static struct config_admission *replace(struct config *config, const char *path)
{
	struct config_admission *admission = find(config, path);
	struct config_admission fresh = {.path = strdup(path)};

	if (!fresh.path)
		return NULL;
	if (admission) {
		finish_one(admission);
	} else {
		struct config_admission *all =
			reallocarray(config->admission, config->n_admission + 1, sizeof(*all));

		if (!all) {
			free(fresh.path);
			return NULL;
		}
		config->admission = all;
		admission = &all[config->n_admission++];
	}
	*admission = fresh;
	return admission;
}

/*
 * As browsers write it (RFC 6454 section 6.2): anything else, such as a slash at
 * the end, or a port that is the scheme's own, never equals what they send.
 */
static bool is_origin(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char scheme[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789+-.";
	static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-._";
	size_t n = strspn(text, scheme);
	const char *end;

	if (!strcmp(text, "*") || !strcmp(text, "null"))
		return true;
	if (!n || !strchr(letters, *text) || strncmp(text + n, "://", 3) != 0)
		return false;
	end = text + n + 3;
	if (*end == '[') {
		end += 1 + strspn(end + 1, "0123456789abcdefABCDEF:.");
		if (*end++ != ']')
			return false;
	} else {
		size_t length = strspn(end, host);

		if (!length)
			return false;
		end += length;
	}
	if (!*end)
		return true;
	if (*end != ':' || !end[1] || end[1 + strspn(end + 1, "0123456789")])
		return false;
	return !(!strncasecmp(text, "http://", 7) && !strcmp(end, ":80")) &&
	       !(!strncasecmp(text, "https://", 8) && !strcmp(end, ":443"));
}

static int read_origins(const struct reader *reader, const char *path, struct json_object *value,
			const struct field *field, void *target)
{
	int r = reader_strings(reader, path, value, field, target);

	for (size_t i = 0; !r && i < json_object_array_length(value); i++) {
		struct json_object *origin = json_object_array_get_idx(value, i);
		char entry[READER_PATH_SIZE];

		reader_index_path(entry, path, i);
		if (!is_origin(json_object_get_string(origin)))
			r = reader_fail_expected(
				reader, entry, origin,
				"\"*\", or an origin as browsers write it, such as "
				"https://example.org or http://localhost:5173: without a path or a "
				"slash at the end, or a port that goes without saying");
	}
	return r;
}

#define ADMISSION(member) offsetof(struct config_admission, member)

static const struct field admission_fields[] = {
	{.key = "require_query", .read = reader_strings, .offset = ADMISSION(require_query)},
	{.key = "origins", .read = read_origins, .offset = ADMISSION(origins)},
	{.key = "require_headers", .read = read_headers, .offset = ADMISSION(require_headers)},
	{0},
};

/* A key that comes twice would leak the first value: json-c keeps the last one only, so none does. */
int config_read_admission(const struct reader *reader, const char *path, struct json_object *value,
			  const struct field *field, void *target)
{
	static const struct field rules = {.fields = admission_fields};

	if (!json_object_is_type(value, json_type_object))
		return reader_fail_expected(reader, path, value, "an object of endpoint paths");
	json_object_object_foreach(value, endpoint, wanted) {
		char endpoint_path[READER_PATH_SIZE];
		struct config_admission *admission;
		int r;

		reader_join_path(endpoint_path, path, endpoint);
		if (endpoint[0] != '/')
			return reader_fail(reader, endpoint_path,
					   "not a path, expected one that starts with /");
		admission = replace(target, endpoint);
		if (!admission)
			return -ENOMEM;
		r = reader_object(reader, endpoint_path, wanted, &rules, admission);
		if (r < 0)
			return r;
	}
	return 0;
}

void config_admission_finish(struct config *config)
{
	for (size_t i = 0; i < config->n_admission; i++)
		finish_one(&config->admission[i]);
	free(config->admission);
}

const struct config_admission *config_admission_for(const struct config *config, const char *path)
{
	return find(config, path);
}
