/*
 * lws' TLS operations on mbedTLS itself, for a server.
 *
 * lws reaches mbedTLS through a layer that imitates OpenSSL. That layer seeds an
 * entropy pool and a random generator and fills in a configuration for every
 * connection, sends only the leaf of a certificate chain, knows no session
 * tickets, stops at TLS 1.2, and frees a replaced certificate under handshakes
 * that use it. This file is instead of it: a connection is an mbedtls_ssl_context
 * and a reference to a configuration that the application shares between as many
 * as it likes (lws-mbedtls-configs.h).
 *
 * Distributed under the MIT License, like libwebsockets.
 */
#include "private-lib-core.h"

#include "lws-mbedtls-configs.h"

#include <mbedtls/net_sockets.h>

/* Bytes of content of a record that needs no larger buffer than an idle connection's. */
#define NATIVE_IDLE_RECORD 512

/* What lws calls an SSL_CTX and an SSL. */
struct native_ctx {
	struct lws_mbedtls_configs configs;
	lws_usec_t spent_us; /* by handshakes, in this turn of the loop */
};

struct native_conn {
	mbedtls_ssl_context ssl;
	const mbedtls_ssl_config *config;
	struct native_ctx *ctx;
	int fd;
	int wants_write; /* what the handshake waits for */
	int greeted; /* something of the client's has come: TLS, as far as one byte can tell */
};

static struct native_conn *
native_of(struct lws *wsi)
{
	return (struct native_conn *)wsi->tls.ssl;
}

static struct native_ctx *
native_ctx_of(struct lws_vhost *vhost)
{
	return (struct native_ctx *)vhost->tls.ssl_ctx;
}

static int
native_send(void *opaque, const unsigned char *buf, size_t len)
{
	struct native_conn *conn = opaque;
	ssize_t n = send(conn->fd, buf, len, MSG_NOSIGNAL);

	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return MBEDTLS_ERR_SSL_WANT_WRITE;

	return MBEDTLS_ERR_NET_SEND_FAILED;
}

static int
native_recv(void *opaque, unsigned char *buf, size_t len)
{
	struct native_conn *conn = opaque;
	ssize_t n = recv(conn->fd, buf, len, 0);

	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return MBEDTLS_ERR_SSL_WANT_READ;

	return MBEDTLS_ERR_NET_RECV_FAILED;
}

/*
 * Between records a connection keeps buffers for small ones only: a server has
 * many connections and few of them are sending.
 */
static void
native_trim(struct native_conn *conn)
{
	mbedtls_ssl_trim_buffers(&conn->ssl, NATIVE_IDLE_RECORD);
}

static void
native_free(struct native_conn *conn)
{
	mbedtls_ssl_free(&conn->ssl);
	conn->ctx->configs.release(conn->ctx->configs.opaque, conn->config);
	lws_free(conn);
}

/* the vhost */

void
lws_mbedtls_set_configs(struct lws_vhost *vhost, const struct lws_mbedtls_configs *configs)
{
	native_ctx_of(vhost)->configs = *configs;
}

void
lws_mbedtls_begin_turn(struct lws_vhost *vhost)
{
	native_ctx_of(vhost)->spent_us = 0;
}

int
lws_tls_server_vhost_backend_init(const struct lws_context_creation_info *info,
				  struct lws_vhost *vhost, struct lws *wsi)
{
	vhost->tls.ssl_ctx = lws_zalloc(sizeof(struct native_ctx), "native ctx");

	return !vhost->tls.ssl_ctx;
}

int
lws_tls_server_client_cert_verify_config(struct lws_vhost *vh)
{
	return 0;
}

int
lws_tls_server_certs_load(struct lws_vhost *vhost, struct lws *wsi, const char *cert,
			  const char *private_key, const char *mem_cert, size_t mem_cert_len,
			  const char *mem_privkey, size_t mem_privkey_len)
{
	return 0; /* they are the configurations' */
}

void
lws_ssl_SSL_CTX_destroy(struct lws_vhost *vhost)
{
	lws_free(vhost->tls.ssl_ctx);
	vhost->tls.ssl_ctx = NULL;
}

void
lws_ssl_destroy(struct lws_vhost *vhost)
{
	lws_ssl_SSL_CTX_destroy(vhost);
}

void
lws_ssl_context_destroy(struct lws_context *context)
{
}

lws_tls_ctx *
lws_tls_ctx_from_wsi(struct lws *wsi)
{
	return wsi->tls.ssl ? (lws_tls_ctx *)native_of(wsi)->ctx : NULL;
}

/* the handshake */

