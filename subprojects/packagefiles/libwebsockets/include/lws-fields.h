/*
 * Header fields that come several times.
 *
 * Distributed under the MIT License, like libwebsockets.
 */
#if !defined(__LWS_FIELDS_H__)
#define __LWS_FIELDS_H__

#include <libwebsockets.h>

/*
 * All values of the fields that lws has no token for and that have that name, in
 * lower case and with its colon, in the order of the request and joined by commas
 * (RFC 9110 section 5.3): lws_hdr_custom_copy() gives only the first one.
 *
 * Returns the length of the result, or -1 where there is no such field. As much
 * of it as fits is written to dst, with a NUL, unless size is 0.
 */
LWS_VISIBLE LWS_EXTERN int
lws_fields_join(struct lws *wsi, const char *name, char *dst, size_t size);

#endif
