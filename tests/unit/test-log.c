#include "unit.h"

#include "log.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG_MODULE "test"

/* A time such as 2026-01-02T03:04:05.678Z and the space behind it. */
#define TIME_SIZE 25

/* While a line is written stderr is a pipe, which holds more than a line may have. */
struct capture {
	int saved;
	int pipe[2];
};

static void begin_capture(struct capture *capture)
{
	fflush(stderr);
	capture->saved = dup(STDERR_FILENO);
	assert_int_equal(pipe2(capture->pipe, O_NONBLOCK), 0);
	dup2(capture->pipe[1], STDERR_FILENO);
}

/* What was written meanwhile, as a string that lasts until the next call. */
static const char *end_capture(struct capture *capture)
{
	static char text[65536];
	ssize_t n;

	dup2(capture->saved, STDERR_FILENO);
	close(capture->saved);
	close(capture->pipe[1]);
	n = read(capture->pipe[0], text, sizeof(text) - 1);
	close(capture->pipe[0]);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* The line of an event with one field, if the value isn't NULL. */
static const char *event_line(const char *value)
{
	struct capture capture;

	begin_capture(&capture);
	log_event(LOG_LEVEL_INFO, LOG_MODULE, "open", "user", value, NULL);
	return end_capture(&capture);
}

static const char *message_line(const char *message)
{
	struct capture capture;

	begin_capture(&capture);
	log_info("%s", message);
	return end_capture(&capture);
}

/* One whole line that is strict JSON and well-formed UTF-8, parsed; NULL where it isn't. */
static struct json_object *parse_line(const char *line)
{
	struct json_tokener *tokener = json_tokener_new();
	size_t size = strlen(line);
	struct json_object *root = NULL;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	if (size && strchr(line, '\n') == line + size - 1)
		root = json_tokener_parse_ex(tokener, line, (int)size - 1);
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		json_object_put(root);
		root = NULL;
	}
	json_tokener_free(tokener);
	return root;
}

static const char *member(struct json_object *root, const char *name)
{
	return json_object_get_string(json_object_object_get(root, name));
}

static int use_text(void **state)
{
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	return 0;
}

static int use_json(void **state)
{
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	return 0;
}

static void text_line(void **state)
{
	const char *line = message_line("hello world");

	for (size_t i = 0; i < TIME_SIZE; i++) {
		static const char shape[] = "0000-00-00T00:00:00.000Z ";

		if (shape[i] == '0')
			assert_in_range(line[i], '0', '9');
		else
			assert_int_equal(line[i], shape[i]);
	}
	assert_string_equal(line + TIME_SIZE, "info test: hello world\n");
}

