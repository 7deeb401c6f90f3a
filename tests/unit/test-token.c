#include "unit.h"

#include "base64url.h"
#include "token.h"

#include <errno.h>
#include <mbedtls/md.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* RFC 7515 appendix A: the payload that A.1 to A.3 sign, and their keys. Its name claim is "iss". */
#define RFC_PAYLOAD                                                                                \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0" \
	"cnVlfQ"
#define RFC_EXPIRES 1300819380

static const char rfc_hs256[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_PAYLOAD
				".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const char rfc_secret[] =
	"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

static const char rfc_rs256[] =
	"eyJhbGciOiJSUzI1NiJ9." RFC_PAYLOAD
	".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2"
	"Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB"
	"MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI"
	"2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
static const char rsa_key[] = "-----BEGIN PUBLIC KEY-----\n"
			      "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
			      "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
			      "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
			      "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
			      "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
			      "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
			      "oQIDAQAB\n"
			      "-----END PUBLIC KEY-----\n";

static const char rfc_es256[] = "eyJhbGciOiJFUzI1NiJ9." RFC_PAYLOAD
				".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSAp"
				"mWQxfKTUJqPP3-Kg6NU1Q";
static const char ec_key[] = "-----BEGIN PUBLIC KEY-----\n"
			     "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
			     "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
			     "-----END PUBLIC KEY-----\n";

/* Good keys, but not for ES256 and RS256. */
static const char p384_key[] = "-----BEGIN PUBLIC KEY-----\n"
			       "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEhlWlP41gClmTZ7NHsfGxrCkbmqRy7rjC\n"
			       "AG6cNvbnZmPD3csIJK0ioPF/iVcZrIuZ3vMp9ED+jML9opmjNCbztXq5jYKHc0vX\n"
			       "T7nSVOAlbw3JbrYWWj+rOIXxKa87g1d3\n"
			       "-----END PUBLIC KEY-----\n";
static const char rsa_1024_key[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDIT+qcyjKy5nJi8hC2Oj/AIh1U\n"
	"RwBZ6C+Eemu8M+EnbVezLfUWXCg8NC3s5StveMKvkK/GflFXAM4fM8PAmy47TJ25\n"
	"pJiLe0E36pM84E0iJHo//XhqQq2qBj4fPzss/zYqmN0T4Wce0PvyAGb/xADf5CNw\n"
	"vkP7ZbqeWRKcfpQqgQIDAQAB\n"
	"-----END PUBLIC KEY-----\n";

static char secret[] = "a secret of thirty-two bytes, or more";
static char other_secret[] = "another secret of thirty-two bytes or more";

#define NOW 1000000
#define EXP "\"exp\":1000060"

static char ec_file[] = "/tmp/test-token-ec-XXXXXX";
static char rsa_file[] = "/tmp/test-token-rsa-XXXXXX";

static int write_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -1;
	return close(fd);
}

static int write_keys(void **state)
{
	return write_file(ec_file, ec_key) || write_file(rsa_file, rsa_key);
}

static int remove_keys(void **state)
{
	return unlink(ec_file) || unlink(rsa_file);
}

static struct token_verifier *create(struct config_auth *settings)
{
	static char sub[] = "sub";
	struct token_verifier *verifier;

	if (!settings->name_claim)
		settings->name_claim = sub;
	assert_int_equal(token_verifier_create(&verifier, settings), 0);
	return verifier;
}

static size_t encode(char *out, const char *text, size_t size)
{
	base64url_encode(out, text, size);
	return strlen(out);
}

/* The compact form of header and payload with their HMAC. */
static const char *sign_with(const char *key, size_t key_size, const char *header,
			     const char *payload, size_t payload_size)
{
	static char token[16384];
	unsigned char hash[32];
	size_t n = encode(token, header, strlen(header));

	token[n++] = '.';
	n += encode(token + n, payload, payload_size);
	mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), (const unsigned char *)key,
			key_size, (unsigned char *)token, n, hash);
	token[n++] = '.';
	encode(token + n, (char *)hash, sizeof(hash));
	return token;
}

static const char *sign(const char *header, const char *payload)
{
	return sign_with(secret, strlen(secret), header, payload, strlen(payload));
}

#define HS256 "{\"alg\":\"HS256\"}"

