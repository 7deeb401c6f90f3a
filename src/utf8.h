#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the first code point of what is left, at least one byte; returns how many that takes, 0 where it is ill-formed. */
size_t utf8_decode(const char *text, size_t left, uint32_t *code_point);

/*
 * Counts the code points of well-formed UTF-8 (RFC 3629: no surrogates, no
 * over-long forms, nothing past U+10FFFF). Returns -1 where it isn't.
 */
int utf8_count(const char *text, size_t size);

#define UTF8_NAME_MAX 64

/*
 * Whether a person or a room may be called that, which is one rule for all places
 * where names come in. RFC 8266 is its model, but nothing is changed: what isn't as
 * it has to be is refused.
 *
 * It is 1 to UTF8_NAME_MAX code points of well-formed UTF-8 in NFC; neither begins
 * nor ends with white space; has no control characters, line separators or default
 * ignorable code points, but for a joiner (U+200C, U+200D) between two letters,
 * marks or pictures of scripts that join; is no dot segment of a path; and doesn't
 * look like "__server".
 */
bool utf8_is_name(const char *text, size_t size);
