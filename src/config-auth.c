#include "config-auth.h"

#include "config.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* RFC 7518 section 3.2: as long as the hash. */
#define SECRET_SIZE_MIN 32

static void free_secret(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void config_auth_free(struct config_auth *auth)
{
	if (!auth)
		return;
	for (size_t i = 0; i < auth->n_keys; i++) {
		free(auth->keys[i].id);
		free_secret(auth->keys[i].secret);
		free(auth->keys[i].public_key);
	}
	for (size_t i = 0; i < auth->n_publish_keys; i++) {
		free(auth->publish_keys[i].name);
		free_secret(auth->publish_keys[i].secret);
	}
	free(auth->keys);
	free(auth->publish_keys);
	free(auth->issuer);
	free(auth->audience);
	free(auth->name_claim);
	free(auth->cookie);
	free(auth);
}

/* Errors end up in logs, so they never show what was found. */
static int read_secret(const struct reader *reader, const char *path, struct json_object *value,
		       const struct field *field, void *target)
{
	static const char expected[] = "expected a string of at least 32 bytes";
	const char *secret = json_object_get_string(value);

	if (!json_object_is_type(value, json_type_string) ||
	    json_object_get_string_len(value) < SECRET_SIZE_MIN ||
	    strlen(secret) != (size_t)json_object_get_string_len(value))
		return reader_fail(reader, path, expected);
	return reader_set_string(target, secret);
}

/* RFC 6750 section 2.1: what may follow "Bearer". */
static int read_bearer_secret(const struct reader *reader, const char *path,
			      struct json_object *value, const struct field *field, void *target)
{
	const char *secret;
	size_t n;
	int r = read_secret(reader, path, value, field, target);

	if (r < 0)
		return r;
	secret = *(char **)target;
	n = strspn(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
	n += strspn(secret + n, "=");
	if (secret[n])
		return reader_fail(reader, path, "expected letters, digits and -._~+/ alone");
	return 0;
}

static int read_name(const struct reader *reader, const char *path, struct json_object *value,
		     const struct field *field, void *target)
{
	int r = reader_string(reader, path, value, field, target);

	if (r < 0)
		return r;
	if (!utf8_is_name(*(char **)target, strlen(*(char **)target)))
		return reader_fail_expected(reader, path, value, "a name of at most 64 characters");
	return 0;
}

static int read_cookie(const struct reader *reader, const char *path, struct json_object *value,
		       const struct field *field, void *target)
{
	int r = reader_string(reader, path, value, field, target);

	if (r < 0)
		return r;
	if (!reader_is_token(*(char **)target))
		return reader_fail_expected(reader, path, value,
					    "the name of a cookie: letters, digits, - and _");
	return 0;
}

static const char *const algorithms[] = {"HS256", "ES256", "RS256", NULL};

#define KEY(member) offsetof(struct config_auth_key, member)

static const struct field key_fields[] = {
	{.key = "id", .read = reader_string, .offset = KEY(id)},
	{.key = "algorithm",
	 .read = reader_choice,
	 .offset = KEY(algorithm),
	 .choices = algorithms},
	{.key = "secret", .read = read_secret, .offset = KEY(secret)},
	{.key = "public_key", .read = reader_string, .offset = KEY(public_key)},
	{0},
};

static int check_key(const struct reader *reader, const char *path, const struct config_auth *auth,
		     const struct config_auth_key *key)
{
	if ((int)key->algorithm < 0)
		return reader_fail(reader, path, "expected an algorithm");
	if (key->algorithm == CONFIG_AUTH_HS256 ? !key->secret || key->public_key
						: !key->public_key || key->secret)
		return reader_fail(reader, path, "expected %s, as %s has it",
				   key->algorithm == CONFIG_AUTH_HS256
					   ? "a secret and no public_key"
					   : "a public_key and no secret",
				   algorithms[key->algorithm]);
	for (const struct config_auth_key *other = auth->keys; other < key; other++)
		if (key->id && other->id && !strcmp(key->id, other->id))
			return reader_fail(reader, path,
					   "found an id that another key has, expected its own");
	return 0;
}

static int read_keys(const struct reader *reader, const char *path, struct json_object *value,
		     const struct field *field, void *target)
{
	static const struct field shape = {.fields = key_fields};
	struct config_auth *auth = target;
	size_t n;

	if (!json_object_is_type(value, json_type_array) || !json_object_array_length(value))
		return reader_fail_expected(reader, path, value,
					    "an array with at least one entry");
	n = json_object_array_length(value);
	auth->keys = calloc(n, sizeof(*auth->keys));
	if (!auth->keys)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct config_auth_key *key = &auth->keys[auth->n_keys++];
		char key_path[READER_PATH_SIZE];
		int r;

		reader_index_path(key_path, path, i);
		memset(&key->algorithm, -1, sizeof(key->algorithm));
		r = reader_object(reader, key_path, json_object_array_get_idx(value, i), &shape,
				  key);
		if (!r)
			r = check_key(reader, key_path, auth, key);
		if (r < 0)
			return r;
	}
	return 0;
}

/* In the order of the bits of enum right. */
static const char *const rights[] = {"read", "write", "moderate", NULL};

#define RIGHTS_OF_A_KEY 3u /* to read and to write */

static int read_rights(const struct reader *reader, const char *path, struct json_object *value,
		       const struct field *field, void *target)
{
	unsigned all = 0;

	if (!json_object_is_type(value, json_type_array) || !json_object_array_length(value))
		return reader_fail_expected(reader, path, value,
					    "an array with at least one entry");
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		static const struct field choice = {.choices = rights};
		char entry_path[READER_PATH_SIZE];
		int right, r;

		reader_index_path(entry_path, path, i);
		r = reader_choice(reader, entry_path, json_object_array_get_idx(value, i), &choice,
				  &right);
		if (r < 0)
			return r;
		all |= 1u << right;
	}
	*(unsigned *)target = all;
	return 0;
}