static void assert_result(const struct token_verifier *verifier, const char *token, int64_t now,
			  enum token_result expected)
{
	struct identity identity;
	enum token_result result = token_verify(verifier, token, strlen(token), now, &identity);

	if (result != expected)
		fail_msg("%s, not %s: %s", token_result_word(result), token_result_word(expected),
			 token);
	assert_true(!identity.name == !!result);
	identity_finish(&identity);
}

/* A good signature with something behind it is none. */
static void assert_not_longer(const struct token_verifier *verifier, const char *token)
{
	const char *signature = strrchr(token, '.') + 1;
	unsigned char bytes[1024] = {0};
	char longer[2048];
	ssize_t n = base64url_decode(bytes, signature, strlen(signature));

	memcpy(longer, token, (size_t)(signature - token));
	encode(longer + (signature - token), (char *)bytes, (size_t)n + 1);
	assert_result(verifier, longer, RFC_EXPIRES - 1, TOKEN_SIGNATURE);
}

static void assert_rfc(struct config_auth_key *key, const char *token)
{
	struct config_auth settings = {
		.keys = key, .n_keys = 1, .name_claim = (char[]){"iss"}, .leeway_seconds = 0};
	struct token_verifier *verifier = create(&settings);
	struct identity identity;
	char *copy = strdup(token);

	assert_int_equal(token_verify(verifier, token, strlen(token), RFC_EXPIRES - 1, &identity),
			 0);
	assert_string_equal(identity.name, "joe");
	assert_int_equal(identity.expires, RFC_EXPIRES);
	assert_true(identity.every_room);
	assert_int_equal(identity.rights, RIGHT_READ | RIGHT_WRITE);
	identity_finish(&identity);
	assert_result(verifier, token, RFC_EXPIRES, TOKEN_EXPIRED);
	/* Not one character of it may be another. */
	for (char *p = copy; *p; p++) {
		char was = *p;

		*p = was == 'x' ? 'y' : 'x';
		assert_int_not_equal(
			token_verify(verifier, copy, strlen(copy), RFC_EXPIRES - 1, &identity), 0);
		*p = was;
	}
	for (size_t n = 0; n < strlen(token); n++)
		assert_int_not_equal(token_verify(verifier, token, n, RFC_EXPIRES - 1, &identity),
				     0);
	free(copy);
	assert_not_longer(verifier, token);
	token_verifier_destroy(verifier);
}

static void hs256_of_rfc_7515(void **state)
{
	unsigned char bytes[65] = {0};
	struct config_auth_key key = {.algorithm = CONFIG_AUTH_HS256, .secret = (char *)bytes};

	assert_int_equal(base64url_decode(bytes, rfc_secret, strlen(rfc_secret)), 64);
	assert_rfc(&key, rfc_hs256);
}

static void rs256_of_rfc_7515(void **state)
{
	struct config_auth_key key = {.algorithm = CONFIG_AUTH_RS256, .public_key = rsa_file};

	assert_rfc(&key, rfc_rs256);
}

static void es256_of_rfc_7515(void **state)
{
	struct config_auth_key key = {.algorithm = CONFIG_AUTH_ES256, .public_key = ec_file};

	assert_rfc(&key, rfc_es256);
}

struct row {
	const char *header;
	const char *payload;
	enum token_result result;
};

static void assert_rows(const struct token_verifier *verifier, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_result(verifier, sign(rows[i].header, rows[i].payload), NOW, rows[i].result);
}

