#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/*
 * The file's shape is a tree of tables: a field names its key, the function
 * that reads its value, and where in its parent's struct the value goes. A
 * reader gets the value with the path of keys that led there, so that an error
 * can say where it is.
 */
struct reader {
	const char *name;
	struct config_error *error;
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

#define PATH_SIZE 256

static int fail(const struct reader *reader, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(const struct reader *reader, const char *path, const char *format, ...)
{
	char *text = reader->error->text;
	size_t size = sizeof(reader->error->text);
	va_list args;
	int n = snprintf(text, size, *path ? "%s: %s: " : "%s: %s", reader->name, path);

	va_start(args, format);
	if (n >= 0 && (size_t)n < size)
		vsnprintf(text + n, size - (size_t)n, format, args);
	va_end(args);
	return -EINVAL;
}

/* "found "x" (a string)": enough of the value to recognise it by. */
static int fail_expected(const struct reader *reader, const char *path, struct json_object *value,
			 const char *format, ...) __attribute__((format(printf, 4, 5)));

static int fail_expected(const struct reader *reader, const char *path, struct json_object *value,
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
		return fail(reader, path, "found %s, expected %s", types[type], expected);
	return fail(reader, path, "found %.60s (%s), expected %s",
		    json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
								  JSON_C_TO_STRING_NOSLASHESCAPE),
		    types[type], expected);
}

static void join_path(char *out, const char *path, const char *key)
{
	snprintf(out, PATH_SIZE, *path ? "%s.%s" : "%s%s", path, key);
}

static void index_path(char *out, const char *path, size_t i)
{
	snprintf(out, PATH_SIZE, "%s[%zu]", path, i);
}

static void *member_at(void *target, size_t offset)
{
	return (char *)target + offset;
}

static int set_string(char **stringp, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*stringp);
	*stringp = copy;
	return 0;
}

static int read_number(const struct reader *reader, const char *path, struct json_object *value,
		       const struct field *field, void *target)
{
	int64_t number = json_object_get_int64(value);

	if (!json_object_is_type(value, json_type_int) || number < field->min ||
	    number > field->max)
		return fail_expected(reader, path, value, "a whole number from %u to %u",
				     field->min, field->max);
	*(unsigned *)target = (unsigned)number;
	return 0;
}

