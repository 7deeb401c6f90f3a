#include "fuzz.h"

#include "config.h"

#include <errno.h>

/* Any text is either taken, and then the config is whole, or refused with an error in words. */

static void check_auth(const struct config_auth *auth)
{
	require(auth->n_keys || auth->n_publish_keys);
	require(*auth->name_claim && auth->leeway_seconds <= 3600);
	for (size_t i = 0; i < auth->n_keys; i++) {
		bool has_secret = auth->keys[i].algorithm == CONFIG_AUTH_HS256;

		require(auth->keys[i].algorithm <= CONFIG_AUTH_RS256);
		require(!auth->keys[i].secret == !has_secret);
		require(!auth->keys[i].public_key == has_secret);
	}
	for (size_t i = 0; i < auth->n_publish_keys; i++)
		require(auth->publish_keys[i].name && auth->publish_keys[i].secret);
}

static void check(const struct config *config)
{
	require(config->n_listen > 0);
	for (size_t i = 0; i < config->n_listen; i++)
		require(*config->listen[i].address && config->listen[i].port <= 65535);
	require(*config->www && *config->chat.journal && config->threads <= 256);
	require(config->limits.max_payload && config->limits.idle_seconds);
	require(config->log.level <= LOG_LEVEL_DEBUG && config->log.format <= LOG_FORMAT_JSON);
	if (config->auth)
		check_auth(config->auth);
	for (size_t i = 0; i < config->n_admission; i++) {
		const struct config_admission *admission = &config->admission[i];

		require(config_admission_for(config, admission->path) == admission);
		for (size_t n = 0; n < admission->n_require_query; n++)
			require(*admission->require_query[n]);
		for (size_t n = 0; n < admission->n_origins; n++)
			require(*admission->origins[n]);
		for (size_t n = 0; n < admission->n_require_headers; n++)
			require(*admission->require_headers[n].name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_error error = {0};
	struct config config;
	int r;

	require(!config_init(&config));
	r = config_parse(&config, "fuzz", (const char *)data, size, &error);
	require(r == 0 || r == -EINVAL);
	if (r) {
		require(!strncmp(error.text, "fuzz: ", 6) && strlen(error.text) > 6);
	} else {
		require(!*error.text);
		check(&config);
	}
	config_finish(&config);
	return 0;
}
