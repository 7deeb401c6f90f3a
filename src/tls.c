#include "tls.h"

#include "log.h"
#include "metrics.h"
#include "tls-identity.h"

#include <errno.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/ssl_ticket.h>
#include <psa/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOG_MODULE "tls"

/*
 * A ticket is good for so long; its key is replaced as often and still opens
 * tickets for as long again: a day in all (RFC 8446 section 4.6.1 allows seven).
 */
#define TICKET_SECONDS (12 * 60 * 60)

struct tls {
	struct metrics *metrics;
	pthread_mutex_t lock; /* of the generations */
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context random;
	mbedtls_ssl_ticket_context tickets;
	struct identity_set *sets;
};

/* One configuration with its certificates, the entry's own first. */
struct generation {
	mbedtls_ssl_config config;
	atomic_uint references;
	struct tls_identity *identities;
	size_t n;
};

struct identity_set {
	struct identity_set *next;
	struct tls *tls;
	const struct config_tls *settings;
	struct generation *current;
};

/* Fast ciphers first: in TLS 1.2 the order is the server's, in 1.3 mbedTLS follows the client's. */
static const int ciphersuites[] = {
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	0,
};

static const uint16_t groups[] = {
	MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

static const uint16_t signatures[] = {
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
	MBEDTLS_TLS1_3_SIG_NONE,
};

static const char *application_protocols[] = {"http/1.1", "http/1.0", NULL};

static void log_mbedtls(const char *what, int error)
{
	char text[128];

	mbedtls_strerror(error, text, sizeof(text));
	log_error("%s: %s", what, text);
}

/* A ticket that opens is a session resumed. */
static int parse_ticket(void *opaque, mbedtls_ssl_session *session, unsigned char *ticket,
			size_t size)
{
	struct tls *tls = opaque;
	int r = mbedtls_ssl_ticket_parse(&tls->tickets, session, ticket, size);

	if (!r)
		metrics_server(tls->metrics)->tls_resumptions++;
	return r;
}

static int write_ticket(void *opaque, const mbedtls_ssl_session *session, unsigned char *start,
			const unsigned char *end, size_t *length, uint32_t *lifetime)
{
	struct tls *tls = opaque;

	return mbedtls_ssl_ticket_write(&tls->tickets, session, start, end, length, lifetime);
}

static int prepare(struct tls *tls)
{
	static const char personal[] = "switchboard tls";
	int r;

	/* TLS 1.3 does its key schedule through PSA, which fails until this is done. */
	if (psa_crypto_init() != PSA_SUCCESS) {
		log_error("psa_crypto_init failed");
		return -EIO;
	}
	r = mbedtls_ctr_drbg_seed(&tls->random, mbedtls_entropy_func, &tls->entropy,
				  (const unsigned char *)personal, sizeof(personal) - 1);
	if (!r)
		r = mbedtls_ssl_ticket_setup(&tls->tickets, mbedtls_ctr_drbg_random, &tls->random,
					     MBEDTLS_CIPHER_AES_256_GCM, TICKET_SECONDS);
	if (r) {
		log_mbedtls("random generator", r);
		return -EIO;
	}
	return 0;
}

int tls_create(struct tls **tlsp, struct metrics *metrics)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	int r;

	if (!tls)
		return -ENOMEM;
	tls->metrics = metrics;
	pthread_mutex_init(&tls->lock, NULL);
	mbedtls_entropy_init(&tls->entropy);
	mbedtls_ctr_drbg_init(&tls->random);
	mbedtls_ssl_ticket_init(&tls->tickets);
	r = prepare(tls);
	if (r < 0) {
		tls_destroy(tls);
		return r;
	}
	*tlsp = tls;
	return 0;
}

static void release(struct generation *generation)
{
	if (atomic_fetch_sub(&generation->references, 1) > 1)
		return;
	mbedtls_ssl_config_free(&generation->config);
	for (size_t i = 0; i < generation->n; i++)
		tls_identity_finish(&generation->identities[i]);
	free(generation->identities);
	free(generation);
}

void tls_destroy(struct tls *tls)
{
	if (!tls)
		return;
	while (tls->sets) {
		struct identity_set *set = tls->sets;

		tls->sets = set->next;
		if (set->current)
			release(set->current);
		free(set);
	}
	mbedtls_ssl_ticket_free(&tls->tickets);
	mbedtls_ctr_drbg_free(&tls->random);
	mbedtls_entropy_free(&tls->entropy);
	mbedtls_psa_crypto_free();
	pthread_mutex_destroy(&tls->lock);
	free(tls);
}

bool tls_name_matches(const char *name, const char *host, size_t host_size)
{
	const char *dot;

	if (name[0] != '*' || name[1] != '.')
		return strlen(name) == host_size && !strncasecmp(name, host, host_size);
	/* The star stands for one whole label. */
	dot = memchr(host, '.', host_size);
	if (!dot || dot == host)
		return false;
	host_size -= (size_t)(dot - host);
	return strlen(name + 1) == host_size && !strncasecmp(name + 1, dot, host_size);
}

/* The certificate for the name that the client asks for; the entry's own where there is none. */
static int choose_identity(void *opaque, mbedtls_ssl_context *ssl, const unsigned char *name,
			   size_t size)
{
	struct generation *generation = opaque;

	for (size_t i = 1; i < generation->n; i++) {
		struct tls_identity *identity = &generation->identities[i];

		if (tls_name_matches(identity->host, (const char *)name, size))
			return mbedtls_ssl_set_hs_own_cert(ssl, &identity->chain, &identity->key);
	}
	return 0;
}

