#include "tls-identity.h"

#include "log.h"

#include <errno.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_MODULE "tls"

#define DEVELOPMENT_DAYS 30

static int fail(const char *file, int error)
{
	char text[128];

	mbedtls_strerror(error, text, sizeof(text));
	log_error("%s: %s, expected PEM", file, text);
	return -EINVAL;
}

static time_t time_of(const mbedtls_x509_time *time)
{
	struct tm utc = {
		.tm_year = time->year - 1900,
		.tm_mon = time->mon - 1,
		.tm_mday = time->day,
		.tm_hour = time->hour,
		.tm_min = time->min,
		.tm_sec = time->sec,
	};

	return timegm(&utc);
}

static struct timespec last_change(const char *file)
{
	struct stat st;

	if (stat(file, &st) < 0)
		return (struct timespec){0};
	return st.st_ctim.tv_sec > st.st_mtim.tv_sec ? st.st_ctim : st.st_mtim;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

void tls_identity_note_files(struct tls_identity *identity)
{
	if (!identity->key_file)
		return;
	identity->changed[0] = last_change(identity->source);
	identity->changed[1] = last_change(identity->key_file);
}

bool tls_identity_has_changed(const struct tls_identity *identity)
{
	return identity->key_file &&
	       (!same_time(identity->changed[0], last_change(identity->source)) ||
		!same_time(identity->changed[1], last_change(identity->key_file)));
}

static int check_readable(const char *file)
{
	if (!access(file, R_OK))
		return 0;
	log_error("%s: %s, expected a PEM file", file, strerror(errno));
	return -errno;
}

static void warn_if_public(const char *key)
{
	struct stat st;

	if (!stat(key, &st) && st.st_mode & S_IROTH)
		log_warning("%s: everybody on this machine can read the key, expected mode 0600",
			    key);
}

static void warn_if_expired(const struct tls_identity *identity)
{
	if (identity->expires < time(NULL))
		log_warning("%s: the certificate has expired", identity->source);
	else if (time_of(&identity->chain.valid_from) > time(NULL))
		log_warning("%s: the certificate is not valid yet", identity->source);
}

static void init(struct tls_identity *identity, const char *source)
{
	*identity = (struct tls_identity){.source = source};
	mbedtls_x509_crt_init(&identity->chain);
	mbedtls_pk_init(&identity->key);
}

int tls_identity_load(struct tls_identity *identity, const char *host, const char *certificate,
		      const char *key, mbedtls_ctr_drbg_context *random)
{
	int r;

	init(identity, certificate);
	identity->host = host;
	identity->key_file = key;
	tls_identity_note_files(identity);
	r = check_readable(certificate);
	if (!r)
		r = check_readable(key);
	if (r < 0)
		return r;
	r = mbedtls_x509_crt_parse_file(&identity->chain, certificate);
	if (r) /* more than 0: so many of the chain could not be read */
		return fail(certificate, r < 0 ? r : MBEDTLS_ERR_X509_INVALID_FORMAT);
	r = mbedtls_pk_parse_keyfile(&identity->key, key, NULL, mbedtls_ctr_drbg_random, random);
	if (r)
		return fail(key, r);
	if (mbedtls_pk_check_pair(&identity->chain.pk, &identity->key, mbedtls_ctr_drbg_random,
				  random)) {
		log_error("%s: the key does not fit the certificate %s", key, certificate);
		return -EINVAL;
	}
	identity->expires = time_of(&identity->chain.valid_to);
	warn_if_public(key);
	warn_if_expired(identity);
	return 0;
}

static void format_x509_time(char out[16], time_t time)
{
	struct tm utc;

	gmtime_r(&time, &utc);
	strftime(out, 16, "%Y%m%d%H%M%S", &utc);
}

static int describe(mbedtls_x509write_cert *certificate, mbedtls_pk_context *key,
		    mbedtls_ctr_drbg_context *random)
{
	static unsigned char ipv4[] = {127, 0, 0, 1};
	static unsigned char ipv6[16] = {[15] = 1};
	static char localhost[] = "localhost";
	mbedtls_x509_san_list v6 = {.node = {.type = MBEDTLS_X509_SAN_IP_ADDRESS,
					     .san = {.unstructured_name = {.p = ipv6, .len = 16}}}};
	mbedtls_x509_san_list v4 = {.node = {.type = MBEDTLS_X509_SAN_IP_ADDRESS,
					     .san = {.unstructured_name = {.p = ipv4, .len = 4}}},
				    .next = &v6};
	mbedtls_x509_san_list name = {
		.node = {.type = MBEDTLS_X509_SAN_DNS_NAME,
			 .san = {.unstructured_name = {.p = (unsigned char *)localhost, .len = 9}}},
		.next = &v4};
	char from[16], to[16];
	unsigned char serial[16];
	int r;

	format_x509_time(from, time(NULL) - 3600);
	format_x509_time(to, time(NULL) + DEVELOPMENT_DAYS * 24 * 3600);
	mbedtls_x509write_crt_set_version(certificate, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(certificate, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(certificate, key);
	mbedtls_x509write_crt_set_issuer_key(certificate, key);
	r = mbedtls_ctr_drbg_random(random, serial, sizeof(serial));
	serial[0] = (serial[0] & 0x7f) | 1; /* positive, and of its full length */
	if (!r)
		r = mbedtls_x509write_crt_set_serial_raw(certificate, serial, sizeof(serial));
	if (!r)
		r = mbedtls_x509write_crt_set_subject_name(certificate, "CN=localhost");
	if (!r)
		r = mbedtls_x509write_crt_set_issuer_name(certificate, "CN=localhost");
	if (!r)
		r = mbedtls_x509write_crt_set_validity(certificate, from, to);
	if (!r)
		r = mbedtls_x509write_crt_set_basic_constraints(certificate, 0, -1);
	if (!r)
		r = mbedtls_x509write_crt_set_subject_alternative_name(certificate, &name);
	return r;
}

static int sign(struct tls_identity *identity, mbedtls_ctr_drbg_context *random)
{
	mbedtls_x509write_cert certificate;
	unsigned char der[1024];
	int r;

	mbedtls_x509write_crt_init(&certificate);
	r = describe(&certificate, &identity->key, random);
	if (!r)
		r = mbedtls_x509write_crt_der(&certificate, der, sizeof(der),
					      mbedtls_ctr_drbg_random, random);
	mbedtls_x509write_crt_free(&certificate);
	if (r < 0)
		return r;
	/* It is written at the end of the buffer. */
	return mbedtls_x509_crt_parse_der(&identity->chain, der + sizeof(der) - r, (size_t)r);
}

int tls_identity_make(struct tls_identity *identity, mbedtls_ctr_drbg_context *random)
{
	int r;

	init(identity, "development");
	r = mbedtls_pk_setup(&identity->key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	if (!r)
		r = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(identity->key),
					mbedtls_ctr_drbg_random, random);
	if (!r)
		r = sign(identity, random);
	if (r)
		return fail("development certificate", r);
	identity->expires = time_of(&identity->chain.valid_to);
	log_warning(
		"--dev-tls: serving a SELF-SIGNED certificate for localhost, for development only");
	return 0;
}

void tls_identity_finish(struct tls_identity *identity)
{
	mbedtls_x509_crt_free(&identity->chain);
	mbedtls_pk_free(&identity->key);
}