#define PUBLISH_KEY(member) offsetof(struct config_publish_key, member)

static const struct field publish_key_fields[] = {
	{.key = "name", .read = read_name, .offset = PUBLISH_KEY(name)},
	{.key = "secret", .read = read_bearer_secret, .offset = PUBLISH_KEY(secret)},
	{.key = "rights", .read = read_rights, .offset = PUBLISH_KEY(rights)},
	{0},
};

static int read_publish_keys(const struct reader *reader, const char *path,
			     struct json_object *value, const struct field *field, void *target)
{
	static const struct field shape = {.fields = publish_key_fields};
	struct config_auth *auth = target;
	size_t n;

	if (!json_object_is_type(value, json_type_array) || !json_object_array_length(value))
		return reader_fail_expected(reader, path, value,
					    "an array with at least one entry");
	n = json_object_array_length(value);
	auth->publish_keys = calloc(n, sizeof(*auth->publish_keys));
	if (!auth->publish_keys)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct config_publish_key *key = &auth->publish_keys[auth->n_publish_keys++];
		char key_path[READER_PATH_SIZE];
		int r;

		key->rights = RIGHTS_OF_A_KEY;
		reader_index_path(key_path, path, i);
		r = reader_object(reader, key_path, json_object_array_get_idx(value, i), &shape,
				  key);
		if (r < 0)
			return r;
		if (!key->name || !key->secret)
			return reader_fail(reader, key_path, "expected both a name and a secret");
	}
	return 0;
}

#define AUTH(member) offsetof(struct config_auth, member)

static const struct field auth_fields[] = {
	{.key = "keys", .read = read_keys},
	{.key = "issuer", .read = reader_string, .offset = AUTH(issuer)},
	{.key = "audience", .read = reader_string, .offset = AUTH(audience)},
	{.key = "name_claim", .read = reader_string, .offset = AUTH(name_claim)},
	{.key = "cookie", .read = read_cookie, .offset = AUTH(cookie)},
	{.key = "leeway_seconds",
	 .read = reader_number,
	 .offset = AUTH(leeway_seconds),
	 .min = 0,
	 .max = 3600},
	{.key = "publish_keys", .read = read_publish_keys},
	{0},
};

int config_read_auth(const struct reader *reader, const char *path, struct json_object *value,
		     const struct field *field, void *target)
{
	static const struct field shape = {.fields = auth_fields};
	struct config_auth *auth = calloc(1, sizeof(*auth));
	int r;

	if (!auth)
		return -ENOMEM;
	config_auth_free(*(struct config_auth **)target);
	*(struct config_auth **)target = auth;
	auth->leeway_seconds = 30;
	r = reader_set_string(&auth->name_claim, "sub");
	if (!r)
		r = reader_object(reader, path, value, &shape, auth);
	if (r < 0)
		return r;
	if (!auth->n_keys && !auth->n_publish_keys)
		return reader_fail(reader, path, "expected keys, publish_keys or both");
	return 0;
}
