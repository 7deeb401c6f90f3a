#include "config-tls.h"

#include "config.h"

#include <errno.h>
#include <stdlib.h>

void config_tls_free(struct config_tls *tls)
{
	if (!tls)
		return;
	for (size_t i = 0; i < tls->n_names; i++) {
		free(tls->names[i].host);
		free(tls->names[i].certificate);
		free(tls->names[i].key);
	}
	free(tls->names);
	free(tls->certificate);
	free(tls->key);
	free(tls);
}

static int check_pair(const struct reader *reader, const char *path, const char *certificate,
		      const char *key)
{
	if (certificate && key)
		return 0;
	return reader_fail(reader, path, "expected both a certificate and a key");
}

#define NAME(member) offsetof(struct config_tls_name, member)

static const struct field name_fields[] = {
	{.key = "host", .read = reader_string, .offset = NAME(host)},
	{.key = "certificate", .read = reader_string, .offset = NAME(certificate)},
	{.key = "key", .read = reader_string, .offset = NAME(key)},
	{0},
};

static int read_names(const struct reader *reader, const char *path, struct json_object *value,
		      const struct field *field, void *target)
{
	static const struct field shape = {.fields = name_fields};
	struct config_tls *tls = target;
	size_t n;

	if (!json_object_is_type(value, json_type_array))
		return reader_fail_expected(reader, path, value, "an array");
	n = json_object_array_length(value);
	tls->names = calloc(n + 1, sizeof(*tls->names));
	if (!tls->names)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct config_tls_name *name = &tls->names[tls->n_names++];
		char name_path[READER_PATH_SIZE];
		int r;

		reader_index_path(name_path, path, i);
		r = reader_object(reader, name_path, json_object_array_get_idx(value, i), &shape,
				  name);
		if (r < 0)
			return r;
		if (!name->host)
			return reader_fail(reader, name_path, "expected a host");
		r = check_pair(reader, name_path, name->certificate, name->key);
		if (r < 0)
			return r;
	}
	return 0;
}

#define TLS(member) offsetof(struct config_tls, member)

static const struct field tls_fields[] = {
	{.key = "certificate", .read = reader_string, .offset = TLS(certificate)},
	{.key = "key", .read = reader_string, .offset = TLS(key)},
	{.key = "names", .read = read_names},
	{.key = "hsts_seconds",
	 .read = reader_number,
	 .offset = TLS(hsts_seconds),
	 .min = 0,
	 .max = 63072000},
	{0},
};

int config_read_tls(const struct reader *reader, const char *path, struct json_object *value,
		    const struct field *field, void *target)
{
	static const struct field shape = {.fields = tls_fields};
	struct config_tls *tls = calloc(1, sizeof(*tls));
	int r;

	if (!tls)
		return -ENOMEM;
	config_tls_free(*(struct config_tls **)target);
	*(struct config_tls **)target = tls;
	r = reader_object(reader, path, value, &shape, tls);
	return r < 0 ? r : check_pair(reader, path, tls->certificate, tls->key);
}