static const struct row headers[] = {
	{HS256, "{\"sub\":\"ann\"," EXP "}", TOKEN_GOOD},
	{"{\"typ\":\"at+jwt\",\"alg\":\"HS256\",\"x\":{}}", "{\"sub\":\"ann\"," EXP "}",
	 TOKEN_GOOD},
	{"{\"alg\":\"hs256\"}", "{\"sub\":\"ann\"," EXP "}", TOKEN_ALGORITHM},
	{"{\"alg\":\"HS256\\u0000\"}", "{\"sub\":\"ann\"," EXP "}", TOKEN_ALGORITHM},
	{"{\"alg\":\"HS384\"}", "{\"sub\":\"ann\"," EXP "}", TOKEN_ALGORITHM},
	{"{\"alg\":[\"HS256\"]}", "{\"sub\":\"ann\"," EXP "}", TOKEN_ALGORITHM},
	{"{\"alg\":null}", "{\"sub\":\"ann\"," EXP "}", TOKEN_ALGORITHM},
	{"{\"alg\":\"none\"}", "{\"sub\":\"ann\"," EXP "}", TOKEN_ALGORITHM},
	{"{\"alg\":\"None\"}", "{\"sub\":\"ann\"," EXP "}", TOKEN_ALGORITHM},
	{"{\"alg\":\"\"}", "{\"sub\":\"ann\"," EXP "}", TOKEN_ALGORITHM},
	{"{}", "{\"sub\":\"ann\"," EXP "}", TOKEN_ALGORITHM},
	{"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", "{\"sub\":\"ann\"," EXP "}",
	 TOKEN_CRITICAL},
	{"{\"alg\":\"HS256\",\"crit\":null}", "{\"sub\":\"ann\"," EXP "}", TOKEN_CRITICAL},
	{"[]", "{}", TOKEN_MALFORMED},
	{"\"HS256\"", "{}", TOKEN_MALFORMED},
	{"", "{}", TOKEN_MALFORMED},
	{HS256 " {}", "{}", TOKEN_MALFORMED},
	{"{alg:\"HS256\"}", "{}", TOKEN_MALFORMED},
	{"{\"alg\":\"HS256\",\"x\":\"\xff\"}", "{}", TOKEN_MALFORMED},
	{"{\"alg\":\"HS256\",\"x\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", "{}",
	 TOKEN_MALFORMED},
	{HS256, "", TOKEN_MALFORMED},
	{HS256, "ann", TOKEN_MALFORMED},
	{HS256, "[]", TOKEN_MALFORMED},
	{HS256, "{\"sub\":\"ann\"," EXP "}x", TOKEN_MALFORMED},
};

static const struct row claims[] = {
	{HS256, "{\"sub\":\"ann\"," EXP ",\"aud\":null}", TOKEN_GOOD},
	{HS256, "{\"sub\":\"ann\",\"exp\":1000001}", TOKEN_GOOD},
	{HS256, "{\"sub\":\"ann\",\"exp\":999991}", TOKEN_GOOD}, /* within the leeway of 10 */
	{HS256, "{\"sub\":\"ann\",\"exp\":999990}", TOKEN_EXPIRED},
	{HS256, "{\"sub\":\"ann\",\"exp\":0}", TOKEN_EXPIRED},
	{HS256, "{\"sub\":\"ann\",\"exp\":1000060.5}", TOKEN_GOOD},
	{HS256, "{\"sub\":\"ann\",\"exp\":253402300799}", TOKEN_GOOD},
	{HS256, "{\"sub\":\"ann\",\"exp\":253402300800}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\",\"exp\":99999999999999999999999}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\",\"exp\":-1}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\",\"exp\":1e400}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\",\"exp\":NaN}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\",\"exp\":\"1000060\"}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\",\"exp\":true}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\",\"exp\":null}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\"}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"nbf\":1000010}", TOKEN_GOOD},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"nbf\":1000011}", TOKEN_NOT_YET},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"nbf\":\"0\"}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"nbf\":null}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"aud\":\"chat\"}", TOKEN_AUDIENCE},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"aud\":[]}", TOKEN_AUDIENCE},
	{HS256, "{" EXP "}", TOKEN_NAME},
	{HS256, "{\"sub\":7," EXP "}", TOKEN_NAME},
	{HS256, "{\"sub\":\"\"," EXP "}", TOKEN_NAME},
	{HS256, "{\"sub\":\"__server\"," EXP "}", TOKEN_NAME},
	{HS256, "{\"sub\":\"a\\u0000b\"," EXP "}", TOKEN_NAME},
	{HS256, "{\"sub\":\"a\\nb\"," EXP "}", TOKEN_NAME},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"rooms\":\"lobby\"}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"rooms\":null}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"rooms\":[\"lobby\",7]}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"rooms\":[\"\"]}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"rooms\":[\"a\\u0000*\"]}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"rights\":\"moderate\"}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"rights\":null}", TOKEN_CLAIMS},
	{HS256, "{\"sub\":\"ann\"," EXP ",\"rights\":[\"read\",null]}", TOKEN_CLAIMS},
};

