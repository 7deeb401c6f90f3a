#pragma once

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

/* A certificate with its chain and its key, from files or made on the spot. */
struct tls_identity {
	const char *host;   /* whom it is for; NULL: whoever isn't named elsewhere */
	const char *source; /* the certificate's file, or what else to call it */
	const char *key_file;
	mbedtls_x509_crt chain;
	mbedtls_pk_context key;
	time_t expires;
	struct timespec changed[2]; /* when the files were, as of the load */
};

/*
 * Loads both files (PEM); the names must last as long as the identity. A key
 * that doesn't fit refuses, an expired certificate or a key that others can
 * read is a warning. Returns 0 or -errno after saying in the log what is wrong;
 * the identity is to be finished in either case.
 */
int tls_identity_load(struct tls_identity *identity, const char *host, const char *certificate,
		      const char *key, mbedtls_ctr_drbg_context *random);

/* Makes a self-signed ECDSA certificate for localhost, good for 30 days. As tls_identity_load(). */
int tls_identity_make(struct tls_identity *identity, mbedtls_ctr_drbg_context *random);

void tls_identity_finish(struct tls_identity *identity);

/* Whether one of the files is another than at the load, or since it was last noted. */
bool tls_identity_has_changed(const struct tls_identity *identity);
void tls_identity_note_files(struct tls_identity *identity);
