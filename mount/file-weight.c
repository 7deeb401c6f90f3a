#include "mount/file-weight.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define FULL 1000

/* Three digits at most follow the point; what is no weight is 0. */
static int read_weight(const char *text)
{
	int weight = *text == '1' ? FULL : 0;
	int digit = FULL / 10;

	if (*text != '0' || text[1] != '.')
		return weight;
	for (text += 2; *text >= '0' && *text <= '9'; text++, digit /= 10)
		weight += (*text - '0') * digit;
	return weight;
}

/* The weight among the parameters that end at end. */
static int find_weight(const char *parameters, const char *end)
{
	const char *p = parameters;

	while (p < end && (p = memchr(p, ';', (size_t)(end - p)))) {
		p += 1 + strspn(p + 1, " \t");
		if (!strncasecmp(p, "q=", 2))
			return read_weight(p + 2);
	}
	return FULL;
}

int file_weight(const char *list, const char *name)
{
	size_t length = strlen(name);

	while (list && *list) {
		const char *end, *item = list + strspn(list, " \t,");
		size_t n = strcspn(item, " \t,;");

		end = item + strcspn(item, ",");
		if (n == length && !strncasecmp(item, name, n))
			return find_weight(item + n, end);
		list = end;
	}
	return -1;
}

/* "*" stands for all that have no name there (RFC 9110 section 12.5.3). */
static int coding_weight(const char *accepted, const char *name)
{
	int weight = file_weight(accepted, name);

	if (weight < 0)
		weight = file_weight(accepted, "*");
	return weight < 0 ? 0 : weight;
}

const char *file_coding(const char *accepted, unsigned place)
{
	int br = coding_weight(accepted, "br");
	int gzip = coding_weight(accepted, "gzip");
	int identity = file_weight(accepted, "identity");
	bool is_br = (br >= gzip) == (place == 0);
	int weight = is_br ? br : gzip;

	if (place > 1 || weight <= 0 || weight < identity)
		return NULL;
	return is_br ? "br" : "gzip";
}
