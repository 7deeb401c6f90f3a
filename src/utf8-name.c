#include "utf8.h"

#include "utf8-nfc.h"
#include "utf8-tables.h"

#include <string.h>
#include <uchar.h>

_Static_assert(UTF8_NAME_MAX <= UTF8_NFC_MAX, "a name is looked at as a whole");

static bool is_in(const struct utf8_range *ranges, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n && c >= ranges[i].first; i++)
		if (c <= ranges[i].last)
			return true;
	return false;
}

static bool is_white(uint32_t c)
{
	return c == ' ' || (c >= 0x9 && c <= 0xd) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	       c == 0x205f || c == 0x3000;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
}

/* A joiner is worth something between two that join; elsewhere it only hides. */
static bool is_joiner(const uint32_t *name, size_t n, size_t i)
{
	return (name[i] == 0x200c || name[i] == 0x200d) && i && i + 1 < n &&
	       is_in(utf8_joined, n_utf8_joined, name[i - 1]) &&
	       is_in(utf8_joined, n_utf8_joined, name[i + 1]);
}

static bool has_only_good(const uint32_t *name, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_control(name[i]) ||
		    (is_in(utf8_ignorable, n_utf8_ignorable, name[i]) && !is_joiner(name, n, i)))
			return false;
	return true;
}

/* What a letter of the Latin alphabet or an underscore looks like, in lower case; 0: something else. */
static char plain(uint32_t c)
{
	static const struct {
		char is;
		char32_t like[8];
	} table[] = {
		{'_', U"\u02cd\u2017\u203f\u2054\ufe33\ufe34\ufe4d"},
		{'_', U"\ufe4e\ufe4f"},
		{'s', U"\u0455\u0405\u017f\ua731\u1e9b"},
		{'e', U"\u0435\u0415\u0395\u1d07\u212e\u212f\u2130"},
		{'r', U"\u0280\u01a6\u211b\u211c\u211d"},
		{'v', U"\u03bd\u0475\u0474\u1d20\u2174\u2164"},
	};

	if (c >= 0xff01 && c <= 0xff5e) /* full-width */
		c = c - 0xff01 + '!';
	else if (c >= 0x24b6 && c <= 0x24e9) /* in a circle */
		c = (c - 0x24b6) % 26 + 'a';
	else if (c >= 0x1d400 && c <= 0x1d6a3) /* mathematical */
		c = (c - 0x1d400) % 26 + 'a';
	if (c < 0x80)
		return (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (const char32_t *like = table[i].like; *like; like++)
			if (*like == c)
				return table[i].is;
	return 0;
}

/* Underscores run into one another: however many there are, it looks the same. */
static bool looks_like_server(const uint32_t *name, size_t n)
{
	static const char server[] = "server";
	size_t i = 0;

	while (i < n && plain(name[i]) == '_')
		i++;
	if (!i || n - i != sizeof(server) - 1)
		return false;
	for (size_t k = 0; k < sizeof(server) - 1; k++)
		if (plain(name[i + k]) != server[k])
			return false;
	return true;
}

bool utf8_is_name(const char *text, size_t size)
{
	uint32_t name[UTF8_NAME_MAX];
	size_t n = 0;

	while (size) {
		size_t length = n < UTF8_NAME_MAX ? utf8_decode(text, size, &name[n]) : 0;

		if (!length)
			return false;
		n++;
		text += length;
		size -= length;
	}
	if (!n || is_white(name[0]) || is_white(name[n - 1]))
		return false;
	if (name[0] == '.' && (n == 1 || (n == 2 && name[1] == '.')))
		return false;
	return has_only_good(name, n) && utf8_is_nfc(name, n) && !looks_like_server(name, n);
}
