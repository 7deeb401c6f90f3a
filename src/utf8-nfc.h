#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most code points that utf8_is_nfc() looks at. */
#define UTF8_NFC_MAX 64

/* Whether a text is in Normalization Form C (UAX #15). It has at most UTF8_NFC_MAX code points. */
bool utf8_is_nfc(const uint32_t *text, size_t n);