static void headers_and_claims(void **state)
{
	static const char with_nul[] = "{\"sub\":\"ann\"," EXP "}\0{}";
	struct config_auth_key key = {.algorithm = CONFIG_AUTH_HS256, .secret = secret};
	struct config_auth settings = {.keys = &key, .n_keys = 1, .leeway_seconds = 10};
	struct token_verifier *verifier = create(&settings);

	assert_rows(verifier, headers, LENGTH(headers));
	assert_rows(verifier, claims, LENGTH(claims));
	/* For json-c a NUL ends the text. */
	assert_result(verifier,
		      sign_with(secret, strlen(secret), HS256, with_nul, sizeof(with_nul) - 1), NOW,
		      TOKEN_MALFORMED);
	token_verifier_destroy(verifier);
}

static void issuer_and_audience(void **state)
{
	static const struct row rows[] = {
		{HS256, "{\"sub\":\"ann\"," EXP ",\"iss\":\"i\",\"aud\":\"chat\"}", TOKEN_GOOD},
		{HS256, "{\"sub\":\"ann\"," EXP ",\"iss\":\"i\",\"aud\":[\"chat\"]}", TOKEN_GOOD},
		{HS256, "{\"sub\":\"ann\"," EXP ",\"iss\":\"i\",\"aud\":[7,\"x\",\"chat\"]}",
		 TOKEN_GOOD},
		{HS256, "{\"sub\":\"ann\"," EXP ",\"iss\":\"i\",\"aud\":[\"x\"]}", TOKEN_AUDIENCE},
		{HS256, "{\"sub\":\"ann\"," EXP ",\"iss\":\"i\",\"aud\":\"chat \"}",
		 TOKEN_AUDIENCE},
		{HS256, "{\"sub\":\"ann\"," EXP ",\"iss\":\"i\",\"aud\":\"chat\\u0000\"}",
		 TOKEN_AUDIENCE},
		{HS256, "{\"sub\":\"ann\"," EXP ",\"iss\":\"i\",\"aud\":{\"chat\":1}}",
		 TOKEN_AUDIENCE},
		{HS256, "{\"sub\":\"ann\"," EXP ",\"iss\":\"i\"}", TOKEN_AUDIENCE},
		{HS256, "{\"sub\":\"ann\"," EXP ",\"iss\":\"I\",\"aud\":\"chat\"}", TOKEN_ISSUER},
		{HS256, "{\"sub\":\"ann\"," EXP ",\"iss\":[\"i\"],\"aud\":\"chat\"}", TOKEN_ISSUER},
		{HS256, "{\"sub\":\"ann\"," EXP ",\"aud\":\"chat\"}", TOKEN_ISSUER},
	};
	struct config_auth_key key = {.algorithm = CONFIG_AUTH_HS256, .secret = secret};
	struct config_auth settings = {
		.keys = &key, .n_keys = 1, .issuer = (char[]){"i"}, .audience = (char[]){"chat"}};
	struct token_verifier *verifier = create(&settings);

	assert_rows(verifier, rows, LENGTH(rows));
	token_verifier_destroy(verifier);
}

static void rooms_and_rights(void **state)
{
	static const struct {
		const char *payload;
		unsigned rights;
		const char *may, *may_not;
	} rows[] = {
		{"{\"sub\":\"ann\"," EXP "}", RIGHT_READ | RIGHT_WRITE, "any", NULL},
		{"{\"sub\":\"ann\"," EXP ",\"rights\":[]}", 0, "any", NULL},
		{"{\"sub\":\"ann\"," EXP ",\"rights\":[\"read\"]}", RIGHT_READ, "any", NULL},
		{"{\"sub\":\"ann\"," EXP
		 ",\"rights\":[\"moderate\",\"fly\",\"READ\",\"write\\u0000\"]}",
		 RIGHT_MODERATE, "any", NULL},
		{"{\"sub\":\"ann\"," EXP ",\"rooms\":[]}", RIGHT_READ | RIGHT_WRITE, NULL, "any"},
		{"{\"sub\":\"ann\"," EXP ",\"rooms\":[\"lobby\"]}", RIGHT_READ | RIGHT_WRITE,
		 "lobby", "lobby2"},
		{"{\"sub\":\"ann\"," EXP ",\"rooms\":[\"x\",\"team-*\"]}", RIGHT_READ | RIGHT_WRITE,
		 "team-", "team"},
		{"{\"sub\":\"ann\"," EXP ",\"rooms\":[\"*\"]}", RIGHT_READ | RIGHT_WRITE, "any",
		 NULL},
	};
	struct config_auth_key key = {.algorithm = CONFIG_AUTH_HS256, .secret = secret};
	struct config_auth settings = {.keys = &key, .n_keys = 1};
	struct token_verifier *verifier = create(&settings);

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const char *token = sign(HS256, rows[i].payload);
		struct identity identity;

		assert_int_equal(token_verify(verifier, token, strlen(token), NOW, &identity), 0);
		assert_int_equal(identity.rights, rows[i].rights);
		if (rows[i].may)
			assert_true(identity_may_enter(&identity, rows[i].may));
		if (rows[i].may_not)
			assert_false(identity_may_enter(&identity, rows[i].may_not));
		identity_finish(&identity);
	}
	token_verifier_destroy(verifier);
}

