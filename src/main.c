#include "auth.h"
#include "check.h"
#include "config.h"
#include "journal.h"
#include "log.h"
#include "mount/table.h"
#include "protocols/table.h"
#include "server.h"
#include "session.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The daemon: command line, config, and a server of all endpoints. Wrong usage exits 2, a failed start 1. */

#define EXIT_USAGE 2

const char *argp_program_version = "switchboard " SWITCHBOARD_VERSION;

enum option_key {
	OPTION_ADDRESS = 0x100,
	OPTION_CERT,
	OPTION_CHECK,
	OPTION_CONFIG,
	OPTION_DEV_TLS,
	OPTION_KEY,
	OPTION_PORT,
	OPTION_THREADS,
	OPTION_WWW,
};

static const struct argp_option options[] = {
	{"config", OPTION_CONFIG, "FILE", 0, "Read the configuration from FILE (JSON)", 0},
	{"address", OPTION_ADDRESS, "ADDR", 0,
	 "Listen on ADDR: IPv4, IPv6 or unix:/path (default: ::, both families)", 0},
	{"port", OPTION_PORT, "N", 0, "Listen on port N (default: 3000; 0: any free one)", 0},
	{"cert", OPTION_CERT, "FILE", 0, "Speak TLS with the certificate chain in FILE (PEM)", 0},
	{"key", OPTION_KEY, "FILE", 0, "The certificate's private key (PEM)", 0},
	{"dev-tls", OPTION_DEV_TLS, NULL, 0,
	 "Speak TLS with a self-signed certificate for localhost, made at the start", 0},
	{"www", OPTION_WWW, "DIR", 0, "Serve the files in DIR (default: www)", 0},
	{"threads", OPTION_THREADS, "N", 0, "Run N service threads (default: one for each core)",
	 0},
	{"check", OPTION_CHECK, NULL, 0, "Check the configuration, then exit", 0},
	{0},
};

struct arguments {
	const char *config;
	const char *address;
	const char *www;
	const char *certificate;
	const char *key;
	unsigned port;
	unsigned threads;
	bool has_port;
	bool check;
	bool development_tls;
};

static unsigned parse_number(struct argp_state *state, const char *option, const char *text,
			     unsigned min, unsigned max)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || number < min || number > max)
		argp_error(state, "%s: found \"%s\", expected a whole number from %u to %u", option,
			   text, min, max);
	return (unsigned)number;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case OPTION_ADDRESS:
		arguments->address = value;
		return 0;
	case OPTION_CERT:
		arguments->certificate = value;
		return 0;
	case OPTION_DEV_TLS:
		arguments->development_tls = true;
		return 0;
	case OPTION_KEY:
		arguments->key = value;
		return 0;
	case OPTION_CHECK:
		arguments->check = true;
		return 0;
	case OPTION_CONFIG:
		arguments->config = value;
		return 0;
	case OPTION_PORT:
		arguments->port = parse_number(state, "--port", value, 0, 65535);
		arguments->has_port = true;
		return 0;
	case OPTION_THREADS:
		arguments->threads = parse_number(state, "--threads", value, 1, 256);
		return 0;
	case OPTION_WWW:
		arguments->www = value;
		return 0;
	case ARGP_KEY_END:
		if (!arguments->certificate != !arguments->key)
			argp_error(state, "found only one of --cert and --key, expected both");
		if (arguments->certificate && arguments->development_tls)
			argp_error(state, "found --cert and --dev-tls, expected one of them");
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "found \"%s\", expected only options", value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.doc = "Serves files, a REST API and WebSocket endpoints with a group chat on one port.",
};

static int complain(const char *text)
{
	fprintf(stderr, "switchboard: %s\n", text);
	return EXIT_USAGE;
}

static int set_www(struct config *config, const char *www)
{
	char *copy = strdup(www);

	if (!copy)
		return -ENOMEM;
	free(config->www);
	config->www = copy;
	return 0;
}

/* Started from anywhere but its source tree, the daemon still finds the files that belong to it. */
static int find_default_www(struct config *config)
{
	char path[4096];
	ssize_t n;
	char *slash;

	if (!access(config->www, R_OK))
		return 0;
	n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("/../www"));
	if (n <= 0)
		return 0;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return 0;
	snprintf(slash, sizeof("/../www"), "/../www");
	return access(path, R_OK) ? 0 : set_www(config, path);
}

