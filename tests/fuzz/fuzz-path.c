#include "fuzz.h"

#include "http-request.h"

#include <errno.h>

/* No file leads out of its root, and no segment has anything that the path doesn't say. */

static void check_file(const char *file)
{
	const char *p = file;

	require(*file != '/');
	while (*p) {
		size_t length = strcspn(p, "/");

		require(length);
		require(length != 1 || *p != '.');
		require(length != 2 || memcmp(p, "..", 2));
		p += length + (p[length] == '/');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	const char *segment = NULL, *file;
	struct http_path path;
	size_t total = 0;
	int r;

	require(text);
	if (size)
		memcpy(text, data, size);
	r = http_path_split(&path, text, size);
	if (r < 0) {
		require(r == -EINVAL);
		require(memchr(text, '\0', size) || memmem(text, size, "%00", 3));
		free(text);
		return 0;
	}
	while ((segment = http_path_next(&path, segment))) {
		total += strlen(segment) + 1;
		require(*segment || total == path.size);
	}
	require(total == path.size && total && total <= size + 1);
	file = http_path_as_file(&path);
	if (file) {
		require(strlen(file) + 1 == total);
		check_file(file);
	}
	http_path_finish(&path);
	free(text);
	return 0;
}
