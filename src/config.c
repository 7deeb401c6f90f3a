#include "config.h"

#include "config-admission.h"
#include "config-auth.h"
#include "config-files.h"
#include "config-metrics.h"
#include "config-rates.h"
#include "config-reader.h"
#include "config-tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

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
	{.key = "ping_seconds",
	 .read = reader_number,
	 .offset = CONFIG(limits.ping_seconds),
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
	{.key = "pending_bytes",
	 .read = reader_number,
	 .offset = CONFIG(limits.pending_bytes),
	 .min = 1 << 20,
	 .max = 1 << 30},
	{.key = "rates", .read = config_read_rates, .offset = CONFIG(limits.rates)},
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
	{.key = "journal_bytes",
	 .read = reader_number,
	 .offset = CONFIG(chat.journal_bytes),
	 .min = 1 << 20,
	 .max = UINT_MAX},
	{.key = "max_rooms",
	 .read = reader_number,
	 .offset = CONFIG(chat.max_rooms),
	 .min = 1,
	 .max = 10000000},
	{.key = "max_kept_rooms",
	 .read = reader_number,
	 .offset = CONFIG(chat.max_kept_rooms),
	 .min = 1,
	 .max = 1000000000},
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
	{.key = "files", .read = config_read_files, .offset = CONFIG(files)},
	{.key = "threads", .read = reader_number, .offset = CONFIG(threads), .min = 1, .max = 256},
	{.key = "pin_threads", .read = reader_boolean, .offset = CONFIG(pin_threads)},
	{.key = "limits", .read = reader_object, .fields = limits_fields},
	{.key = "admission", .read = config_read_admission},
	{.key = "auth", .read = config_read_auth, .offset = CONFIG(auth)},
	{.key = "chat", .read = reader_object, .fields = chat_fields},
	{.key = "metrics", .read = config_read_metrics},
	{.key = "log", .read = reader_object, .fields = log_fields},
	{0},
};

static const char default_config[] =
	"{\"listen\": [{\"address\": \"::\", \"port\": 3000}], \"www\": \"www\","
	" \"limits\": {\"max_payload\": 65536, \"max_connections\": 20000, \"header_bytes\": 8192,"
	" \"handshake_seconds\": 10, \"idle_seconds\": 120, \"ping_seconds\": 25,"
	" \"backlog\": 4096, \"pending_bytes\": 67108864,"
	" \"rates\": {\"api\": {\"per_second\": 200, \"burst\": 2000},"
	" \"control\": {\"per_second\": 20, \"burst\": 200},"
	" \"frames\": {\"per_second\": 20000, \"burst\": 20000},"
	" \"handshakes\": {\"per_second\": 1000, \"burst\": 20000},"
	" \"moderation\": {\"per_second\": 10, \"burst\": 100},"
	" \"pages\": {\"per_second\": 20, \"burst\": 200},"
	" \"speech\": {\"per_second\": 1000, \"burst\": 5000},"
	" \"tickets\": {\"per_second\": 2, \"burst\": 60},"
	" \"tls\": {\"per_second\": 100, \"burst\": 1000}}},"
	" \"admission\": {\"/chat\": {\"require_query\": [\"username\"]}},"
	" \"chat\": {\"history\": 1000, \"journal\": \"memory\", \"journal_bytes\": 100663296,"
	" \"ring_bytes\": 262144,"
	" \"messages_per_second\": 100, \"burst\": 500, \"presence_merge\": 100,"
	" \"max_rooms\": 10000, \"max_kept_rooms\": 100000, \"max_characters\": 4096},"
	" \"metrics\": {\"allow\": [\"127.0.0.0/8\", \"::1\", \"unix\"]},"
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
	config_admission_finish(config);
	config_auth_free(config->auth);
	free_listen(config->listen, config->n_listen);
	reader_free_strings(config->metrics.allow, config->metrics.n_allow);
	free(config->metrics.secret);
	config_files_finish(&config->files);
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