/* One address instead of the file's, with whatever of it the options leave open. */
static int set_listen(struct config *config, const struct arguments *arguments)
{
	char *address = strdup(arguments->address ? arguments->address : config->listen[0].address);
	unsigned port = arguments->has_port ? arguments->port : config->listen[0].port;
	struct config_error error = {"out of memory"};
	int r = 0;

	if (arguments->address || arguments->has_port)
		r = address ? config_set_listen(config, address, port, &error) : -ENOMEM;
	if (r < 0)
		fprintf(stderr, "switchboard: --address: %s\n", error.text);
	free(address);
	return r;
}

/* An option beats the file, which beats the default. Returns 0 or an exit status. */
static int configure(struct config *config, const struct arguments *arguments)
{
	struct config_error error;
	int r = 0;

	if (arguments->config && config_load(config, arguments->config, &error) < 0)
		return complain(error.text);
	if (arguments->www)
		r = set_www(config, arguments->www);
	else if (!strcmp(config->www, "www"))
		r = find_default_www(config);
	if (r < 0)
		return EXIT_FAILURE;
	if (set_listen(config, arguments) < 0)
		return EXIT_USAGE;
	if (arguments->certificate)
		r = config_set_tls(config, arguments->certificate, arguments->key);
	else if (arguments->development_tls)
		r = config_set_development_tls(config);
	return r < 0 ? EXIT_FAILURE : 0;
}

static const struct lws_protocols *find_endpoint(const struct lws_protocols **protocols,
						 const char *name)
{
	for (; *protocols; protocols++) {
		const struct endpoint *endpoint = (*protocols)->user;

		if (endpoint && !strcmp(endpoint->name ? endpoint->name : endpoint->path, name))
			return *protocols;
	}
	return NULL;
}

/* What the config can't know by itself: whether what it speaks of exists. */
static int check_references(const struct config *config, const struct lws_protocols **protocols)
{
	struct auth *auth;

	for (size_t i = 0; i < config->n_admission; i++)
		if (!find_endpoint(protocols, config->admission[i].path)) {
			fprintf(stderr,
				"switchboard: admission.%s: unknown endpoint, expected one that the server has, such as /chat\n",
				config->admission[i].path);
			return EXIT_USAGE;
		}
	if (!journal_is_known(config->chat.journal)) {
		fprintf(stderr,
			"switchboard: chat.journal: found \"%s\", expected \"memory\" or "
			"\"sqlite:FILE\"\n",
			config->chat.journal);
		return EXIT_USAGE;
	}
	if (auth_create(&auth, config->auth) < 0)
		return EXIT_USAGE; /* the log says why */
	auth_destroy(auth);
	if (access(config->www, R_OK | X_OK)) {
		fprintf(stderr,
			"switchboard: www: %s: %s, expected a directory of files to serve\n",
			config->www, strerror(errno));
		return EXIT_USAGE;
	}
	return 0;
}

/* What a start would find out, without one: see --check. */
static int check(const struct config *config, const struct arguments *arguments)
{
	const char *name = arguments->config ? arguments->config : "command line";
	struct config_error error;

	if (!check_files(config, name, &error))
		return 0;
	return *error.text ? complain(error.text) : EXIT_USAGE; /* else the log says why */
}

static int serve(const struct config *config, const struct lws_protocols **protocols)
{
	struct server *server;
	int r;

	log_configure(config->log.level, config->log.format);
	r = server_create(&server, config, protocols, mount_table);
	if (r < 0)
		return EXIT_FAILURE;
	server_run(server);
	server_destroy(server);
	return EXIT_SUCCESS;
}

/* Those of the mounts come first: the first row of all serves what no mount matches. */
static const struct lws_protocols **join_tables(void)
{
	const struct lws_protocols **all;
	size_t n_mount = 0, n_protocol = 0;

	while (mount_protocols[n_mount])
		n_mount++;
	while (protocol_table[n_protocol])
		n_protocol++;
	all = calloc(n_mount + n_protocol + 1, sizeof(*all));
	if (all) {
		memcpy(all, mount_protocols, n_mount * sizeof(*all));
		memcpy(all + n_mount, protocol_table, n_protocol * sizeof(*all));
	}
	return all;
}

/* One of the first three that is closed would be the first that is opened, and get what is meant for stderr. */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	const struct lws_protocols **protocols;
	struct config config;
	int status;

	open_standard_descriptors();
	protocols = join_tables();
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (!protocols || config_init(&config) < 0) {
		free(protocols);
		return EXIT_FAILURE;
	}
	status = configure(&config, &arguments);
	if (!status)
		status = check_references(&config, protocols);
	if (!status)
		status = arguments.check ? check(&config, &arguments) : serve(&config, protocols);
	config_finish(&config);
	free(protocols);
	return status;
}
