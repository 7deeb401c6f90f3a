/*
 * What the path of a request target means: what lws has no word for.
 *
 * Distributed under the MIT License, like libwebsockets.
 */
#ifndef LWS_PATH_H
#define LWS_PATH_H

#include <libwebsockets.h>

/*
 * Cuts a path as it was sent at its slashes, takes the dot segments out and only
 * then decodes what is percent-encoded (RFC 3986 sections 2.4, 3.3 and 5.2.4), so
 * that an encoded slash or dot is a character like any other. Several slashes are
 * one. Writes the segments to out, each ended by NUL, the last one empty where the
 * path ends with a slash; out needs as many bytes as the path has, and one.
 *
 * Returns how many bytes that took, or -1 where a segment has a NUL inside.
 */
int lws_path_split(const char *path, size_t size, char *out);

/*
 * Decodes what is percent-encoded, in place. What is no encoding stays as it is
 * (the URL standard's percent-decode). Returns the new size.
 */
size_t lws_percent_decode(char *text, size_t size);

/* The request's query as it was sent, NUL-terminated; NULL: its target has no question mark. */
const char *lws_query(struct lws *wsi);

#endif