static int set_policy(struct tls *tls, struct generation *generation)
{
	mbedtls_ssl_config *config = &generation->config;
	int r = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_SERVER,
					    MBEDTLS_SSL_TRANSPORT_STREAM,
					    MBEDTLS_SSL_PRESET_DEFAULT);

	if (r)
		return r;
	mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_3);
	mbedtls_ssl_conf_ciphersuites(config, ciphersuites);
	mbedtls_ssl_conf_groups(config, groups);
	mbedtls_ssl_conf_sig_algs(config, signatures);
	mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &tls->random);
	mbedtls_ssl_conf_session_tickets_cb(config, write_ticket, parse_ticket, tls);
	mbedtls_ssl_conf_tls13_key_exchange_modes(
		config, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL |
				MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL);
	mbedtls_ssl_conf_sni(config, choose_identity, generation);
	r = mbedtls_ssl_conf_alpn_protocols(config, application_protocols);
	if (r)
		return r;
	return mbedtls_ssl_conf_own_cert(config, &generation->identities[0].chain,
					 &generation->identities[0].key);
}

static int load_identities(struct tls *tls, const struct config_tls *settings,
			   struct generation *generation)
{
	int r;

	generation->identities = calloc(1 + settings->n_names, sizeof(struct tls_identity));
	if (!generation->identities)
		return -ENOMEM;
	generation->n = 1;
	if (settings->development)
		r = tls_identity_make(&generation->identities[0], &tls->random);
	else
		r = tls_identity_load(&generation->identities[0], NULL, settings->certificate,
				      settings->key, &tls->random);
	for (size_t i = 0; !r && i < settings->n_names; i++) {
		const struct config_tls_name *name = &settings->names[i];

		r = tls_identity_load(&generation->identities[generation->n++], name->host,
				      name->certificate, name->key, &tls->random);
	}
	return r;
}

static int create_generation(struct tls *tls, const struct config_tls *settings,
			     struct generation **generationp)
{
	struct generation *generation = calloc(1, sizeof(*generation));
	int r;

	if (!generation)
		return -ENOMEM;
	generation->references = 1;
	mbedtls_ssl_config_init(&generation->config);
	r = load_identities(tls, settings, generation);
	if (!r) {
		r = set_policy(tls, generation);
		if (r)
			log_mbedtls("policy", r);
	}
	if (r) {
		release(generation);
		return r < -255 || r > 0 ? -EINVAL : r; /* mbedTLS counts its errors from there */
	}
	*generationp = generation;
	return 0;
}

static void show_expiry(struct tls *tls, const struct generation *generation)
{
	for (size_t i = 0; i < generation->n; i++)
		metrics_set_certificate(tls->metrics, generation->identities[i].source,
					generation->identities[i].expires);
}

int tls_load(struct tls *tls, const struct config_tls *settings)
{
	struct identity_set *set = calloc(1, sizeof(*set));
	int r;

	if (!set)
		return -ENOMEM;
	set->tls = tls;
	set->settings = settings;
	r = create_generation(tls, settings, &set->current);
	if (r < 0) {
		free(set);
		return r;
	}
	show_expiry(tls, set->current);
	set->next = tls->sets;
	tls->sets = set;
	return 0;
}

static void reload(struct identity_set *set)
{
	struct tls *tls = set->tls;
	struct generation *fresh = NULL, *old;

	if (set->settings->development)
		return;
	if (create_generation(tls, set->settings, &fresh) < 0) {
		log_error("%s: not reloaded, the certificate of before stays in use",
			  set->settings->certificate);
		metrics_server(tls->metrics)->tls_reload_failures++;
		/* Not again until the files change once more. */
		for (size_t i = 0; i < set->current->n; i++)
			tls_identity_note_files(&set->current->identities[i]);
		return;
	}
	old = set->current;
	pthread_mutex_lock(&tls->lock);
	set->current = fresh;
	pthread_mutex_unlock(&tls->lock);
	release(old);
	show_expiry(tls, fresh);
	metrics_server(tls->metrics)->tls_reloads++;
	log_notice("%s: loaded anew", set->settings->certificate);
}

void tls_reload(struct tls *tls)
{
	for (struct identity_set *set = tls->sets; set; set = set->next)
		reload(set);
}

static bool has_changed(const struct generation *generation)
{
	for (size_t i = 0; i < generation->n; i++)
		if (tls_identity_has_changed(&generation->identities[i]))
			return true;
	return false;
}

void tls_reload_changed(struct tls *tls)
{
	for (struct identity_set *set = tls->sets; set; set = set->next)
		if (has_changed(set->current))
			reload(set);
}

const mbedtls_ssl_config *tls_acquire(struct tls *tls, const struct config_tls *settings)
{
	struct identity_set *set = tls->sets;
	struct generation *generation;

	while (set && set->settings != settings)
		set = set->next;
	if (!set)
		return NULL;
	pthread_mutex_lock(&tls->lock);
	generation = set->current;
	generation->references++;
	pthread_mutex_unlock(&tls->lock);
	return &generation->config;
}

void tls_release(const mbedtls_ssl_config *config)
{
	/* The configuration begins its generation. */
	release((struct generation *)(uintptr_t)config);
}

void tls_count_handshake(struct tls *tls, const mbedtls_ssl_context *ssl, int error)
{
	struct server_metrics *metrics = metrics_server(tls->metrics);

	if (error)
		metrics->tls_handshakes_failed++;
	else if (mbedtls_ssl_get_version_number(ssl) == MBEDTLS_SSL_VERSION_TLS1_3)
		metrics->tls_handshakes_1_3++;
	else
		metrics->tls_handshakes_1_2++;
	if (error && log_enabled(LOG_LEVEL_DEBUG)) {
		char text[128];

		mbedtls_strerror(error, text, sizeof(text));
		log_debug("handshake failed: %s", text);
	}
}
