#include "token.h"

#include "base64url.h"
#include "token-key.h"
#include "utf8.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* No object in a token of ours is deeper; it keeps strangers from making the parser recurse. */
#define DEPTH_MAX 16

/* The end of the year 9999: later times are mistakes, such as milliseconds. */
#define TIME_MAX 253402300799

struct token_verifier {
	const struct config_auth *settings;
	struct token_key *keys;
	size_t n_keys;
};

/* The three parts between the dots. */
struct parts {
	const char *token; /* header, dot and payload are what was signed */
	size_t header, payload, signature;
};

const char *token_result_word(enum token_result result)
{
	static const char *const words[] = {
		[TOKEN_GOOD] = "good",		 [TOKEN_TOO_LONG] = "too_long",
		[TOKEN_MALFORMED] = "malformed", [TOKEN_CRITICAL] = "critical",
		[TOKEN_ALGORITHM] = "algorithm", [TOKEN_KEY] = "key",
		[TOKEN_SIGNATURE] = "signature", [TOKEN_CLAIMS] = "claims",
		[TOKEN_EXPIRED] = "expired",	 [TOKEN_NOT_YET] = "not_yet",
		[TOKEN_ISSUER] = "issuer",	 [TOKEN_AUDIENCE] = "audience",
		[TOKEN_NAME] = "name",		 [TOKEN_MEMORY] = "memory",
	};

	return words[result];
}

int token_verifier_create(struct token_verifier **verifierp, const struct config_auth *settings)
{
	struct token_verifier *verifier = calloc(1, sizeof(*verifier));

	if (!verifier)
		return -ENOMEM;
	verifier->settings = settings;
	verifier->keys = calloc(settings->n_keys + 1, sizeof(*verifier->keys));
	if (!verifier->keys) {
		token_verifier_destroy(verifier);
		return -ENOMEM;
	}
	while (verifier->n_keys < settings->n_keys) {
		size_t i = verifier->n_keys++;
		int r = token_key_init(&verifier->keys[i], &settings->keys[i]);

		if (r < 0) {
			token_verifier_destroy(verifier);
			return r;
		}
	}
	*verifierp = verifier;
	return 0;
}

void token_verifier_destroy(struct token_verifier *verifier)
{
	if (!verifier)
		return;
	for (size_t i = 0; i < verifier->n_keys; i++)
		token_key_finish(&verifier->keys[i]);
	free(verifier->keys);
	free(verifier);
}

/* RFC 7515 section 5.2, step 1. */
static bool split(struct parts *parts, const char *token, size_t size)
{
	const char *first = memchr(token, '.', size);
	const char *second;

	if (!first)
		return false;
	parts->token = token;
	parts->header = (size_t)(first - token);
	second = memchr(first + 1, '.', size - parts->header - 1);
	if (!second)
		return false;
	parts->payload = (size_t)(second - first) - 1;
	parts->signature = size - parts->header - parts->payload - 2;
	return true;
}

/* A part with JSON in it, which must be one object: NULL where it isn't. */
static struct json_object *decode_object(const char *text, size_t size)
{
	unsigned char bytes[TOKEN_SIZE_MAX];
	ssize_t n = base64url_decode(bytes, text, size);
	struct json_tokener *tokener = n > 0 ? json_tokener_new_ex(DEPTH_MAX) : NULL;
	struct json_object *object;

	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, (const char *)bytes, (int)n);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != (size_t)n ||
	    !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

/* Whether it is that string, and has no NUL that hides a part of it. */
static bool is_string(struct json_object *value, const char *text)
{
	return json_object_is_type(value, json_type_string) &&
	       (size_t)json_object_get_string_len(value) == strlen(text) &&
	       !memcmp(json_object_get_string(value), text, strlen(text));
}

static const char *algorithm_of(const struct token_key *key)
{
	static const char *const names[] = {
		[CONFIG_AUTH_HS256] = "HS256",
		[CONFIG_AUTH_ES256] = "ES256",
		[CONFIG_AUTH_RS256] = "RS256",
	};

	return names[key->settings->algorithm];
}

static enum token_result check_signature(const struct token_verifier *verifier,
					 struct json_object *header, const struct parts *parts)
{
	const char *encoded = parts->token + parts->header + parts->payload + 2;
	unsigned char signature[TOKEN_SIZE_MAX];
	ssize_t size = base64url_decode(signature, encoded, parts->signature);
	struct json_object *alg = json_object_object_get(header, "alg");
	struct json_object *kid = json_object_object_get(header, "kid");
	enum token_result result = kid ? TOKEN_KEY : TOKEN_ALGORITHM;

	if (size < 0)
		return TOKEN_MALFORMED;
	for (size_t i = 0; i < verifier->n_keys; i++) {
		const struct token_key *key = &verifier->keys[i];

		if (kid && key->settings->id && !is_string(kid, key->settings->id))
			continue;
		if (!is_string(alg, algorithm_of(key))) {
			if (result == TOKEN_KEY)
				result = TOKEN_ALGORITHM;
			continue;
		}
		if (token_key_has_signed(key, parts->token, parts->header + parts->payload + 1,
					 signature, (size_t)size))
			return TOKEN_GOOD;
		result = TOKEN_SIGNATURE;
	}
	return result;
}

static enum token_result check_header(const struct token_verifier *verifier,
				      const struct parts *parts)
{
	struct json_object *header = decode_object(parts->token, parts->header);
	enum token_result result;

	if (!header)
		return TOKEN_MALFORMED;
	if (json_object_object_get_ex(header, "crit", NULL))
		result = TOKEN_CRITICAL; /* RFC 7515 section 4.1.11 */
	else
		result = check_signature(verifier, header, parts);
	json_object_put(header);
	return result;
}

