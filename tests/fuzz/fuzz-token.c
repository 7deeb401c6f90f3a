#include "fuzz.h"

#include "base64url.h"
#include "token.h"
#include "utf8.h"

#include <mbedtls/md.h>

/*
 * As it is, no input gets past the signature. So those that begin with S are
 * header and payload, with a newline between them, which are signed here.
 */

#define NOW 1000000

static char secret[] = "0123456789abcdef0123456789abcdef";
static char name_claim[] = "sub";

static struct config_auth_key key = {.algorithm = CONFIG_AUTH_HS256, .secret = secret};
static const struct config_auth settings = {
	.keys = &key, .n_keys = 1, .name_claim = name_claim, .leeway_seconds = 30};

static size_t sign(char *token, const char *text, size_t size)
{
	const char *newline = memchr(text, '\n', size);
	size_t header = newline ? (size_t)(newline - text) : size;
	size_t payload = newline ? size - header - 1 : 0;
	unsigned char hash[32];
	size_t n;

	base64url_encode(token, text, header);
	n = strlen(token);
	token[n++] = '.';
	base64url_encode(token + n, text + size - payload, payload);
	n += strlen(token + n);
	mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), (unsigned char *)secret,
			strlen(secret), (unsigned char *)token, n, hash);
	token[n++] = '.';
	base64url_encode(token + n, hash, sizeof(hash));
	return n + strlen(token + n);
}

/* What is read back is what was written; anything else is refused. */
static void check_base64url(const char *text, size_t size)
{
	unsigned char *bytes = malloc(size + 1);
	char *again = malloc(size + 4);
	ssize_t n;

	require(bytes && again);
	n = base64url_decode(bytes, text, size);
	require(n <= (ssize_t)(size * 3 / 4));
	if (n >= 0) {
		base64url_encode(again, bytes, (size_t)n);
		require(strlen(again) == size && !memcmp(again, text, size));
	}
	free(again);
	free(bytes);
}

static void check_good(const struct identity *identity)
{
	require(utf8_is_name(identity->name, strlen(identity->name)));
	require(identity->expires > NOW);
	require(!(identity->rights & ~(unsigned)(RIGHT_READ | RIGHT_WRITE | RIGHT_MODERATE)));
	require(!identity->every_room || !identity->n_rooms);
	for (size_t i = 0; i < identity->n_rooms; i++)
		require(*identity->rooms[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct token_verifier *verifier;
	bool is_signed = size && data[0] == 'S';
	const char *text = (const char *)data;
	struct identity identity;
	enum token_result result;
	char *token = malloc(size * 4 + 128);

	require(token && (verifier || !token_verifier_create(&verifier, &settings)));
	check_base64url(text, size);
	if (is_signed) {
		size = sign(token, text + 1, size - 1);
	} else if (size) {
		memcpy(token, data, size);
	}
	result = token_verify(verifier, token, size, NOW, &identity);
	require(result < TOKEN_RESULTS && *token_result_word(result));
	require((result == TOKEN_TOO_LONG) == (size > TOKEN_SIZE_MAX));
	if (result)
		require(!identity.name && !identity.rooms);
	else
		check_good(&identity);
	require(is_signed ? result != TOKEN_SIGNATURE : result != TOKEN_GOOD);
	identity_finish(&identity);
	free(token);
	return 0;
}
