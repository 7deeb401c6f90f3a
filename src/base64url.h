#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Base64 with the alphabet for URLs and without padding (RFC 4648 section 5, RFC 7515 section 2). */

/* Characters that size bytes become, without a NUL. */
#define BASE64URL_LENGTH(size) (((size)*4 + 2) / 3)

/* Encodes into out, which has room for BASE64URL_LENGTH(size) + 1 characters, and ends it with a NUL. */
void base64url_encode(char *out, const void *bytes, size_t size);

/*
 * Decodes text into out, which has room for length * 3 / 4 bytes. Returns how
 * many they are, or -EINVAL where the text is not what an encoder would have
 * written: each value has one spelling.
 */
ssize_t base64url_decode(unsigned char *out, const char *text, size_t length);
