#include "unit.h"

#include "utf8.h"

#include <stdio.h>
#include <string.h>

struct bytes {
	const char *what;
	const char *text;
	size_t size;
	int count; /* -1: ill-formed */
};

/* A literal with its size, as it may hold NULs. */
#define B(literal) (literal), sizeof(literal) - 1

/* The boundaries of Unicode's table of well-formed byte sequences (RFC 3629 section 4). */
static const struct bytes sequences[] = {
	{"nothing", B(""), 0},
	{"ASCII", B("hello"), 5},
	{"NUL", B("a\0b"), 3},
	{"U+007F", B("\x7f"), 1},
	{"U+0080", B("\xc2\x80"), 1},
	{"U+07FF", B("\xdf\xbf"), 1},
	{"U+0800", B("\xe0\xa0\x80"), 1},
	{"U+D7FF", B("\xed\x9f\xbf"), 1},
	{"U+E000", B("\xee\x80\x80"), 1},
	{"U+FFFF", B("\xef\xbf\xbf"), 1},
	{"U+10000", B("\xf0\x90\x80\x80"), 1},
	{"U+10FFFF", B("\xf4\x8f\xbf\xbf"), 1},
	{"all lengths", B("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), 4},
	{"continuation alone", B("\x80"), -1},
	{"last continuation alone", B("\xbf"), -1},
	{"over-long / in two bytes", B("\xc0\xaf"), -1},
	{"over-long U+007F", B("\xc1\xbf"), -1},
	{"over-long / in three bytes", B("\xe0\x80\xaf"), -1},
	{"over-long U+07FF", B("\xe0\x9f\xbf"), -1},
	{"over-long / in four bytes", B("\xf0\x80\x80\xaf"), -1},
	{"over-long U+FFFF", B("\xf0\x8f\xbf\xbf"), -1},
	{"surrogate U+D800", B("\xed\xa0\x80"), -1},
	{"surrogate U+DFFF", B("\xed\xbf\xbf"), -1},
	{"surrogate pair", B("\xed\xa0\xbd\xed\xb8\x80"), -1},
	{"U+110000", B("\xf4\x90\x80\x80"), -1},
	{"lead byte F5", B("\xf5\x80\x80\x80"), -1},
	{"lead byte FF", B("\xff"), -1},
	{"five bytes", B("\xf8\x88\x80\x80\x80"), -1},
	{"two bytes cut", B("a\xc3"), -1},
	{"three bytes cut", B("a\xe2\x82"), -1},
	{"four bytes cut", B("a\xf0\x9f\x98"), -1},
	{"second byte no continuation", B("\xc3("), -1},
	{"third byte no continuation", B("\xe2\x82("), -1},
	{"fourth byte no continuation", B("\xf0\x9f\x98("), -1},
	{"fourth byte a lead byte", B("\xf0\x9f\x98\xc0"), -1},
	{"good, then bad", B("good\xff"), -1},
	{"bad, then good", B("\xffgood"), -1},
};

static void counts_code_points(void **state)
{
	for (size_t i = 0; i < LENGTH(sequences); i++) {
		const struct bytes *row = &sequences[i];
		int count = utf8_count(row->text, row->size);

		if (count != row->count)
			fail_msg("%s: counted %d, expected %d", row->what, count, row->count);
	}
}

struct name {
	const char *what;
	const char *text;
	size_t size;
	int good;
};

static const struct name names[] = {
	{"a name", B("ann"), 1},
	{"with a space", B("ann b"), 1},
	{"with two", B("ann  b"), 1},
	{"not Latin", B("\xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0"), 1},
	{"an emoji", B("\xf0\x9f\x98\x80"), 1},
	{"quotes and angle brackets", B("<\"'&>"), 1},
	{"what has a meaning in a URL", B("a/b?c#d%20+;&="), 1},
	{"right-to-left letters", B("\xd7\x90\xd7\xa0"), 1},
	{"U+007E", B("~"), 1},
	{"three dots", B("..."), 1},
	{"a dot and more", B(".a"), 1},
	{"empty", B(""), 0},
	{"a dot", B("."), 0},
	{"two dots", B(".."), 0},
	{"NUL", B("a\0b"), 0},
	{"only NUL", B("\0"), 0},
	{"tab", B("a\tb"), 0},
	{"newline", B("a\nb"), 0},
	{"U+001F", B("\x1f"), 0},
	{"U+007F", B("a\x7f"), 0},
	{"U+0080", B("\xc2\x80"), 0},
	{"U+009F", B("\xc2\x9f"), 0},
	{"ill-formed", B("ann\xff"), 0},
	{"over-long", B("\xc0\xaf"), 0},
	{"surrogate", B("\xed\xa0\x80"), 0},
	{"cut", B("ann\xc3"), 0},
	/* White space around it */
	{"U+0020", B(" "), 0},
	{"a space before it", B(" ann"), 0},
	{"a space behind it", B("ann "), 0},
	{"U+00A0 before it",
	 B("\xc2\xa0"
	   "ann"),
	 0},
	{"U+00A0 inside",
	 B("a\xc2\xa0"
	   "b"),
	 1},
	{"U+1680 behind it", B("ann\xe1\x9a\x80"), 0},
	{"U+2003 behind it", B("ann\xe2\x80\x83"), 0},
	{"U+202F behind it", B("ann\xe2\x80\xaf"), 0},
	{"U+3000 before it",
	 B("\xe3\x80\x80"
	   "ann"),
	 0},
	/* What nothing is seen of */
	{"U+00AD",
	 B("a\xc2\xad"
	   "b"),
	 0},
	{"U+034F",
	 B("a\xcd\x8f"
	   "b"),
	 0},
	{"U+115F",
	 B("a\xe1\x85\x9f"
	   "b"),
	 0},
	{"U+200B",
	 B("a\xe2\x80\x8b"
	   "b"),
	 0},
	{"U+2060",
	 B("a\xe2\x81\xa0"
	   "b"),
	 0},
	{"U+3164", B("\xe3\x85\xa4"), 0},
	{"U+FE0F", B("\xe2\x9d\xa4\xef\xb8\x8f"), 0},
	{"U+FEFF",
	 B("\xef\xbb\xbf"
	   "ann"),
	 0},
	{"a tag", B("ann\xf3\xa0\x81\xa1"), 0},
	{"a non-joiner in a Persian word",
	 B("\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae\xd9\x88\xd8\xa7\xd9\x87\xd9\x85"), 1},
	{"a joiner after a virama", B("\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7"), 1},
	{"a family", B("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7"), 1},
	{"a skin, and a rocket", B("\xf0\x9f\x91\xa9\xf0\x9f\x8f\xbd\xe2\x80\x8d\xf0\x9f\x9a\x80"),
	 1},
	{"a joiner before it", B("\xe2\x80\x8d\xd8\xae"), 0},
	{"a joiner behind it", B("\xd8\xae\xe2\x80\x8d"), 0},
	{"two joiners", B("\xd8\xae\xe2\x80\x8d\xe2\x80\x8d\xd8\xae"), 0},
	{"a joiner between Latin letters", B("ad\xe2\x80\x8dmin"), 0},
	{"a non-joiner beside a space", B("\xd8\xae\xe2\x80\x8c \xd8\xae"), 0},
	/* NFC */
	{"composed", B("Ren\xc3\xa9"), 1},
	{"not composed", B("Rene\xcc\x81"), 0},
	{"not to be composed", B("x\xcc\x81"), 1},
	{"one mark composed, one not", B("\xe1\xba\xb9\xcc\x80"), 1},
	{"two marks, the wrong one composed", B("\xc3\xaa\xcc\xa3"), 0},
	{"marks in order", B("x\xcc\xa3\xcc\x81"), 1},
	{"marks out of order", B("x\xcc\x81\xcc\xa3"), 0},
	{"the angstrom sign", B("\xe2\x84\xab"), 0},
	{"a compatibility ideograph", B("\xef\xa4\x80"), 0},
	{"a syllable", B("\xea\xb0\x80"), 1},
	{"a syllable in pieces", B("\xe1\x84\x80\xe1\x85\xa1"), 0},
	{"a syllable, and its tail", B("\xea\xb0\x80\xe1\x86\xa8"), 0},
	{"a Bengali vowel sign", B("\xe0\xa6\xac\xe0\xa6\xbe\xe0\xa6\x82"), 1},
	/* The server */
	{"the server", B("__server"), 0},
	{"the server, loud", B("__SerVer"), 0},
	{"with one line", B("_server"), 0},
	{"with three", B("___server"), 0},
	{"with a double line", B("\xe2\x80\x97server"), 0},
	{"full-width",
	 B("\xef\xbc\xbf\xef\xbc\xbf\xef\xbd\x93\xef\xbd\x85\xef\xbd\x92\xef\xbd\x96"
	   "\xef\xbd\x85\xef\xbd\x92"),
	 0},
	{"mathematical", B("__\xf0\x9d\x90\xac\x65rver"), 0},
	{"in Cyrillic", B("__\xd1\x95\xd0\xb5rv\xd0\xb5r"), 0},
	{"a joiner in it", B("__ser\xe2\x80\x8dver"), 0},
	{"without a line", B("server"), 1},
	{"longer than the server", B("__server_"), 1},
	{"shorter than the server", B("__serve"), 1},
};

static void tells_names(void **state)
{
	for (size_t i = 0; i < LENGTH(names); i++)
		if (utf8_is_name(names[i].text, names[i].size) != names[i].good)
			fail_msg("%s: expected it to be %s", names[i].what,
				 names[i].good ? "a name" : "refused");
}

/* Separators, what has no width, bidirectional embeddings, overrides and isolates. */
static void names_have_no_invisible_order(void **state)
{
	for (unsigned c = 0x2000; c < 0x2070; c++) {
		const char name[] = {'a', (char)0xe2, (char)(0x80 | (c >> 6 & 0x3f)),
				     (char)(0x80 | (c & 0x3f)), 'b'};
		int good = !((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
			     c >= 0x2060 ||
			     c <= 0x2001); /* U+2000 and U+2001 have other names in NFC */

		if (utf8_is_name(name, sizeof(name)) != good)
			fail_msg("U+%04X: expected it to be %s", c, good ? "a name" : "refused");
	}
}

/* The limit is on code points, whatever they take in bytes. */
static void names_have_at_most_64_code_points(void **state)
{
	static const char *const characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac",
						 "\xf0\x9f\x98\x80"};

	for (size_t i = 0; i < LENGTH(characters); i++) {
		size_t size = strlen(characters[i]);
		char name[65 * 4];

		for (size_t n = 0; n < 65; n++)
			memcpy(name + n * size, characters[i], size);
		assert_true(utf8_is_name(name, 64 * size));
		assert_false(utf8_is_name(name, 65 * size));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_code_points),
		cmocka_unit_test(tells_names),
		cmocka_unit_test(names_have_no_invisible_order),
		cmocka_unit_test(names_have_at_most_64_code_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
