#include "config.h"

#include "config-auth.h"
#include "config-reader.h"
#include "config-tls.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

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

static void finish_admission(struct config_admission *admission)
{
	free(admission->path);
	reader_free_strings(admission->require_query, admission->n_require_query);
	reader_free_strings(admission->origins, admission->n_origins);
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
	{.key = "require_query", .read = reader_strings, .offset = ADMISSION(require_query)},
	{.key = "origins", .read = reader_strings, .offset = ADMISSION(origins)},
	{.key = "require_headers", .read = read_headers, .offset = ADMISSION(require_headers)},
	{0},
};

/* A key that comes twice would leak the first value: json-c keeps the last one only, so none does. */
static int read_admission(const struct reader *reader, const char *path, struct json_object *value,
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
		admission = replace_admission(target, endpoint);
		if (!admission)
			return -ENOMEM;
		r = reader_object(reader, endpoint_path, wanted, &rules, admission);
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
	int r = reader_string(reader, path, value, field, target);
	const char *expected;

	if (r < 0)
		return r;
	expected = check_address(*(char **)target);
	return expected ? reader_fail_expected(reader, path, value, "%s", expected) : 0;
}

static void free_listen(struct config_listen *listen, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(listen[i].address);
		config_tls_free(listen[i].tls);
	}
	free(listen);
}

#define LISTEN(member) offsetof(struct config_listen, member)

static const struct field listen_fields[] = {
	{.key = "address", .read = read_address, .offset = LISTEN(address)},
	{.key = "port", .read = reader_number, .offset = LISTEN(port), .min = 0, .max = 65535},
	{.key = "redirect", .read = reader_boolean, .offset = LISTEN(redirect)},
	{.key = "tls", .read = config_read_tls, .offset = LISTEN(tls)},
	{0},
};

static int read_listen_entry(const struct reader *reader, const char *path,
			     struct json_object *value, struct config_listen *entry)
{
	static const struct field shape = {.fields = listen_fields};
	int r;

	entry->port = 3000;
	r = reader_object(reader, path, value, &shape, entry);
	if (r < 0)
		return r;
	if (entry->redirect && entry->tls)
		return reader_fail(reader, path, "found redirect and tls, expected one of them");
	return entry->address ? 0 : reader_set_string(&entry->address, "::");
}

static int read_listen(const struct reader *reader, const char *path, struct json_object *value,
		       const struct field *field, void *target)
{
	struct config *config = target;
	struct config_listen *listen;
	size_t n;

	if (!json_object_is_type(value, json_type_array) || !json_object_array_length(value))
		return reader_fail_expected(reader, path, value,
					    "an array with at least one entry");
	n = json_object_array_length(value);
	listen = calloc(n, sizeof(*listen));
	if (!listen)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		char entry_path[READER_PATH_SIZE];
		int r;

		reader_index_path(entry_path, path, i);
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
	 .read = reader_number,
	 .offset = CONFIG(limits.max_payload),
	 .min = 1,
	 .max = 1 << 30},
	{.key = "max_connections",
	 .read = reader_number,
	 .offset = CONFIG(limits.max_connections),
	 .min = 1,
	 .max = 1000000},
	{.key = "header_bytes",
	 .read = reader_number,
	 .offset = CONFIG(limits.header_bytes),
	 .min = 1024,
	 .max = 65535},
	{.key = "handshake_seconds",
	 .read = reader_number,
	 .offset = CONFIG(limits.handshake_seconds),
	 .min = 1,
	 .max = 3600},
	{.key = "idle_seconds",
	 .read = reader_number,
	 .offset = CONFIG(limits.idle_seconds),
	 .min = 1,
	 .max = 86400},
	{.key = "backlog",
	 .read = reader_number,
	 .offset = CONFIG(limits.backlog),
	 .min = 1,
	 .max = 65535},
	{.key = "joins_per_minute",
	 .read = reader_number,
	 .offset = CONFIG(limits.joins_per_minute),
	 .min = 0,
	 .max = 1000000},
	{0},
};

