#pragma once

#include <stdbool.h>

/*
 * Whether a file's name has a hash of what is in it, as bundlers write them:
 * "app.3f2a9c1b.js", "index-BpXq3Z1a.js". That is a part, behind a point or a
 * hyphen and before a point, of
 *
 *  - 8 or more lower-case hexadecimal digits, letters and numbers among them; or
 *  - 8, or 16 or more, base64url characters with capital letters, and with a number
 *    that isn't at the end: as it would be in "Version2", which is no hash.
 *
 * Such a file never changes; better one too few than one too many.
 */
bool file_is_hashed(const char *name);
