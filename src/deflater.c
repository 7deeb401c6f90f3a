#include "deflater.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The hash table that goes with a window of 4 KiB: a larger one takes longer to clear than most messages to deflate. */
#define MEMORY_LEVEL 5

/* What RFC 7692 section 7.2.1 takes off the end of each message. */
static const unsigned char tail[] = {0, 0, 0xff, 0xff};

struct deflater {
	z_stream zlib;
};

int deflater_create(struct deflater **deflaterp)
{
	struct deflater *deflater = calloc(1, sizeof(*deflater));

	if (!deflater)
		return -ENOMEM;
	if (deflateInit2(&deflater->zlib, Z_BEST_SPEED, Z_DEFLATED, -DEFLATER_WINDOW_BITS,
			 MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(deflater);
		return -ENOMEM;
	}
	*deflaterp = deflater;
	return 0;
}

void deflater_destroy(struct deflater *deflater)
{
	if (!deflater)
		return;
	deflateEnd(&deflater->zlib);
	free(deflater);
}

size_t deflater_run(struct deflater *deflater, const void *message, size_t message_size, void *out,
		    size_t size)
{
	z_stream *zlib = &deflater->zlib;
	size_t n;

	if (message_size > UINT_MAX || size > UINT_MAX)
		return 0;
	deflateReset(zlib);
	zlib->next_in = (unsigned char *)(uintptr_t)message;
	zlib->avail_in = (uInt)message_size;
	zlib->next_out = out;
	zlib->avail_out = (uInt)size;
	/* Whether all of it is out shows only in that there is room left. */
	if (deflate(zlib, Z_SYNC_FLUSH) != Z_OK || !zlib->avail_out)
		return 0;
	n = size - zlib->avail_out;
	if (n <= sizeof(tail) || memcmp((char *)out + n - sizeof(tail), tail, sizeof(tail)))
		return 0;
	return n - sizeof(tail);
}