static const struct field chat_fields[] = {
	{.key = "history",
	 .read = reader_number,
	 .offset = CONFIG(chat.history),
	 .min = 0,
	 .max = 1000000},
	{.key = "history_seconds",
	 .read = reader_number,
	 .offset = CONFIG(chat.history_seconds),
	 .min = 0,
	 .max = 315360000},
	{.key = "journal", .read = reader_string, .offset = CONFIG(chat.journal)},
	{.key = "max_rooms",
	 .read = reader_number,
	 .offset = CONFIG(chat.max_rooms),
	 .min = 1,
	 .max = 10000000},
	{.key = "max_characters",
	 .read = reader_number,
	 .offset = CONFIG(chat.max_characters),
	 .min = 1,
	 .max = 4096},
	{.key = "messages_per_second",
	 .read = reader_number,
	 .offset = CONFIG(chat.messages_per_second),
	 .min = 0,
	 .max = 1000000000},
	{.key = "burst",
	 .read = reader_number,
	 .offset = CONFIG(chat.burst),
	 .min = 1,
	 .max = 1000000000},
	{.key = "presence_merge",
	 .read = reader_number,
	 .offset = CONFIG(chat.presence_merge),
	 .min = 0,
	 .max = 1000000},
	{.key = "ring_bytes",
	 .read = reader_number,
	 .offset = CONFIG(chat.ring_bytes),
	 .min = 65536,
	 .max = 1 << 30},
	{0},
};

static const char *const log_levels[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const log_formats[] = {"text", "json", NULL};

static const struct field log_fields[] = {
	{.key = "level", .read = reader_choice, .offset = CONFIG(log.level), .choices = log_levels},
	{.key = "format",
	 .read = reader_choice,
	 .offset = CONFIG(log.format),
	 .choices = log_formats},
	{0},
};

static const struct field config_fields[] = {
	{.key = "listen", .read = read_listen},
	{.key = "www", .read = reader_string, .offset = CONFIG(www)},
	{.key = "threads", .read = reader_number, .offset = CONFIG(threads), .min = 1, .max = 256},
	{.key = "limits", .read = reader_object, .fields = limits_fields},
	{.key = "admission", .read = read_admission},
	{.key = "auth", .read = config_read_auth, .offset = CONFIG(auth)},
	{.key = "chat", .read = reader_object, .fields = chat_fields},
	{.key = "log", .read = reader_object, .fields = log_fields},
	{0},
};

static const char default_config[] =
	"{\"listen\": [{\"address\": \"::\", \"port\": 3000}], \"www\": \"www\","
	" \"limits\": {\"max_payload\": 65536, \"max_connections\": 20000, \"header_bytes\": 8192,"
	" \"handshake_seconds\": 10, \"idle_seconds\": 120, \"backlog\": 4096},"
	" \"admission\": {\"/chat\": {\"require_query\": [\"username\"]}},"
	" \"chat\": {\"history\": 1000, \"journal\": \"memory\", \"ring_bytes\": 262144,"
	" \"messages_per_second\": 100, \"burst\": 500, \"presence_merge\": 100,"
	" \"max_rooms\": 10000, \"max_characters\": 4096},"
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
	config_auth_free(config->auth);
	free_listen(config->listen, config->n_listen);
	free(config->www);
	free(config->chat.journal);
	*config = (struct config){0};
}

int config_parse(struct config *config, const char *name, const char *text, size_t size,
		 struct config_error *error)
{
	static const struct field shape = {.fields = config_fields};
	struct reader reader = {
		.name = name, .error = error->text, .error_size = sizeof(error->text)};

	return reader_parse(&reader, text, size, &shape, config);
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
	size_t size = 0;
	char *text = NULL;
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
	if (!listen || reader_set_string(&listen->address, address) < 0) {
		free(listen);
		return -ENOMEM;
	}
	listen->port = port;
	listen->tls = config->listen[0]
			      .tls; /* an address of one's own, but with the file's certificate */
	config->listen[0].tls = NULL;
	free_listen(config->listen, config->n_listen);
	config->listen = listen;
	config->n_listen = 1;
	return 0;
}

static int replace_tls(struct config_listen *listen, const char *certificate, const char *key)
{
	struct config_tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return -ENOMEM;
	config_tls_free(listen->tls);
	listen->tls = tls;
	listen->redirect = false;
	if (!certificate) {
		tls->development = true;
		return 0;
	}
	if (reader_set_string(&tls->certificate, certificate) < 0)
		return -ENOMEM;
	return reader_set_string(&tls->key, key);
}

int config_set_tls(struct config *config, const char *certificate, const char *key)
{
	for (size_t i = 0; i < config->n_listen; i++)
		if (replace_tls(&config->listen[i], certificate, key) < 0)
			return -ENOMEM;
	return 0;
}

int config_set_development_tls(struct config *config)
{
	for (size_t i = 0; i < config->n_listen; i++)
		if (!config->listen[i].tls && replace_tls(&config->listen[i], NULL, NULL) < 0)
			return -ENOMEM;
	return 0;
}

const struct config_admission *config_admission_for(const struct config *config, const char *path)
{
	return find_admission(config, path);
}
