#pragma once

#include "config.h"

#include <mbedtls/ssl.h>
#include <stdbool.h>

/*
 * TLS: certificates, policy and session tickets.
 *
 * What all connections of one listening address share is an mbedTLS
 * configuration with its certificates. Loading certificates anew makes another
 * one for the connections that are still to come; the old one lasts until the
 * last connection that uses it is gone, so that neither handshakes under way
 * nor open connections notice.
 *
 * Connections of any thread may acquire and release; everything else is for the
 * one that has made it.
 */
struct tls;
struct metrics;

/* Returns 0 or -errno after saying in the log what is wrong. */
int tls_create(struct tls **tlsp, struct metrics *metrics);
void tls_destroy(struct tls *tls);

/*
 * Loads what an entry of the config's listen names, or makes a certificate for
 * localhost where it asks for one. The settings must last as long as tls.
 * Returns 0 or -errno after saying in the log what is wrong.
 */
int tls_load(struct tls *tls, const struct config_tls *settings);

/* Loads everything anew. What can't be loaded stays as it is, and the log says why. */
void tls_reload(struct tls *tls);

/* As tls_reload(), where files have changed since they were loaded. */
void tls_reload_changed(struct tls *tls);

/* The current configuration of what was loaded by these settings, for one connection, which must release it. */
const mbedtls_ssl_config *tls_acquire(struct tls *tls, const struct config_tls *settings);
void tls_release(const mbedtls_ssl_config *config);

/* Counts a handshake that has ended; error is 0 or what mbedTLS returned. */
void tls_count_handshake(struct tls *tls, const mbedtls_ssl_context *ssl, int error);

/* Whether a certificate's name, such as *.example.org, covers the host (RFC 6125 section 6.4.3). */
bool tls_name_matches(const char *name, const char *host, size_t host_size);
