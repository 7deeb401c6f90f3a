#include "config.h"

#include "config-admission.h"
#include "config-auth.h"
#include "config-listen.h"
#include "config-files.h"
#include "config-metrics.h"
#include "config-rates.h"
#include "config-reader.h"
#include "config-tls.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	{.key = "listen", .read = config_read_listen},
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
	config_listen_free(config->listen, config->n_listen);
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