int
lws_tls_server_new_nonblocking(struct lws *wsi, lws_sockfd_type accept_fd)
{
	struct native_ctx *ctx = native_ctx_of(wsi->a.vhost);
	struct native_conn *conn = lws_zalloc(sizeof(*conn), "native conn");

	if (!conn)
		return 1;
	conn->ctx = ctx;
	conn->fd = accept_fd;
	mbedtls_ssl_init(&conn->ssl);
	conn->config = ctx->configs.acquire(ctx->configs.opaque, wsi);
	if (!conn->config) {
		lws_free(conn);
		return 1;
	}
	if (mbedtls_ssl_setup(&conn->ssl, conn->config)) {
		native_free(conn);
		return 1;
	}
	mbedtls_ssl_set_bio(&conn->ssl, conn, native_send, native_recv, NULL);
	wsi->tls.ssl = (lws_tls_conn *)conn;

	return 0;
}

enum lws_ssl_capable_status
lws_tls_server_abort_connection(struct lws *wsi)
{
	native_free(native_of(wsi));
	wsi->tls.ssl = NULL;

	return LWS_SSL_CAPABLE_DONE;
}

/* A client that speaks HTTP here gets an answer that it can read. Returns 1 when it does. */
static int
native_is_plain_http(struct native_conn *conn)
{
	static const char answer[] =
		"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
		"Content-Type: text/plain\r\nContent-Length: 33\r\n\r\n"
		"This port speaks TLS: use https.\n";
	char first;

	if (conn->greeted || recv(conn->fd, &first, 1, MSG_PEEK) != 1)
		return 0;
	conn->greeted = 1;
	if (first < 'A' || first > 'Z') /* a ClientHello's record begins with 22 */
		return 0;
	(void)!send(conn->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);

	return 1;
}

static int
native_is_spent(const struct native_ctx *ctx)
{
	return ctx->spent_us && ctx->spent_us >= ctx->configs.turn_us;
}

/* For the event loop, which need not go through all of lws to hear the same a thousand times. */
int
lws_tls_handshake_waits(struct lws *wsi)
{
	return native_is_spent(native_ctx_of(wsi->a.vhost));
}

/*
 * One signature takes longer than hundreds of messages, and a crowd asks for as
 * many as it likes: what is beyond the turn's share stays in the socket, which is
 * reported again.
 */
static int
native_handshake(struct native_conn *conn)
{
	struct native_ctx *ctx = conn->ctx;
	lws_usec_t begin;
	int n;

	if (native_is_spent(ctx))
		return conn->wants_write ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_WANT_READ;
	begin = lws_now_usecs();
	n = native_is_plain_http(conn) ? MBEDTLS_ERR_SSL_INVALID_RECORD :
					 mbedtls_ssl_handshake(&conn->ssl);
	ctx->spent_us += lws_now_usecs() - begin;
	conn->wants_write = n == MBEDTLS_ERR_SSL_WANT_WRITE;

	return n;
}

enum lws_ssl_capable_status
lws_tls_server_accept(struct lws *wsi)
{
	struct native_conn *conn = native_of(wsi);
	struct lws_mbedtls_configs *configs = &conn->ctx->configs;
	int n = native_handshake(conn);

	wsi->skip_fallback = 1;
	switch (n) {
	case MBEDTLS_ERR_SSL_WANT_READ:
		return lws_change_pollfd(wsi, 0, LWS_POLLIN) ?
			LWS_SSL_CAPABLE_ERROR : LWS_SSL_CAPABLE_MORE_SERVICE_READ;
	case MBEDTLS_ERR_SSL_WANT_WRITE:
		return lws_change_pollfd(wsi, 0, LWS_POLLOUT) ?
			LWS_SSL_CAPABLE_ERROR : LWS_SSL_CAPABLE_MORE_SERVICE_WRITE;
	default:
		native_trim(conn);
		if (configs->done)
			configs->done(configs->opaque, &conn->ssl, n);
		return n ? LWS_SSL_CAPABLE_ERROR : LWS_SSL_CAPABLE_DONE;
	}
}

/* reading and writing */

int
lws_ssl_capable_read(struct lws *wsi, unsigned char *buf, size_t len)
{
	struct lws_context_per_thread *pt = &wsi->a.context->pt[(int)wsi->tsi];
	struct native_conn *conn = native_of(wsi);
	int n;

	if (!conn)
		return lws_ssl_capable_read_no_ssl(wsi, buf, len);

	n = mbedtls_ssl_read(&conn->ssl, buf, len);
	if (n == MBEDTLS_ERR_SSL_WANT_READ)
		return LWS_SSL_CAPABLE_MORE_SERVICE;
	if (n == MBEDTLS_ERR_SSL_WANT_WRITE) {
		wsi->tls_read_wanted_write = 1;
		lws_callback_on_writable(wsi);
		return LWS_SSL_CAPABLE_MORE_SERVICE;
	}
	if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) /* to be answered (RFC 8446 section 6.1) */
		mbedtls_ssl_close_notify(&conn->ssl);
	if (n <= 0) { /* his close_notify, his FIN, or an error */
		wsi->socket_is_permanently_unusable = 1;
		return LWS_SSL_CAPABLE_ERROR;
	}

	/* what is left of a record won't be signalled by POLLIN */

	if (mbedtls_ssl_get_bytes_avail(&conn->ssl)) {
		if (lws_dll2_is_detached(&wsi->tls.dll_pending_tls))
			lws_dll2_add_head(&wsi->tls.dll_pending_tls,
					  &pt->tls.dll_pending_tls_owner);
	} else {
		__lws_ssl_remove_wsi_from_buffered_list(wsi);
		native_trim(conn);
	}

	return n;
}

