#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Counts the code points of well-formed UTF-8 (RFC 3629: no surrogates, no
 * over-long forms, nothing past U+10FFFF). Returns -1 where it isn't.
 */
int utf8_count(const char *text, size_t size);

/*
 * Whether a person or a room may be called that: 1 to 64 code points of
 * well-formed UTF-8, no control characters (C0, DEL, C1), no line or paragraph
 * separator, no bidirectional override, and not "__server".
 */
bool utf8_is_name(const char *text, size_t size);
