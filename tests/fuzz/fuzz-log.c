#include "fuzz.h"

#include "log.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whatever the values are, a line is one line: of JSON, or of text without control characters. */

#define LOG_MODULE "fuzz"

/* While the log writes, stderr is this file in memory. */
static int capture_fd = -1;

static size_t capture_line(enum log_format format, const char *value, const char *second,
			   char *line, size_t room)
{
	int saved = dup(STDERR_FILENO);
	ssize_t size;

	require(saved >= 0 && !ftruncate(capture_fd, 0) && !lseek(capture_fd, 0, SEEK_SET));
	dup2(capture_fd, STDERR_FILENO);
	log_configure(LOG_LEVEL_INFO, format);
	log_event(LOG_LEVEL_INFO, LOG_MODULE, "open", "path", value, "user", second, NULL);
	dup2(saved, STDERR_FILENO);
	close(saved);
	size = pread(capture_fd, line, room, 0);
	require(size > 0 && (size_t)size < room);
	return (size_t)size;
}

static void check_json(const char *line, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root;

	require(tokener);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, line, (int)size);
	require(json_tokener_get_error(tokener) == json_tokener_success);
	require(json_object_is_type(root, json_type_object));
	json_object_put(root);
	json_tokener_free(tokener);
}

/* C1, and what turns the direction of text, or ends a line; the line is well-formed UTF-8. */
static bool is_hidden_control(const unsigned char *at)
{
	if (at[0] == 0xc2)
		return at[1] <= 0x9f;
	if (at[0] == 0xd8)
		return at[1] == 0x9c;
	if (at[0] != 0xe2)
		return false;
	if (at[1] == 0x80)
		return at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xa8 && at[2] <= 0xae);
	return at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9;
}

static void check_line(const char *line, size_t size)
{
	require(line[size - 1] == '\n');
	require(fuzz_count_utf8((const uint8_t *)line, size) > 0);
	for (size_t i = 0; i < size - 1; i++) {
		require((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
		require(!is_hidden_control((const unsigned char *)line + i));
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	capture_fd = memfd_create("log", MFD_CLOEXEC);
	require(capture_fd >= 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = fuzz_string(data, size);
	size_t length = strlen(value);
	/* What stands behind the first NUL is the second value. */
	char *second = fuzz_string(data + (length < size ? length + 1 : size),
				   length < size ? size - length - 1 : 0);
	char line[4096];
	size_t n = capture_line(LOG_FORMAT_JSON, value, second, line, sizeof(line));

	check_line(line, n);
	check_json(line, n - 1);
	n = capture_line(LOG_FORMAT_TEXT, value, second, line, sizeof(line));
	check_line(line, n);
	free(value);
	free(second);
	return 0;
}
