#include "json-scan.h"

/* Returns the place of the quotation mark that ends the string which goes on at i, or size. */
static size_t skip_string(const char *text, size_t i, size_t size)
{
	while (i < size && text[i] != '"')
		i += text[i] == '\\' ? 2 : 1;
	return i < size ? i : size;
}

bool json_scan_fits(const char *text, size_t size, unsigned max)
{
	unsigned values = 0;

	for (size_t i = 0; i < size && values <= max; i++) {
		switch (text[i]) {
		case '"':
			i = skip_string(text, i + 1, size);
			break;
		case '{':
		case '[':
		case ',':
			values++;
			break;
		default:
			break;
		}
	}
	return values <= max;
}