int
lws_ssl_pending(struct lws *wsi)
{
	/* a number of bytes: lws reads no more than that next time */
	return wsi->tls.ssl ? (int)mbedtls_ssl_get_bytes_avail(&native_of(wsi)->ssl) : 0;
}

/*
 * As many records as the socket takes. mbedTLS holds a record that the socket
 * refused, and counts it only when it is called again for the same bytes: lws
 * keeps them at the front of its own buffer until then.
 */
int
lws_ssl_capable_write(struct lws *wsi, unsigned char *buf, size_t len)
{
	struct native_conn *conn = native_of(wsi);
	size_t done = 0;
	int n = 0;

	if (!conn)
		return lws_ssl_capable_write_no_ssl(wsi, buf, len);

	while (done < len) {
		n = mbedtls_ssl_write(&conn->ssl, buf + done, len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (n > 0)
		native_trim(conn);
	if (n > 0 || (done && n == MBEDTLS_ERR_SSL_WANT_WRITE))
		return (int)done;
	if (n == MBEDTLS_ERR_SSL_WANT_WRITE) {
		lws_set_blocking_send(wsi);
		return LWS_SSL_CAPABLE_MORE_SERVICE;
	}
	if (n == MBEDTLS_ERR_SSL_WANT_READ)
		return LWS_SSL_CAPABLE_MORE_SERVICE;
	wsi->socket_is_permanently_unusable = 1;

	return LWS_SSL_CAPABLE_ERROR;
}

/* the end */

enum lws_ssl_capable_status
__lws_tls_shutdown(struct lws *wsi)
{
	/* what was read but not taken any more must not go on waking us */
	__lws_ssl_remove_wsi_from_buffered_list(wsi);
	mbedtls_ssl_close_notify(&native_of(wsi)->ssl);
	(void)shutdown(wsi->desc.sockfd, SHUT_WR);

	return LWS_SSL_CAPABLE_DONE;
}

int
lws_ssl_close(struct lws *wsi)
{
	struct native_conn *conn = native_of(wsi);

	if (!conn)
		return 0; /* not handled */
	if (!wsi->socket_is_permanently_unusable)
		mbedtls_ssl_close_notify(&conn->ssl);
	compatible_close(conn->fd);
	native_free(conn);
	wsi->tls.ssl = NULL;
	lws_tls_restrict_return(wsi);

	return 1; /* handled */
}

void
lws_ssl_info_callback(const lws_tls_conn *ssl, int where, int ret)
{
}

static int
native_fake_POLLIN_for_buffered(struct lws_context_per_thread *pt)
{
	return lws_tls_fake_POLLIN_for_buffered(pt);
}

const struct lws_tls_ops tls_ops_mbedtls = {
	/* fake_POLLIN_for_buffered */	native_fake_POLLIN_for_buffered,
};

/* lws' own client would preload certificates from there */
const char *mbedtls_client_preload_filepath;

/* What lws asks of a TLS library and a configuration here answers by itself: certificates' dates, and ALPN */

int
lws_tls_vhost_cert_info(struct lws_vhost *vhost, enum lws_tls_cert_info type,
			union lws_tls_cert_info_results *buf, size_t len)
{
	return -1;
}

int
lws_tls_peer_cert_info(struct lws *wsi, enum lws_tls_cert_info type,
		       union lws_tls_cert_info_results *buf, size_t len)
{
	return -1;
}

void
SSL_CTX_set_alpn_select_cb(SSL_CTX *ctx, next_proto_cb cb, void *arg)
{
}

int
SSL_select_next_proto(unsigned char **out, unsigned char *outlen, const unsigned char *in,
		      unsigned int inlen, const unsigned char *client, unsigned int client_len)
{
	return 0;
}

void
SSL_get0_alpn_selected(const SSL *ssl, const unsigned char **data, unsigned int *len)
{
	*data = (const unsigned char *)mbedtls_ssl_get_alpn_protocol(
					&((const struct native_conn *)ssl)->ssl);
	*len = *data ? (unsigned int)strlen((const char *)*data) : 0;
}