/* RFC 7519 section 2: seconds since 1970, which may have a fraction. */
static bool read_time(struct json_object *value, int64_t *time)
{
	double number = json_object_get_double(value);

	if (!json_object_is_type(value, json_type_int) &&
	    !json_object_is_type(value, json_type_double))
		return false;
	if (!(number >= 0 && number <= TIME_MAX)) /* false for what isn't a number, too */
		return false;
	*time = (int64_t)number;
	return true;
}

static enum token_result check_times(struct json_object *claims, int64_t leeway, int64_t now,
				     int64_t *expires)
{
	struct json_object *nbf;
	int64_t from = 0;

	if (!read_time(json_object_object_get(claims, "exp"), expires))
		return TOKEN_CLAIMS;
	if (json_object_object_get_ex(claims, "nbf", &nbf) && !read_time(nbf, &from))
		return TOKEN_CLAIMS;
	*expires += leeway;
	if (now >= *expires)
		return TOKEN_EXPIRED;
	return now < from - leeway ? TOKEN_NOT_YET : TOKEN_GOOD;
}

/* RFC 7519 section 4.1.3: one string, or an array of them. */
static bool is_for(struct json_object *aud, const char *audience)
{
	if (!audience)
		return !aud;
	if (!json_object_is_type(aud, json_type_array))
		return is_string(aud, audience);
	for (size_t i = 0; i < json_object_array_length(aud); i++)
		if (is_string(json_object_array_get_idx(aud, i), audience))
			return true;
	return false;
}

static enum token_result read_name(const struct config_auth *settings, struct json_object *claims,
				   struct identity *identity)
{
	struct json_object *name = json_object_object_get(claims, settings->name_claim);

	if (!json_object_is_type(name, json_type_string) ||
	    !utf8_is_name(json_object_get_string(name), (size_t)json_object_get_string_len(name)))
		return TOKEN_NAME;
	identity->name = strdup(json_object_get_string(name));
	return identity->name ? TOKEN_GOOD : TOKEN_MEMORY;
}

/* The name of a room, or the beginning of some and a *. */
static bool is_room(struct json_object *value)
{
	const char *text = json_object_get_string(value);
	size_t size = (size_t)json_object_get_string_len(value);

	if (!json_object_is_type(value, json_type_string) || !size)
		return false;
	return utf8_is_name(text, size); /* a name may have a star, too */
}

static enum token_result read_rooms(struct json_object *claims, struct identity *identity)
{
	struct json_object *rooms;
	size_t n;

	if (!json_object_object_get_ex(claims, "rooms", &rooms)) {
		identity->every_room = true;
		return TOKEN_GOOD;
	}
	if (!json_object_is_type(rooms, json_type_array))
		return TOKEN_CLAIMS;
	n = json_object_array_length(rooms);
	identity->rooms = calloc(n + 1, sizeof(char *));
	if (!identity->rooms)
		return TOKEN_MEMORY;
	for (size_t i = 0; i < n; i++) {
		struct json_object *room = json_object_array_get_idx(rooms, i);

		if (!is_room(room))
			return TOKEN_CLAIMS;
		identity->rooms[i] = strdup(json_object_get_string(room));
		if (!identity->rooms[i])
			return TOKEN_MEMORY;
		identity->n_rooms++;
	}
	return TOKEN_GOOD;
}

/* Rights that we don't know give nothing. */
static enum token_result read_rights(struct json_object *claims, struct identity *identity)
{
	static const char *const words[] = {"read", "write",
					    "moderate"}; /* by the bits of enum right */
	struct json_object *rights;

	identity->rights = RIGHT_READ | RIGHT_WRITE;
	if (!json_object_object_get_ex(claims, "rights", &rights))
		return TOKEN_GOOD;
	if (!json_object_is_type(rights, json_type_array))
		return TOKEN_CLAIMS;
	identity->rights = 0;
	for (size_t i = 0; i < json_object_array_length(rights); i++) {
		struct json_object *right = json_object_array_get_idx(rights, i);

		if (!json_object_is_type(right, json_type_string))
			return TOKEN_CLAIMS;
		for (unsigned n = 0; n < sizeof(words) / sizeof(words[0]); n++)
			if (is_string(right, words[n]))
				identity->rights |= 1u << n;
	}
	return TOKEN_GOOD;
}

static enum token_result read_claims(const struct config_auth *settings, struct json_object *claims,
				     int64_t now, struct identity *identity)
{
	enum token_result result =
		check_times(claims, settings->leeway_seconds, now, &identity->expires);

	if (result)
		return result;
	if (settings->issuer && !is_string(json_object_object_get(claims, "iss"), settings->issuer))
		return TOKEN_ISSUER;
	if (!is_for(json_object_object_get(claims, "aud"), settings->audience))
		return TOKEN_AUDIENCE;
	result = read_name(settings, claims, identity);
	if (!result)
		result = read_rooms(claims, identity);
	if (!result)
		result = read_rights(claims, identity);
	return result;
}

enum token_result token_verify(const struct token_verifier *verifier, const char *token,
			       size_t size, int64_t now, struct identity *identity)
{
	struct json_object *claims;
	enum token_result result;
	struct parts parts;

	*identity = (struct identity){0};
	if (size > TOKEN_SIZE_MAX)
		return TOKEN_TOO_LONG;
	if (!split(&parts, token, size))
		return TOKEN_MALFORMED;
	result = check_header(verifier, &parts);
	if (result)
		return result;
	claims = decode_object(token + parts.header + 1, parts.payload);
	if (!claims)
		return TOKEN_MALFORMED;
	result = read_claims(verifier->settings, claims, now, identity);
	json_object_put(claims);
	if (result)
		identity_finish(identity);
	return result;
}
