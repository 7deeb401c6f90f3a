#include "config-listen.h"

#include "config.h"
#include "config-networks.h"
#include "config-tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static bool is_unix(const char *address)
{
	return !strncmp(address, "unix:", 5);
}

/* Says what would have been right, or returns NULL. */
static const char *check_address(const char *address)
{
	struct sockaddr_un un;
	struct in6_addr in6;
	struct in_addr in;

	if (is_unix(address)) {
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

void config_listen_free(struct config_listen *listen, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(listen[i].address);
		config_tls_free(listen[i].tls);
		reader_free_strings(listen[i].trusted_proxies, listen[i].n_trusted_proxies);
		free(listen[i].group);
	}
	free(listen);
}

/* A string, as JSON has no octal numbers. */
static int read_mode(const struct reader *reader, const char *path, struct json_object *value,
		     const struct field *field, void *target)
{
	unsigned *mode = target;
	const char *text;
	char *end;
	unsigned long number;
	int r = reader_check_string(reader, path, value, "octal permissions such as \"0660\"");

	if (r < 0)
		return r;
	text = json_object_get_string(value);
	number = strtoul(text, &end, 8);
	if (strspn(text, "01234567") != strlen(text) || !number || number > 0777)
		return reader_fail_expected(reader, path, value,
					    "octal permissions such as \"0660\"");
	*mode = (unsigned)number;
	return 0;
}

int config_find_group(const char *name, gid_t *gid)
{
	const struct group *group = getgrnam(name);

	if (group) {
		*gid = group->gr_gid;
		return 0;
	}
	if (!*name || strlen(name) > 9 || strspn(name, "0123456789") != strlen(name))
		return -ENOENT;
	*gid = (gid_t)strtoul(name, NULL, 10);
	return 0;
}

static int read_group(const struct reader *reader, const char *path, struct json_object *value,
		      const struct field *field, void *target)
{
	int r = reader_string(reader, path, value, field, target);
	gid_t gid;

	if (r < 0)
		return r;
	return config_find_group(*(char **)target, &gid) < 0
		       ? reader_fail_expected(reader, path, value,
					      "the name or the number of a group")
		       : 0;
}

#define LISTEN(member) offsetof(struct config_listen, member)

static const struct field listen_fields[] = {
	{.key = "address", .read = read_address, .offset = LISTEN(address)},
	{.key = "port", .read = reader_number, .offset = LISTEN(port), .min = 0, .max = 65535},
	{.key = "redirect", .read = reader_boolean, .offset = LISTEN(redirect)},
	{.key = "tls", .read = config_read_tls, .offset = LISTEN(tls)},
	{.key = "trusted_proxies", .read = config_read_networks, .offset = LISTEN(trusted_proxies)},
	{.key = "proxy_protocol", .read = reader_boolean, .offset = LISTEN(proxy_protocol)},
	{.key = "mode", .read = read_mode, .offset = LISTEN(mode)},
	{.key = "group", .read = read_group, .offset = LISTEN(group)},
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
	if (!entry->address && reader_set_string(&entry->address, "::") < 0)
		return -ENOMEM;
	if ((entry->mode || entry->group) && !is_unix(entry->address))
		return reader_fail(reader, path,
				   "found mode or group, expected them with a unix: address only");
	return 0;
}

int config_read_listen(const struct reader *reader, const char *path, struct json_object *value,
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
			config_listen_free(listen, n);
			return r;
		}
	}
	config_listen_free(config->listen, config->n_listen);
	config->listen = listen;
	config->n_listen = n;
	return 0;
}

/* What the file says of its first address, but for what belongs to that one alone. */
static void take_over(struct config_listen *listen, struct config_listen *first)
{
	listen->tls = first->tls;
	listen->trusted_proxies = first->trusted_proxies;
	listen->n_trusted_proxies = first->n_trusted_proxies;
	listen->proxy_protocol = first->proxy_protocol;
	first->tls = NULL;
	first->trusted_proxies = NULL;
	first->n_trusted_proxies = 0;
	if (!is_unix(listen->address))
		return;
	listen->mode = first->mode;
	listen->group = first->group;
	first->group = NULL;
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
	take_over(listen, &config->listen[0]);
	config_listen_free(config->listen, config->n_listen);
	config->listen = listen;
	config->n_listen = 1;
	return 0;
}
