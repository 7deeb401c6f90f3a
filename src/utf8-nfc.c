#include "utf8-nfc.h"

#include "utf8-tables.h"

#include <string.h>

/*
 * Most texts have nothing in them that could be composed, or stand in the wrong
 * order. The others are taken apart, put in order and composed again, and must
 * come out as they were. Code points that NFC never has are refused before that:
 * what is left is taken apart by the table of compositions alone.
 */

/* Before it nothing combines, and everything is composed. */
#define FIRST_COMBINING 0x300

/* No composition is of more than four. */
#define PARTS_MAX (4 * UTF8_NFC_MAX)

/* Hangul syllables are composed by arithmetic (Unicode section 3.12). */
#define SYLLABLES 0xac00
#define LEADS 0x1100
#define VOWELS 0x1161
#define TAILS 0x11a7
#define N_LEADS 19
#define N_VOWELS 21
#define N_TAILS 28

static bool is_in(const struct utf8_range *ranges, size_t n, uint32_t c)
{
	size_t low = 0;

	while (low < n) {
		size_t middle = low + (n - low) / 2;

		if (c > ranges[middle].last)
			low = middle + 1;
		else if (c < ranges[middle].first)
			n = middle;
		else
			return true;
	}
	return false;
}

static uint32_t class_of(uint32_t c)
{
	size_t low = 0, n = n_utf8_classes;

	while (c >= FIRST_COMBINING && low < n) {
		size_t middle = low + (n - low) / 2;

		if (c > utf8_classes[middle].last)
			low = middle + 1;
		else if (c < utf8_classes[middle].first)
			n = middle;
		else
			return utf8_classes[middle].class;
	}
	return 0;
}

static bool is_between(uint32_t c, uint32_t first, uint32_t n)
{
	return c >= first && c < first + n;
}

/* Whether it may be the second one of a composition. */
static bool is_second(uint32_t c)
{
	return is_between(c, VOWELS, N_VOWELS) || is_between(c, TAILS + 1, N_TAILS - 1) ||
	       is_in(utf8_seconds, n_utf8_seconds, c);
}

static size_t take_syllable_apart(uint32_t *out, uint32_t c)
{
	uint32_t index = c - SYLLABLES;
	uint32_t tail = index % N_TAILS;

	out[0] = LEADS + index / (N_VOWELS * N_TAILS);
	out[1] = VOWELS + index % (N_VOWELS * N_TAILS) / N_TAILS;
	out[2] = TAILS + tail;
	return tail ? 3 : 2;
}

static const struct utf8_composition *find_composite(uint32_t c)
{
	size_t low = 0, n = n_utf8_compositions;

	while (low < n) {
		size_t middle = low + (n - low) / 2;

		if (c > utf8_compositions[middle].composite)
			low = middle + 1;
		else if (c < utf8_compositions[middle].composite)
			n = middle;
		else
			return &utf8_compositions[middle];
	}
	return NULL;
}

static size_t take_apart(uint32_t *out, uint32_t c)
{
	const struct utf8_composition *composition = find_composite(c);
	uint32_t seconds[3];
	size_t n_seconds = 0, n = 0;

	if (is_between(c, SYLLABLES, N_LEADS * N_VOWELS * N_TAILS))
		return take_syllable_apart(out, c);
	while (composition && n_seconds < 3) {
		seconds[n_seconds++] = composition->second;
		c = composition->first;
		composition = find_composite(c);
	}
	out[n++] = c;
	while (n_seconds)
		out[n++] = seconds[--n_seconds];
	return n;
}

/* Those between two starters, by their class; what has the same one stays in order. */
static void put_in_order(uint32_t *text, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t c = text[i], class = class_of(c);
		size_t j = i;

		for (; class && j && class_of(text[j - 1]) > class; j--)
			text[j] = text[j - 1];
		text[j] = c;
	}
}

/* What two make together; 0: nothing. */
static uint32_t compose_two(uint32_t first, uint32_t second)
{
	if (is_between(first, LEADS, N_LEADS) && is_between(second, VOWELS, N_VOWELS))
		return SYLLABLES + ((first - LEADS) * N_VOWELS + second - VOWELS) * N_TAILS;
	if (is_between(first, SYLLABLES, N_LEADS * N_VOWELS * N_TAILS) &&
	    (first - SYLLABLES) % N_TAILS == 0 && is_between(second, TAILS + 1, N_TAILS - 1))
		return first + second - TAILS;
	if (!is_second(second))
		return 0;
	for (size_t i = 0; i < n_utf8_compositions; i++)
		if (utf8_compositions[i].first == first && utf8_compositions[i].second == second)
			return utf8_compositions[i].composite;
	return 0;
}

/* Returns how many are left. */
static size_t compose(uint32_t *text, size_t n)
{
	uint32_t *starter = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t c = text[i], class = class_of(c);
		bool is_next = starter && starter == text + kept - 1;
		bool is_blocked = !starter || (!is_next && class_of(text[kept - 1]) >= class);
		uint32_t composite = is_blocked ? 0 : compose_two(*starter, c);

		if (composite) {
			*starter = composite;
			continue;
		}
		text[kept] = c;
		if (!class)
			starter = text + kept;
		kept++;
	}
	return kept;
}

static bool comes_out_the_same(const uint32_t *text, size_t n)
{
	uint32_t parts[PARTS_MAX];
	size_t n_parts = 0;

	for (size_t i = 0; i < n; i++)
		n_parts += take_apart(parts + n_parts, text[i]);
	put_in_order(parts, n_parts);
	n_parts = compose(parts, n_parts);
	return n_parts == n && !memcmp(parts, text, n * sizeof(*text));
}

bool utf8_is_nfc(const uint32_t *text, size_t n)
{
	bool is_plain = true;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < FIRST_COMBINING)
			continue;
		if (is_in(utf8_never_composed, n_utf8_never_composed, text[i]))
			return false;
		if (class_of(text[i]) || is_second(text[i]))
			is_plain = false;
	}
	return is_plain || comes_out_the_same(text, n);
}