static void text_values_are_quoted_where_they_must(void **state)
{
	static const struct {
		const char *value, *line;
	} rows[] = {
		{"ann", "info test: open user=ann\n"},
		{"/a/b?c&d", "info test: open user=/a/b?c&d\n"},
		{"", "info test: open user=\"\"\n"},
		{"a b", "info test: open user=\"a b\"\n"},
		{"a=b", "info test: open user=\"a=b\"\n"},
		{"a\"b", "info test: open user=\"a\\\"b\"\n"},
		{"a\\b", "info test: open user=\"a\\\\b\"\n"},
		{"a\nb", "info test: open user=\"a\\u000ab\"\n"},
		{"\x1b[31m", "info test: open user=\"\\u001b[31m\"\n"},
		{"\x7f", "info test: open user=\"\\u007f\"\n"},
		{"\xe2\x82\xac", "info test: open user=\"\xe2\x82\xac\"\n"},
		{"\xff\xe2\x82\xac", "info test: open user=\"\\u00ff\\u00e2\\u0082\\u00ac\"\n"},
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_string_equal(event_line(rows[i].value) + TIME_SIZE, rows[i].line);
}

static void no_message_can_forge_a_line(void **state)
{
	assert_string_equal(message_line("x\n2026-01-02T03:04:05.678Z info test: y") + TIME_SIZE,
			    "info test: x\\u000a2026-01-02T03:04:05.678Z info test: y\n");
}

static void pairs_without_a_value_are_left_out(void **state)
{
	struct capture capture;

	assert_string_equal(event_line(NULL) + TIME_SIZE, "info test: open\n");
	begin_capture(&capture);
	log_event(LOG_LEVEL_INFO, LOG_MODULE, "open", "a", "1", "b", NULL, "c", "3", NULL);
	assert_string_equal(end_capture(&capture) + TIME_SIZE, "info test: open a=1 c=3\n");
}

static void each_level_by_its_name(void **state)
{
	static const char *const names[] = {"error", "warning", "notice", "info", "debug"};

	log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	for (size_t i = 0; i < LENGTH(names); i++) {
		struct capture capture;
		char expected[32];

		snprintf(expected, sizeof(expected), "%s test: x\n", names[i]);
		begin_capture(&capture);
		log_write((enum log_level)i, LOG_MODULE, "x");
		assert_string_equal(end_capture(&capture) + TIME_SIZE, expected);
	}
}

static void writes_up_to_the_level(void **state)
{
	for (unsigned configured = LOG_LEVEL_ERROR; configured <= LOG_LEVEL_DEBUG; configured++) {
		log_configure(configured, LOG_FORMAT_TEXT);
		for (unsigned level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
			bool wanted = level <= configured;
			struct capture capture;

			assert_int_equal(log_enabled(level), wanted);
			begin_capture(&capture);
			log_write(level, LOG_MODULE, "x");
			log_event(level, LOG_MODULE, "x", NULL);
			assert_int_equal(strlen(end_capture(&capture)) > 0, wanted);
		}
	}
}

static void keeps_errno(void **state)
{
	int saved = dup(STDERR_FILENO);
	int message_errno, event_errno;

	close(STDERR_FILENO); /* so that write(2) fails and sets it */
	errno = ENOENT;
	log_info("x");
	message_errno = errno;
	errno = ENOENT;
	log_event(LOG_LEVEL_INFO, LOG_MODULE, "x", NULL);
	event_errno = errno;
	dup2(saved, STDERR_FILENO);
	close(saved);
	message_line("x"); /* which tells of those two */
	assert_int_equal(message_errno, ENOENT);
	assert_int_equal(event_errno, ENOENT);
}

static void json_line(void **state)
{
	const char *line = event_line("ann");

	assert_memory_equal(line, "{\"time\":\"", 9);
	assert_string_equal(line + 9 + TIME_SIZE - 1,
			    "\",\"level\":\"info\",\"module\":\"test\",\"message\":\"open\","
			    "\"user\":\"ann\"}\n");
}

static void json_values_come_back(void **state)
{
	static const char *const values[] = {"ann",
					     "",
					     "a b",
					     "\"",
					     "\\",
					     "\\\"",
					     "a\nb\t",
					     "\x01\x1f\x7f",
					     "\xe2\x82\xac\xf0\x9f\x98\x80",
					     "</a>",
					     "{\"a\":1}"};

	for (size_t i = 0; i < LENGTH(values); i++) {
		struct json_object *root = parse_line(event_line(values[i]));

		assert_string_equal(member(root, "user"), values[i]);
		json_object_put(root);
		root = parse_line(message_line(values[i]));
		assert_string_equal(member(root, "message"), values[i]);
		json_object_put(root);
	}
}

/* Bytes that are no text are shown as the code points of the same numbers. */
static void ill_formed_utf8_is_escaped_in_json(void **state)
{
	struct json_object *root = parse_line(event_line("\xff\xc3"));

	assert_string_equal(member(root, "user"), "\xc3\xbf\xc3\x83");
	json_object_put(root);
}

static bool is_json(const char *line)
{
	struct json_object *root = parse_line(line);
	bool is = root != NULL;

	json_object_put(root);
	return is;
}

/* So many bytes, then eight times the end: all that may stand where a line is cut. */
static void fill(char *value, size_t size, const char *end)
{
	char *p = value + size;

	memset(value, 'v', size);
	for (int n = 0; n < 8; n++)
		p = stpcpy(p, end);
}

/* A value of every length around that at which lines end, ending in every kind of character. */
static void cut_lines_are_json(void **state)
{
	static const char *const ends[] = {
		"x", "\"", "\\", "\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
	static char value[4096];

	for (size_t i = 0; i < LENGTH(ends); i++)
		for (size_t size = 1900; size < 2060; size++) {
			fill(value, size, ends[i]);
			if (!is_json(event_line(value)))
				fail_msg("%zu bytes, then %s: %s", size, ends[i],
					 event_line(value));
		}
}

/* Wherever in a field the line's room ends. */
static void fields_that_do_not_fit_leave_json(void **state)
{
	static char value[4096];

	for (size_t size = 1900; size < 2060; size++) {
		struct capture capture;
		const char *line;

		memset(value, 'v', size);
		value[size] = '\0';
		begin_capture(&capture);
		log_event(LOG_LEVEL_INFO, LOG_MODULE, "open", "path", value, "peer",
			  "127.0.0.1:40000", "user", "ann", "status", "403", NULL);
		line = end_capture(&capture);
		if (!is_json(line))
			fail_msg("%zu bytes: %s", size, line);
	}
}

static void cut_lines_end_with_a_newline(void **state)
{
	static char value[10000];
	const char *line;

	memset(value, 'v', sizeof(value) - 1);
	line = event_line(value);
	assert_in_range(strlen(line), 1900, 2048);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	line = message_line(value);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void cut_text_is_utf8(void **state)
{
	static char value[4096];

	for (size_t size = 1950; size < 2060; size++) {
		const char *line;

		fill(value, size, "\xf0\x9f\x98\x80");
		line = event_line(value);
		assert_true(utf8_count(line, strlen(line)) > 0);
	}
}

/* What a terminal would take for an order, or show elsewhere than it stands. */
static void hidden_controls_are_escaped(void **state)
{
	/* NOLINTBEGIN(misc-misleading-bidirectional): they are what is tested */
	static const struct {
		const char *value, *line;
	} rows[] = {
		{"a\xc2\x80z", "a\\u0080z"},
		{"a\xc2\x9bz", "a\\u009bz"},
		{"a\xc2\x9fz", "a\\u009fz"},
		{"a\xc2\xa0z", "a\xc2\xa0z"},
		{"a\xd8\x9bz", "a\xd8\x9bz"},
		{"a\xd8\x9cz", "a\\u061cz"},
		{"a\xe2\x80\x8dz", "a\xe2\x80\x8dz"},
		{"a\xe2\x80\x8ez", "a\\u200ez"},
		{"a\xe2\x80\x8fz", "a\\u200fz"},
		{"a\xe2\x80\x90z", "a\xe2\x80\x90z"},
		{"a\xe2\x80\xa7z", "a\xe2\x80\xa7z"},
		{"a\xe2\x80\xa8z", "a\\u2028z"},
		{"a\xe2\x80\xa9z", "a\\u2029z"},
		{"a\xe2\x80\xaaz", "a\\u202az"},
		{"a\xe2\x80\xaez", "a\\u202ez"},
		{"a\xe2\x80\xafz", "a\xe2\x80\xafz"},
		{"a\xe2\x81\xa5z", "a\xe2\x81\xa5z"},
		{"a\xe2\x81\xa6z", "a\\u2066z"},
		{"a\xe2\x81\xa9z", "a\\u2069z"},
		{"a\xe2\x81\xaaz", "a\xe2\x81\xaaz"},
		{"\xf0\x9f\x98\x80\xe2\x80\xae", "\xf0\x9f\x98\x80\\u202e"},
		{"a\xe2\x80", "a\\u00e2\\u0080"},
	};
	/* NOLINTEND(misc-misleading-bidirectional) */

	for (size_t i = 0; i < LENGTH(rows); i++) {
		char expected[64];
		const char *line = event_line(rows[i].value);

		snprintf(expected, sizeof(expected), "\"%s\"", rows[i].line);
		if (!strstr(line, expected))
			fail_msg("%zu: expected %s, found %s", i, expected, line);
		snprintf(expected, sizeof(expected), "%s", rows[i].line);
		assert_non_null(strstr(message_line(rows[i].value), expected));
	}
}

/* The write end becomes stderr; the rest is the test's. */
static int replace_stderr(int fd)
{
	int saved = dup(STDERR_FILENO);

	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	close(fd);
	return saved;
}

static void restore_stderr(int saved)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
}

/* All that is there to be read. */
static const char *read_all(int fd)
{
	static char text[1 << 20];
	size_t size = 0;
	ssize_t n;

	while (size < sizeof(text) - 1 &&
	       (n = recv(fd, text + size, sizeof(text) - 1 - size, MSG_DONTWAIT)) != 0) {
		if (n < 0 && errno == ENOTSOCK)
			n = read(fd, text + size, sizeof(text) - 1 - size);
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	text[size] = '\0';
	return text;
}

/* Every line is whole, and those that are not there are counted. */
static void assert_lines(const char *text, unsigned long written, unsigned long lost)
{
	static const char dropped_line[] = " warning log: ", info_line[] = " info test: line ";
	unsigned long n = 0, told = 0;
	const char *end;

	for (; *text; text = end + 1) {
		const char *line = strchr(text, ' ');

		end = strchr(text, '\n');
		assert_non_null(end);
		if (line && !strncmp(line, dropped_line, sizeof(dropped_line) - 1))
			told += strtoul(line + sizeof(dropped_line) - 1, NULL, 10);
		else if (line && !strncmp(line, info_line, sizeof(info_line) - 1))
			n++;
	}
	assert_int_equal(told, lost);
	assert_in_range(n, written - lost - 1, written - lost);
}

/* Nobody waits for who reads it. */
static void what_nobody_reads_is_dropped(const int ends[2])
{
	char padding[900];
	unsigned long before = log_dropped(), dropped, n = 0;
	int saved = replace_stderr(ends[1]);
	const char *text;
	char *first, *all;

	memset(padding, 'x', sizeof(padding));
	padding[sizeof(padding) - 1] = '\0';
	while (n < 1000 || log_dropped() == before) {
		log_info("line %lu %s", n++, padding);
		assert_true(n < 100000);
	}
	for (int i = 0; i < 100; i++)
		log_info("line %lu %s", n++, padding);
	dropped = log_dropped() - before;
	assert_true(dropped >= 100);
	first = strdup(read_all(ends[0]));
	log_info("line %lu again", n++);
	text = read_all(ends[0]);
	assert_non_null(strstr(text, " lines dropped\n"));
	assert_non_null(strstr(text, "again\n"));
	assert_true(asprintf(&all, "%s%s", first, text) > 0);
	restore_stderr(saved);
	assert_int_equal(log_dropped() - before, dropped);
	assert_lines(all, n, dropped);
	free(all);
	free(first);
	close(ends[0]);
}

static void a_pipe_that_nobody_reads(void **state)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK); /* its own description, not the writer's */
	what_nobody_reads_is_dropped(ends);
}

static void a_socket_that_nobody_reads(void **state)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	what_nobody_reads_is_dropped(ends);
}

