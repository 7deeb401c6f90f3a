/*
 * libwebsockets on mbedTLS itself: a vhost's connections take their mbedTLS
 * configuration, with certificates, policy and tickets, from the application.
 *
 * Distributed under the MIT License, like libwebsockets.
 */
#ifndef LWS_MBEDTLS_CONFIGS_H
#define LWS_MBEDTLS_CONFIGS_H

#include <libwebsockets.h>
#include <mbedtls/ssl.h>

struct lws_mbedtls_configs {
	/* The configuration of a connection that is just being adopted; NULL refuses it. */
	const mbedtls_ssl_config *(*acquire)(void *opaque, struct lws *wsi);
	/* The connection is gone and needs it no longer. */
	void (*release)(void *opaque, const mbedtls_ssl_config *config);
	/* A handshake has ended: error is 0 or what mbedTLS returned. May be NULL. */
	void (*done)(void *opaque, const mbedtls_ssl_context *ssl, int error);
	void *opaque;
	/*
	 * What handshakes may take of one turn of the loop, all together. One of them
	 * is worked on in any case, those that come beyond wait for the next turn.
	 */
	lws_usec_t turn_us;
};

/*
 * For a vhost created with LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX, before its
 * first connection. *configs is copied; opaque must outlive the vhost.
 */
void lws_mbedtls_set_configs(struct lws_vhost *vhost, const struct lws_mbedtls_configs *configs);

/* The loop has turned: handshakes have their time again. To be called once each turn. */
void lws_mbedtls_begin_turn(struct lws_vhost *vhost);

#endif