/* Keys with ids, one without, and the kid that a token has or hasn't. */
static void the_kid_picks_the_key(void **state)
{
	static const struct {
		const char *header;
		const char *secret;
		enum token_result result;
	} rows[] = {
		{"{\"alg\":\"HS256\",\"kid\":\"a\"}", secret, TOKEN_GOOD},
		{"{\"alg\":\"HS256\",\"kid\":\"b\"}", other_secret, TOKEN_GOOD},
		{"{\"alg\":\"HS256\",\"kid\":\"a\"}", other_secret, TOKEN_SIGNATURE},
		{"{\"alg\":\"HS256\",\"kid\":\"c\"}", secret, TOKEN_ALGORITHM},
		{"{\"alg\":\"HS256\",\"kid\":\"d\"}", secret, TOKEN_KEY},
		{"{\"alg\":\"HS256\",\"kid\":\"a\\u0000\"}", secret, TOKEN_KEY},
		{"{\"alg\":\"HS256\",\"kid\":7}", secret, TOKEN_KEY},
		{"{\"alg\":\"HS256\",\"kid\":\"../../../dev/null\"}", "", TOKEN_KEY},
		{HS256, secret, TOKEN_GOOD},
		{HS256, other_secret, TOKEN_GOOD},
		{HS256, "a secret that nobody knows of, yet long", TOKEN_SIGNATURE},
	};
	static const char payload[] = "{\"sub\":\"ann\"," EXP "}";
	struct config_auth_key keys[] = {
		{.id = (char[]){"a"}, .algorithm = CONFIG_AUTH_HS256, .secret = secret},
		{.id = (char[]){"b"}, .algorithm = CONFIG_AUTH_HS256, .secret = other_secret},
		{.id = (char[]){"c"}, .algorithm = CONFIG_AUTH_ES256, .public_key = ec_file},
	};
	struct config_auth settings = {.keys = keys, .n_keys = LENGTH(keys)};
	struct token_verifier *verifier = create(&settings);

	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_result(verifier,
			      sign_with(rows[i].secret, strlen(rows[i].secret), rows[i].header,
					payload, strlen(payload)),
			      NOW, rows[i].result);
	token_verifier_destroy(verifier);
	keys[0].id = NULL;
	settings.n_keys = 1;
	verifier = create(&settings);
	assert_result(verifier, sign("{\"alg\":\"HS256\",\"kid\":\"whatever\"}", payload), NOW,
		      TOKEN_GOOD);
	token_verifier_destroy(verifier);
}

/* The public key is known to everybody: nobody may sign with it as if it were a secret. */
static void a_public_key_is_no_secret(void **state)
{
	static const char payload[] = "{\"sub\":\"ann\"," EXP "}";
	struct config_auth_key keys[] = {
		{.id = (char[]){"r"}, .algorithm = CONFIG_AUTH_RS256, .public_key = rsa_file},
		{.id = (char[]){"e"}, .algorithm = CONFIG_AUTH_ES256, .public_key = ec_file},
	};
	static const char *const pems[] = {rsa_key, ec_key, rsa_file, ""};
	static const char *const forged[] = {HS256, "{\"alg\":\"HS256\",\"kid\":\"r\"}",
					     "{\"alg\":\"HS256\",\"kid\":\"e\"}"};
	struct config_auth settings = {.keys = keys, .n_keys = LENGTH(keys)};
	struct token_verifier *verifier = create(&settings);

	for (size_t i = 0; i < LENGTH(pems); i++)
		for (size_t j = 0; j < LENGTH(forged); j++)
			assert_result(verifier,
				      sign_with(pems[i], strlen(pems[i]), forged[j], payload,
						strlen(payload)),
				      NOW, TOKEN_ALGORITHM);
	/* Nor is a signature good under another algorithm's key. */
	assert_result(verifier, sign("{\"alg\":\"RS256\"}", payload), NOW, TOKEN_SIGNATURE);
	assert_result(verifier, sign("{\"alg\":\"ES256\"}", payload), NOW, TOKEN_SIGNATURE);
	assert_result(verifier, sign("{\"alg\":\"ES256\",\"kid\":\"r\"}", payload), NOW,
		      TOKEN_ALGORITHM);
	assert_result(verifier, sign("{\"alg\":\"PS256\"}", payload), NOW, TOKEN_ALGORITHM);
	token_verifier_destroy(verifier);
}

