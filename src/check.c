#include "check.h"

#include "journal-recognise.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/x509_crt.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CERTIFICATE "a certificate with its chain, in PEM"
#define DATABASE "sqlite: and a file that can be written to, or made"

struct check {
	const char *name;
	struct config_error *error;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context random;
};

/* key is where in the config it stands. */
static int fail(const struct check *check, const char *key, const char *found, const char *why,
		const char *expected)
{
	snprintf(check->error->text, sizeof(check->error->text),
		 "%s: %s: found \"%s\" (%s), expected %s", check->name, key, found, why, expected);
	return -EINVAL;
}

static int fail_mbedtls(const struct check *check, const char *key, const char *found, int error,
			const char *expected)
{
	char text[128];

	mbedtls_strerror(error, text, sizeof(text));
	return fail(check, key, found, text, expected);
}

static int check_readable(const struct check *check, const char *key, const char *file,
			  const char *expected)
{
	struct stat st;

	if (stat(file, &st) < 0 || access(file, R_OK) < 0)
		return fail(check, key, file, strerror(errno), expected);
	return S_ISREG(st.st_mode) ? 0 : fail(check, key, file, "no file", expected);
}

static int check_key(struct check *check, const char *key, const char *file,
		     mbedtls_x509_crt *chain)
{
	static const char expected[] = "a private key in PEM";
	mbedtls_pk_context pk;
	int r = check_readable(check, key, file, expected);

	if (r < 0)
		return r;
	mbedtls_pk_init(&pk);
	r = mbedtls_pk_parse_keyfile(&pk, file, NULL, mbedtls_ctr_drbg_random, &check->random);
	if (r)
		r = fail_mbedtls(check, key, file, r, expected);
	else if (mbedtls_pk_check_pair(&chain->pk, &pk, mbedtls_ctr_drbg_random, &check->random))
		r = fail(check, key, file, "another one's", "the key of the certificate");
	mbedtls_pk_free(&pk);
	return r;
}

/* at is what is in front of both keys in the config, such as "listen[0].tls". */
static int check_pair(struct check *check, const char *at, const char *certificate,
		      const char *key_file)
{
	mbedtls_x509_crt chain;
	char key[128];
	int r;

	snprintf(key, sizeof(key), "%s.certificate", at);
	r = check_readable(check, key, certificate, CERTIFICATE);
	if (r < 0)
		return r;
	mbedtls_x509_crt_init(&chain);
	r = mbedtls_x509_crt_parse_file(&chain, certificate);
	if (r > 0)
		r = fail(check, key, certificate, "a part of it can't be read", CERTIFICATE);
	else if (r)
		r = fail_mbedtls(check, key, certificate, r, CERTIFICATE);
	snprintf(key, sizeof(key), "%s.key", at);
	if (!r)
		r = check_key(check, key, key_file, &chain);
	mbedtls_x509_crt_free(&chain);
	return r;
}

static int check_tls(struct check *check, size_t i, const struct config_tls *tls)
{
	char at[64];
	int r = 0;

	if (!tls || tls->development)
		return 0;
	snprintf(at, sizeof(at), "listen[%zu].tls", i);
	r = check_pair(check, at, tls->certificate, tls->key);
	for (size_t j = 0; !r && j < tls->n_names; j++) {
		snprintf(at, sizeof(at), "listen[%zu].tls.names[%zu]", i, j);
		r = check_pair(check, at, tls->names[j].certificate, tls->names[j].key);
	}
	return r;
}

static int check_certificates(struct check *check, const struct config *config)
{
	int r = 0;

	psa_crypto_init();
	mbedtls_entropy_init(&check->entropy);
	mbedtls_ctr_drbg_init(&check->random);
	if (mbedtls_ctr_drbg_seed(&check->random, mbedtls_entropy_func, &check->entropy, NULL, 0))
		r = -EIO;
	for (size_t i = 0; !r && i < config->n_listen; i++)
		r = check_tls(check, i, config->listen[i].tls);
	mbedtls_ctr_drbg_free(&check->random);
	mbedtls_entropy_free(&check->entropy);
	return r;
}

static int check_folder(const struct check *check, const char *journal, const char *file)
{
	char *copy = strdup(file);
	int r = 0;

	if (copy && access(dirname(copy), W_OK | X_OK))
		r = fail(check, "chat.journal", journal, strerror(errno), DATABASE);
	free(copy);
	return r;
}

/* A running server may have it open: it is looked at, and not opened as one's own. */
static int check_journal(const struct check *check, const char *journal)
{
	const char *file = journal + strlen("sqlite:");
	struct journal_issued issued;
	struct stat st;
	int fd, r;

	if (strncmp(journal, "sqlite:", strlen("sqlite:")) != 0)
		return 0;
	if (stat(file, &st) < 0)
		return errno == ENOENT
			       ? check_folder(check, journal, file)
			       : fail(check, "chat.journal", journal, strerror(errno), DATABASE);
	if (!S_ISREG(st.st_mode))
		return fail(check, "chat.journal", journal, "no file", DATABASE);
	if (access(file, R_OK | W_OK))
		return fail(check, "chat.journal", journal, strerror(errno), DATABASE);
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return fail(check, "chat.journal", journal, strerror(errno), DATABASE);
	r = recognise_file(file, fd, &issued);
	close(fd);
	return r < 0 ? -EINVAL : check_folder(check, journal, file);
}

static int check_page(const struct check *check, const char *key, const char *www, const char *page)
{
	char *file;
	int r;

	if (!page)
		return 0;
	if (asprintf(&file, "%s/%s", www, page) < 0)
		return -ENOMEM;
	r = check_readable(check, key, file, "a file in www");
	free(file);
	return r;
}

static int check_www(const struct check *check, const struct config *config)
{
	static const char expected[] = "a directory of files to serve";
	struct stat st;
	int r;

	if (stat(config->www, &st) < 0 || access(config->www, R_OK | X_OK) < 0)
		return fail(check, "www", config->www, strerror(errno), expected);
	if (!S_ISDIR(st.st_mode))
		return fail(check, "www", config->www, "no directory", expected);
	r = check_page(check, "files.fallback", config->www, config->files.fallback);
	return r ? r : check_page(check, "files.not_found", config->www, config->files.not_found);
}

int check_files(const struct config *config, const char *name, struct config_error *error)
{
	struct check check = {.name = name, .error = error};
	int r;

	error->text[0] = '\0';
	r = check_www(&check, config);
	if (!r)
		r = check_certificates(&check, config);
	return r ? r : check_journal(&check, config->chat.journal);
}
