#pragma once

#include <stddef.h>
#include <stdint.h>

/* Unicode's properties, as far as names need them, each table in ascending order: made by utf8-tables.py. */

struct utf8_range {
	uint32_t first;
	uint32_t last;
};

/* The canonical combining class, where it isn't 0. */
struct utf8_class {
	uint32_t first;
	uint32_t last;
	uint32_t class;
};

/* What two code points make together in NFC. */
struct utf8_composition {
	uint32_t composite;
	uint32_t first;
	uint32_t second;
};

extern const struct utf8_range utf8_ignorable[]; /* nothing is seen of them */
extern const size_t n_utf8_ignorable;

extern const struct utf8_range utf8_joined[]; /* letters, marks and pictures that joiners join */
extern const size_t n_utf8_joined;

extern const struct utf8_range utf8_never_composed[]; /* that NFC makes something else of */
extern const size_t n_utf8_never_composed;

extern const struct utf8_range utf8_seconds[]; /* of a composition */
extern const size_t n_utf8_seconds;

extern const struct utf8_class utf8_classes[];
extern const size_t n_utf8_classes;

extern const struct utf8_composition utf8_compositions[];
extern const size_t n_utf8_compositions;
