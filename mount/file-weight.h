#pragma once

/*
 * How much a client wants something, in thousandths (RFC 9110 section 12.4.2): the
 * weight that a list such as "br;q=1.0, gzip;q=0.8" gives to that name, 1000 where it
 * gives none. -1: the list, which may be NULL, doesn't name it.
 */
int file_weight(const char *list, const char *name);

/*
 * Of the codings in which there may be a file beside it, the one that is to be tried
 * at that place, by Accept-Encoding: 0 for the one that is wanted most. Returns "br" or
 * "gzip"; NULL: there is no further one that the client wants as much as the file itself.
 */
const char *file_coding(const char *accepted, unsigned place);
