/*
 * The chunked transfer coding of requests: what lws knows for answers alone.
 *
 * Distributed under the MIT License, like libwebsockets.
 */
#ifndef LWS_CHUNKED_H
#define LWS_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

/* Where in a body one is; all zero at its start. */
struct lws_chunked {
	uint64_t left;	   /* of the chunk */
	uint32_t overhead; /* of extensions and trailers so far */
	uint8_t digits;	   /* of the size */
	uint8_t state;
};

/*
 * Takes what is next of a chunked body (RFC 9112 section 7.1), to the letter: every
 * line ends with CRLF. Extensions and trailers mean nothing here, and there may be no
 * more than 8 KiB of them. Returns how many of the bytes it has taken, and sets *data
 * and *size to what of these is data; or -1: this is none.
 */
int lws_chunked_take(struct lws_chunked *chunked, const unsigned char *in, size_t in_size,
		     const unsigned char **data, size_t *size);

/* Whether the body has ended; nothing is taken any more then. */
int lws_chunked_is_done(const struct lws_chunked *chunked);

#endif