/* A key that the token brings along, or tells where to find, counts for nothing. */
static void keys_inside_the_token_are_ignored(void **state)
{
	struct config_auth_key key = {.algorithm = CONFIG_AUTH_HS256, .secret = secret};
	struct config_auth settings = {.keys = &key, .n_keys = 1};
	struct token_verifier *verifier = create(&settings);
	static const char payload[] = "{\"sub\":\"ann\"," EXP "}";
	static const char header[] =
		"{\"alg\":\"HS256\",\"jku\":\"http://x/\",\"x5u\":\"http://x/\","
		"\"jwk\":{\"kty\":\"oct\",\"k\":\"eHh4\"}}";

	assert_result(verifier, sign_with("xxx", 3, header, payload, strlen(payload)), NOW,
		      TOKEN_SIGNATURE);
	token_verifier_destroy(verifier);
}

/* Zeroes, numbers past the curve's order, DER: none of them is a signature. */
static void worthless_signatures(void **state)
{
	struct config_auth_key keys[] = {
		{.algorithm = CONFIG_AUTH_ES256, .public_key = ec_file},
		{.algorithm = CONFIG_AUTH_RS256, .public_key = rsa_file},
		{.algorithm = CONFIG_AUTH_HS256, .secret = secret},
	};
	static const char *const algs[] = {"eyJhbGciOiJFUzI1NiJ9.", "eyJhbGciOiJSUzI1NiJ9.",
					   "eyJhbGciOiJIUzI1NiJ9."};
	static const unsigned char fills[] = {0x00, 0x01, 0xff};
	static const size_t sizes[] = {0, 1, 31, 32, 33, 63, 64, 65, 72, 255, 256, 257, 512};
	struct config_auth settings = {
		.keys = keys, .n_keys = LENGTH(keys), .name_claim = (char[]){"iss"}};
	struct token_verifier *verifier = create(&settings);

	for (size_t i = 0; i < LENGTH(algs) * LENGTH(fills) * LENGTH(sizes); i++) {
		char token[2048], bytes[512];
		size_t n = (size_t)snprintf(token, sizeof(token), "%s%s.", algs[i % LENGTH(algs)],
					    RFC_PAYLOAD);

		memset(bytes, fills[i / LENGTH(algs) % LENGTH(fills)], sizeof(bytes));
		encode(token + n, bytes, sizes[i / LENGTH(algs) / LENGTH(fills)]);
		assert_result(verifier, token, 0, TOKEN_SIGNATURE);
	}
	token_verifier_destroy(verifier);
}

static void forms_that_are_not_compact(void **state)
{
	struct config_auth_key key = {.algorithm = CONFIG_AUTH_HS256, .secret = secret};
	struct config_auth settings = {.keys = &key, .n_keys = 1};
	struct token_verifier *verifier = create(&settings);
	const char *good = sign(HS256, "{\"sub\":\"ann\"," EXP "}");
	char *text = malloc(TOKEN_SIZE_MAX + 2);
	struct identity identity;
	static const char *const forms[] = {"%s=", "%s ", " %s", "%s.", ".%s", "%s.x", "%s\n"};

	assert_result(verifier, good, NOW, TOKEN_GOOD);
	for (size_t i = 0; i < LENGTH(forms); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, TOKEN_SIZE_MAX, forms[i], good);
#pragma GCC diagnostic pop
		assert_result(verifier, text, NOW, TOKEN_MALFORMED);
	}
	assert_result(verifier, "", NOW, TOKEN_MALFORMED);
	assert_result(verifier, ".", NOW, TOKEN_MALFORMED);
	assert_result(verifier, "..", NOW, TOKEN_MALFORMED);
	assert_result(verifier, "{\"payload\":\"\",\"signatures\":[]}", NOW, TOKEN_MALFORMED);
	memset(text, 'A', TOKEN_SIZE_MAX + 1);
	assert_int_equal(token_verify(verifier, text, TOKEN_SIZE_MAX + 1, NOW, &identity),
			 TOKEN_TOO_LONG);
	assert_int_equal(token_verify(verifier, text, TOKEN_SIZE_MAX, NOW, &identity),
			 TOKEN_MALFORMED);
	free(text);
	token_verifier_destroy(verifier);
}

