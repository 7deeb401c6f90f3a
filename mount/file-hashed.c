#include "mount/file-hashed.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static const char hex[] = "0123456789abcdef";
static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool is_hex(const char *part, size_t size)
{
	size_t numbers = 0;

	for (size_t i = 0; i < size; i++)
		numbers += isdigit((unsigned char)part[i]) != 0;
	return size >= 8 && strspn(part, hex) >= size && numbers && numbers < size;
}

static bool is_base64url(const char *part, size_t size)
{
	bool has_capital = false, has_number = false;

	if ((size != 8 && size < 16) || strspn(part, base64url) < size)
		return false;
	for (size_t i = 0; i < size; i++) {
		has_capital |= isupper((unsigned char)part[i]) != 0;
		has_number |= i + 1 < size && isdigit((unsigned char)part[i]) &&
			      isalpha((unsigned char)part[i + 1]);
	}
	return has_capital && has_number;
}

bool file_is_hashed(const char *name)
{
	for (const char *p = name; *p; p++) {
		size_t size = strcspn(p + 1, ".");

		if ((*p == '.' || *p == '-') && p[1 + size] == '.' &&
		    (is_hex(p + 1, size) || is_base64url(p + 1, size)))
			return true;
	}
	return false;
}