static void a_pipe_that_nobody_has(void **state)
{
	unsigned long before = log_dropped();
	void (*handler)(int) = signal(SIGPIPE, SIG_IGN);
	int ends[2], saved;

	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	saved = replace_stderr(ends[1]);
	log_info("hello");
	restore_stderr(saved);
	signal(SIGPIPE, handler);
	assert_int_equal(log_dropped(), before + 1);
	assert_non_null(strstr(message_line("x"), ": 1 lines dropped\n"));
}

#define TEXT(function) cmocka_unit_test_setup(function, use_text)
#define JSON(function) cmocka_unit_test_setup(function, use_json)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEXT(text_line),
		TEXT(text_values_are_quoted_where_they_must),
		TEXT(no_message_can_forge_a_line),
		TEXT(pairs_without_a_value_are_left_out),
		TEXT(each_level_by_its_name),
		TEXT(writes_up_to_the_level),
		TEXT(keeps_errno),
		TEXT(cut_lines_end_with_a_newline),
		TEXT(cut_text_is_utf8),
		TEXT(hidden_controls_are_escaped),
		TEXT(a_pipe_that_nobody_reads),
		TEXT(a_socket_that_nobody_reads),
		TEXT(a_pipe_that_nobody_has),
		JSON(json_line),
		JSON(json_values_come_back),
		JSON(ill_formed_utf8_is_escaped_in_json),
		JSON(cut_lines_are_json),
		JSON(fields_that_do_not_fit_leave_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