static int check_string(const struct reader *reader, const char *path, struct json_object *value,
			const char *expected)
{
	if (!json_object_is_type(value, json_type_string) || !json_object_get_string_len(value) ||
	    strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
		return fail_expected(reader, path, value, "%s", expected);
	return 0;
}

static int read_string(const struct reader *reader, const char *path, struct json_object *value,
		       const struct field *field, void *target)
{
	int r = check_string(reader, path, value, "a string that is not empty");

	return r < 0 ? r : set_string(target, json_object_get_string(value));
}

/* The target is an enum whose values are the choices' places. */
static int read_choice(const struct reader *reader, const char *path, struct json_object *value,
		       const struct field *field, void *target)
{
	char expected[128] = "one of";

	for (int i = 0; field->choices[i]; i++) {
		if (json_object_is_type(value, json_type_string) &&
		    !strcmp(json_object_get_string(value), field->choices[i])) {
			memcpy(target, &i, sizeof(i));
			return 0;
		}
		strcat(strcat(strcat(expected, i ? ", \"" : " \""), field->choices[i]), "\"");
	}
	return fail_expected(reader, path, value, "%s", expected);
}

static int fail_unknown_key(const struct reader *reader, const char *path,
			    const struct field *fields)
{
	char expected[256] = "";

	for (const struct field *field = fields; field->key; field++) {
		if (*expected)
			strcat(expected, ", ");
		strcat(expected, field->key);
	}
	return fail(reader, path, "unknown key, expected one of %s", expected);
}

static int read_object(const struct reader *reader, const char *path, struct json_object *value,
		       const struct field *field, void *target)
{
	if (!json_object_is_type(value, json_type_object))
		return fail_expected(reader, path, value, "an object");
	json_object_object_foreach(value, key, member) {
		const struct field *f = field->fields;
		char member_path[PATH_SIZE];
		int r;

		join_path(member_path, path, key);
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

static void free_strings(char **strings, size_t n)
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

static int read_strings(const struct reader *reader, const char *path, struct json_object *value,
			const struct field *field, void *target)
{
	struct string_list list = {0};
	size_t n;

	if (!json_object_is_type(value, json_type_array))
		return fail_expected(reader, path, value, "an array of strings");
	n = json_object_array_length(value);
	list.strings = calloc(n + 1, sizeof(char *));
	if (!list.strings)
		return -ENOMEM;
	for (; list.n < n; list.n++) {
		char item_path[PATH_SIZE];
		int r;

		index_path(item_path, path, list.n);
		r = read_string(reader, item_path, json_object_array_get_idx(value, list.n), NULL,
				&list.strings[list.n]);
		if (r < 0) {
			free_strings(list.strings, list.n);
			return r;
		}
	}
	memcpy(target, &list, sizeof(list));
	return 0;
}

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

/* RFC 9110 section 5.6.2: what a field's name is made of. */
static bool is_token(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("!#$%&'*+-.^_`|~", *p))
			return false;
	return *text != '\0';
}

static int read_header(const struct reader *reader, const char *path, const char *name,
		       struct json_object *value, struct config_header *header)
{
	if (!is_token(name))
		return fail(reader, path,
			    "not the name of a header, expected letters, digits and -");
	if (!value || json_object_is_type(value, json_type_boolean)) {
		if (!json_object_get_boolean(value))
			return fail_expected(reader, path, value,
					     "true (must be there) or the value it must have");
	} else {
		int r = check_string(reader, path, value,
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
		return fail_expected(reader, path, value, "an object of header names");
	list.headers =
		calloc((size_t)json_object_object_length(value) + 1, sizeof(struct config_header));
	if (!list.headers)
		return -ENOMEM;
	json_object_object_foreach(value, name, wanted) {
		char header_path[PATH_SIZE];
		int r;

		join_path(header_path, path, name);
		r = read_header(reader, header_path, name, wanted, &list.headers[list.n++]);
		if (r < 0) {
			free_headers(list.headers, list.n);
			return r;
		}
	}
	memcpy(target, &list, sizeof(list));
	return 0;
}

static void finish_admission(struct config_admission *admission)
{
	free(admission->path);
	free_strings(admission->require_query, admission->n_require_query);
	free_strings(admission->origins, admission->n_origins);
	free_headers(admission->require_headers, admission->n_require_headers);
}

static struct config_admission *find_admission(const struct config *config, const char *path)
{
	for (size_t i = 0; i < config->n_admission; i++)
		if (!strcmp(config->admission[i].path, path))
			return &config->admission[i];
	return NULL;
}

/* Fresh rules for that path, in place of those that it had. */
static struct config_admission *replace_admission(struct config *config, const char *path)
{
	struct config_admission *admission = find_admission(config, path);
	struct config_admission fresh = {.path = strdup(path)};

	if (!fresh.path)
		return NULL;
	if (admission) {
		finish_admission(admission);
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

#define ADMISSION(member) offsetof(struct config_admission, member)

static const struct field admission_fields[] = {
	{.key = "require_query", .read = read_strings, .offset = ADMISSION(require_query)},
	{.key = "origins", .read = read_strings, .offset = ADMISSION(origins)},
	{.key = "require_headers", .read = read_headers, .offset = ADMISSION(require_headers)},
	{0},
};

/* A key that comes twice would leak the first value: json-c keeps the last one only, so none does. */
static int read_admission(const struct reader *reader, const char *path, struct json_object *value,
			  const struct field *field, void *target)
{
	static const struct field rules = {.fields = admission_fields};

	if (!json_object_is_type(value, json_type_object))
		return fail_expected(reader, path, value, "an object of endpoint paths");
	json_object_object_foreach(value, endpoint, wanted) {
		char endpoint_path[PATH_SIZE];
		struct config_admission *admission;
		int r;

		join_path(endpoint_path, path, endpoint);
		if (endpoint[0] != '/')
			return fail(reader, endpoint_path,
				    "not a path, expected one that starts with /");
		admission = replace_admission(target, endpoint);
		if (!admission)
			return -ENOMEM;
		r = read_object(reader, endpoint_path, wanted, &rules, admission);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Says what would have been right, or returns NULL. */
static const char *check_address(const char *address)
{
	struct sockaddr_un un;
	struct in6_addr in6;
	struct in_addr in;

	if (!strncmp(address, "unix:", 5)) {
		if (address[5] != '/' || strlen(address + 5) >= sizeof(un.sun_path))
			return "unix: and an absolute path of at most 107 bytes";
	} else if (inet_pton(AF_INET, address, &in) != 1 &&
		   inet_pton(AF_INET6, address, &in6) != 1) {
		return "an IPv4 address, an IPv6 address or unix:/path";
	}
	return NULL;
}

static int read_address(const struct reader *reader, const char *path, struct json_object *value,
			const struct field *field, void *target)
{
	int r = read_string(reader, path, value, field, target);
	const char *expected;

	if (r < 0)
		return r;
	expected = check_address(*(char **)target);
	return expected ? fail_expected(reader, path, value, "%s", expected) : 0;
}

static void free_listen(struct config_listen *listen, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(listen[i].address);
	free(listen);
}

#define LISTEN(member) offsetof(struct config_listen, member)

static const struct field listen_fields[] = {
	{.key = "address", .read = read_address, .offset = LISTEN(address)},
	{.key = "port", .read = read_number, .offset = LISTEN(port), .min = 0, .max = 65535},
	{0},
};

static int read_listen_entry(const struct reader *reader, const char *path,
			     struct json_object *value, struct config_listen *entry)
{
	static const struct field shape = {.fields = listen_fields};
	int r;

	entry->port = 3000;
	r = read_object(reader, path, value, &shape, entry);
	if (r < 0)
		return r;
	return entry->address ? 0 : set_string(&entry->address, "::");
}

static int read_listen(const struct reader *reader, const char *path, struct json_object *value,
		       const struct field *field, void *target)
{
	struct config *config = target;
	struct config_listen *listen;
	size_t n;

	if (!json_object_is_type(value, json_type_array) || !json_object_array_length(value))
		return fail_expected(reader, path, value, "an array with at least one entry");
	n = json_object_array_length(value);
	listen = calloc(n, sizeof(*listen));
	if (!listen)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		char entry_path[PATH_SIZE];
		int r;

		index_path(entry_path, path, i);
		r = read_listen_entry(reader, entry_path, json_object_array_get_idx(value, i),
				      &listen[i]);
		if (r < 0) {
			free_listen(listen, n);
			return r;
		}
	}
	free_listen(config->listen, config->n_listen);
	config->listen = listen;
	config->n_listen = n;
	return 0;
}

#define CONFIG(member) offsetof(struct config, member)

static const struct field limits_fields[] = {
	{.key = "max_payload",
	 .read = read_number,
	 .offset = CONFIG(limits.max_payload),
	 .min = 1,
	 .max = 1 << 30},
	{.key = "max_connections",
	 .read = read_number,
	 .offset = CONFIG(limits.max_connections),
	 .min = 1,
	 .max = 1000000},
	{.key = "header_bytes",
	 .read = read_number,
	 .offset = CONFIG(limits.header_bytes),
	 .min = 1024,
	 .max = 65535},
	{.key = "handshake_seconds",
	 .read = read_number,
	 .offset = CONFIG(limits.handshake_seconds),
	 .min = 1,
	 .max = 3600},
	{.key = "idle_seconds",
	 .read = read_number,
	 .offset = CONFIG(limits.idle_seconds),
	 .min = 1,
	 .max = 86400},
	{0},
};

static const struct field chat_fields[] = {
	{.key = "history",
	 .read = read_number,
	 .offset = CONFIG(chat.history),
	 .min = 0,
	 .max = 1000000},
	{.key = "journal", .read = read_string, .offset = CONFIG(chat.journal)},
	{0},
};

static const char *const log_levels[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const log_formats[] = {"text", "json", NULL};

static const struct field log_fields[] = {
	{.key = "level", .read = read_choice, .offset = CONFIG(log.level), .choices = log_levels},
	{.key = "format",
	 .read = read_choice,
	 .offset = CONFIG(log.format),
	 .choices = log_formats},
	{0},
};

static const struct field config_fields[] = {
	{.key = "listen", .read = read_listen},
	{.key = "www", .read = read_string, .offset = CONFIG(www)},
	{.key = "threads", .read = read_number, .offset = CONFIG(threads), .min = 1, .max = 1},
	{.key = "limits", .read = read_object, .fields = limits_fields},
	{.key = "admission", .read = read_admission},
	{.key = "chat", .read = read_object, .fields = chat_fields},
	{.key = "log", .read = read_object, .fields = log_fields},
	{0},
};

static const char default_config[] =
	"{\"listen\": [{\"address\": \"::\", \"port\": 3000}], \"www\": \"www\", \"threads\": 1,"
	" \"limits\": {\"max_payload\": 65536, \"max_connections\": 20000, \"header_bytes\": 8192,"
	" \"handshake_seconds\": 10, \"idle_seconds\": 120},"
	" \"admission\": {\"/chat\": {\"require_query\": [\"username\"]}},"
	" \"chat\": {\"history\": 1000, \"journal\": \"memory\"},"
	" \"log\": {\"level\": \"info\", \"format\": \"text\"}}";

int config_init(struct config *config)
{
	struct config_error error;
	int r;

	*config = (struct config){0};
	r = config_parse(config, "defaults", default_config, sizeof(default_config) - 1, &error);
	if (r < 0)
		config_finish(config);
	return r;
}

void config_finish(struct config *config)
{
	for (size_t i = 0; i < config->n_admission; i++)
		finish_admission(&config->admission[i]);
	free(config->admission);
	free_listen(config->listen, config->n_listen);
	free(config->www);
	free(config->chat.journal);
	*config = (struct config){0};
}

static int fail_syntax(const struct reader *reader, const char *text, size_t at, const char *what)
{
	size_t line = 1, column = 1;
	char where[64];

	for (size_t i = 0; i < at; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	snprintf(where, sizeof(where), "line %zu, column %zu", line, column);
	return fail(reader, where, "%s, expected JSON", what);
}

int config_parse(struct config *config, const char *name, const char *text, size_t size,
		 struct config_error *error)
{
	static const struct field shape = {.fields = config_fields};
	struct reader reader = {.name = name, .error = error};
	struct json_tokener *tokener;
	struct json_object *root;
	int r;

	if (size > INT_MAX)
		return fail(&reader, "", "longer than 2 GiB");
	tokener = json_tokener_new();
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, text, (int)size);
	if (json_tokener_get_error(tokener) == json_tokener_continue) {
		r = fail_syntax(&reader, text, size, "found the end");
	} else if (json_tokener_get_error(tokener) != json_tokener_success) {
		r = fail_syntax(&reader, text, json_tokener_get_parse_end(tokener),
				json_tokener_error_desc(json_tokener_get_error(tokener)));
	} else if (!json_object_is_type(root, json_type_object)) {
		r = fail_expected(&reader, "", root, "an object");
	} else {
		r = read_object(&reader, "", root, &shape, config);
	}
	json_object_put(root);
	json_tokener_free(tokener);
	return r;
}

static int read_file(const char *path, char **textp, size_t *sizep)
{
	FILE *file = fopen(path, "re");
	FILE *memory;
	char chunk[4096];
	size_t n;
	int r = 0;

	if (!file)
		return -errno;
	memory = open_memstream(textp, sizep);
	if (!memory) {
		fclose(file);
		return -ENOMEM;
	}
	while ((n = fread(chunk, 1, sizeof(chunk), file)))
		fwrite(chunk, 1, n, memory);
	if (ferror(file))
		r = -errno;
	fclose(file);
	if (fclose(memory) && !r)
		r = -ENOMEM;
	if (r < 0)
		free(*textp);
	return r;
}

int config_load(struct config *config, const char *path, struct config_error *error)
{
	size_t size;
	char *text;
	int r = read_file(path, &text, &size);

	if (r < 0) {
		snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(-r));
		return r;
	}
	r = config_parse(config, path, text, size, error);
	free(text);
	return r;
}

int config_set_listen(struct config *config, const char *address, unsigned port,
		      struct config_error *error)
{
	const char *expected = check_address(address);
	struct config_listen *listen;

	if (expected) {
		snprintf(error->text, sizeof(error->text), "found \"%s\", expected %s", address,
			 expected);
		return -EINVAL;
	}
	listen = calloc(1, sizeof(*listen));
	if (!listen || set_string(&listen->address, address) < 0) {
		free(listen);
		return -ENOMEM;
	}
	listen->port = port;
	free_listen(config->listen, config->n_listen);
	config->listen = listen;
	config->n_listen = 1;
	return 0;
}

const struct config_admission *config_admission_for(const struct config *config, const char *path)
{
	return find_admission(config, path);
}
