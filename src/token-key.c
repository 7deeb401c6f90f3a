#include "token-key.h"

#include "log.h"

#include <errno.h>
#include <mbedtls/constant_time.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/error.h>
#include <mbedtls/md.h>
#include <mbedtls/rsa.h>
#include <string.h>
#include <unistd.h>

#define LOG_MODULE "token"

#define HASH_SIZE 32

/* RFC 7518 section 3.3. */
#define RSA_BITS_MIN 2048

/* What is wrong with the key that was read, or NULL. */
static const char *check(const struct token_key *key)
{
	const mbedtls_ecp_keypair *ec;

	if (key->settings->algorithm == CONFIG_AUTH_ES256) {
		ec = mbedtls_pk_can_do(&key->public, MBEDTLS_PK_ECDSA) ? mbedtls_pk_ec(key->public)
								       : NULL;
		if (!ec || ec->MBEDTLS_PRIVATE(grp).id != MBEDTLS_ECP_DP_SECP256R1)
			return "not a key on the curve P-256, as ES256 needs";
	} else if (mbedtls_pk_get_type(&key->public) != MBEDTLS_PK_RSA) {
		return "not an RSA key, as RS256 needs";
	} else if (mbedtls_pk_get_bitlen(&key->public) < RSA_BITS_MIN) {
		return "fewer than 2048 bits";
	}
	return NULL;
}

int token_key_init(struct token_key *key, const struct config_auth_key *settings)
{
	const char *file = settings->public_key;
	const char *wrong;
	char text[128];
	int r;

	*key = (struct token_key){.settings = settings};
	mbedtls_pk_init(&key->public);
	if (settings->algorithm == CONFIG_AUTH_HS256)
		return 0;
	if (access(file, R_OK) < 0) {
		log_error("%s: %s, expected a public key in PEM", file, strerror(errno));
		return -errno;
	}
	r = mbedtls_pk_parse_public_keyfile(&key->public, file);
	if (r) {
		mbedtls_strerror(r, text, sizeof(text));
		log_error("%s: %s, expected a public key in PEM", file, text);
		return -EINVAL;
	}
	wrong = check(key);
	if (wrong) {
		log_error("%s: %s", file, wrong);
		return -EINVAL;
	}
	return 0;
}

void token_key_finish(struct token_key *key)
{
	mbedtls_pk_free(&key->public);
}

static bool check_hs256(const struct token_key *key, const char *text, size_t text_size,
			const unsigned char *signature, size_t size)
{
	const char *secret = key->settings->secret;
	unsigned char expected[HASH_SIZE];

	if (size != sizeof(expected) ||
	    mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256),
			    (const unsigned char *)secret, strlen(secret),
			    (const unsigned char *)text, text_size, expected))
		return false;
	return !mbedtls_ct_memcmp(signature, expected, size);
}

/* The two numbers of the signature one after the other (RFC 7518 section 3.4), not in DER as TLS has them. */
static bool check_es256(const struct token_key *key, const unsigned char hash[HASH_SIZE],
			const unsigned char *signature, size_t size)
{
	mbedtls_ecp_group group; /* of this call alone: it isn't for two threads */
	mbedtls_mpi r, s;
	bool good;

	if (size != 64)
		return false;
	mbedtls_ecp_group_init(&group);
	mbedtls_mpi_init(&r);
	mbedtls_mpi_init(&s);
	good = !mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1) &&
	       !mbedtls_mpi_read_binary(&r, signature, 32) &&
	       !mbedtls_mpi_read_binary(&s, signature + 32, 32) &&
	       !mbedtls_ecdsa_verify(&group, hash, HASH_SIZE,
				     &mbedtls_pk_ec(key->public)->MBEDTLS_PRIVATE(Q), &r, &s);
	mbedtls_mpi_free(&s);
	mbedtls_mpi_free(&r);
	mbedtls_ecp_group_free(&group);
	return good;
}

/* mbedTLS takes the key's own lock for it. */
static bool check_rs256(const struct token_key *key, const unsigned char hash[HASH_SIZE],
			const unsigned char *signature, size_t size)
{
	mbedtls_rsa_context *rsa = mbedtls_pk_rsa(key->public);

	return size == mbedtls_rsa_get_len(rsa) &&
	       !mbedtls_rsa_rsassa_pkcs1_v15_verify(rsa, MBEDTLS_MD_SHA256, HASH_SIZE, hash,
						    signature);
}

bool token_key_has_signed(const struct token_key *key, const char *text, size_t text_size,
			  const unsigned char *signature, size_t size)
{
	unsigned char hash[HASH_SIZE];

	if (key->settings->algorithm == CONFIG_AUTH_HS256)
		return check_hs256(key, text, text_size, signature, size);
	if (mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), (const unsigned char *)text,
		       text_size, hash))
		return false;
	return key->settings->algorithm == CONFIG_AUTH_ES256
		       ? check_es256(key, hash, signature, size)
		       : check_rs256(key, hash, signature, size);
}
