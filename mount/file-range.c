#include "mount/file-range.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>

static bool parse_offset(const char **text, off_t *offset)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*offset = strtoll(*text, &end, 10);
	*text = end;
	return !errno;
}

unsigned file_range_parse(const char *text, off_t size, struct file_range *range)
{
	off_t first, last = size - 1;

	if (strncasecmp(text, "bytes=", 6))
		return 200;
	text += 6;
	if (*text == '-') {
		text++;
		if (!parse_offset(&text, &first) || *text)
			return 200;
		*range = (struct file_range){first < size ? size - first : 0, size - 1};
		return first && size ? 206 : 416;
	}
	if (!parse_offset(&text, &first) || *text++ != '-')
		return 200;
	if (*text && (!parse_offset(&text, &last) || *text || last < first))
		return 200;
	*range = (struct file_range){first, last < size ? last : size - 1};
	return first < size ? 206 : 416;
}