static void keys_that_are_none(void **state)
{
	static const struct {
		const char *text;
		enum config_auth_algorithm algorithm;
	} rows[] = {
		{"", CONFIG_AUTH_ES256},       {"nonsense", CONFIG_AUTH_RS256},
		{rsa_key, CONFIG_AUTH_ES256},  {ec_key, CONFIG_AUTH_RS256},
		{p384_key, CONFIG_AUTH_ES256}, {rsa_1024_key, CONFIG_AUTH_RS256},
	};
	struct config_auth_key key = {.algorithm = CONFIG_AUTH_ES256,
				      .public_key = (char[]){"/nowhere/key.pem"}};
	struct config_auth settings = {.keys = &key, .n_keys = 1, .name_claim = (char[]){"sub"}};
	struct token_verifier *verifier;

	assert_int_equal(token_verifier_create(&verifier, &settings), -ENOENT);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char path[] = "/tmp/test-token-XXXXXX";

		assert_int_equal(write_file(path, rows[i].text), 0);
		key = (struct config_auth_key){.algorithm = rows[i].algorithm, .public_key = path};
		assert_int_equal(token_verifier_create(&verifier, &settings), -EINVAL);
		unlink(path);
	}
	token_verifier_destroy(NULL);
}

static void every_result_has_a_word(void **state)
{
	for (int i = 0; i < TOKEN_RESULTS; i++)
		assert_true(strlen(token_result_word((enum token_result)i)) > 0);
	assert_string_equal(token_result_word(TOKEN_EXPIRED), "expired");
}

/* RFC 4648 section 10, without the padding. */
static void base64url_both_ways(void **state)
{
	static const struct {
		const char *bytes, *text;
	} rows[] = {
		{"", ""},
		{"f", "Zg"},
		{"fo", "Zm8"},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg"},
		{"fooba", "Zm9vYmE"},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff", "-_8"},
	};
	static const char *const wrong[] = {
		"A", "Zh", "Zm9", "Zg==", "Zm 8", "Zm+8", "Zm/8", "AAAAA"};
	unsigned char bytes[16];
	char text[16];

	for (size_t i = 0; i < LENGTH(rows); i++) {
		base64url_encode(text, rows[i].bytes, strlen(rows[i].bytes));
		assert_string_equal(text, rows[i].text);
		assert_int_equal(strlen(text), BASE64URL_LENGTH(strlen(rows[i].bytes)));
		assert_int_equal(base64url_decode(bytes, text, strlen(text)),
				 strlen(rows[i].bytes));
		assert_memory_equal(bytes, rows[i].bytes, strlen(rows[i].bytes));
	}
	for (size_t i = 0; i < LENGTH(wrong); i++)
		assert_int_equal(base64url_decode(bytes, wrong[i], strlen(wrong[i])), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hs256_of_rfc_7515),
		cmocka_unit_test(rs256_of_rfc_7515),
		cmocka_unit_test(es256_of_rfc_7515),
		cmocka_unit_test(headers_and_claims),
		cmocka_unit_test(issuer_and_audience),
		cmocka_unit_test(rooms_and_rights),
		cmocka_unit_test(the_kid_picks_the_key),
		cmocka_unit_test(a_public_key_is_no_secret),
		cmocka_unit_test(keys_inside_the_token_are_ignored),
		cmocka_unit_test(worthless_signatures),
		cmocka_unit_test(forms_that_are_not_compact),
		cmocka_unit_test(keys_that_are_none),
		cmocka_unit_test(every_result_has_a_word),
		cmocka_unit_test(base64url_both_ways),
	};

	return cmocka_run_group_tests(tests, write_keys, remove_keys);
}
