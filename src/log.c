#include "log.h"

#include "log-output.h"
#include "utf8.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A line is put together here and leaves in one write(2), so that lines of several threads never mix. */
#define LINE_MAX_BYTES 2048

/* The last bytes stay free for the end of a JSON object and the newline. */
#define LINE_ROOM (LINE_MAX_BYTES - 4)

/* No escape and no character takes more; a value ends so far before the room does, so that its quote still fits. */
#define ESCAPE_MAX 8

struct line {
	char text[LINE_MAX_BYTES];
	size_t size;
};

/* Of what follows, and of the way out. */
static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long untold; /* lines dropped of which no line tells yet */

static _Atomic unsigned long dropped;

static enum log_level configured_level = LOG_LEVEL_INFO;
static enum log_format configured_format = LOG_FORMAT_TEXT;

static const char *const level_names[] = {"error", "warning", "notice", "info", "debug"};

void log_configure(enum log_level level, enum log_format format)
{
	configured_level = level;
	configured_format = format;
}

int log_enabled(enum log_level level)
{
	return level <= configured_level;
}

static void line_put(struct line *line, const char *text, size_t size)
{
	if (size > LINE_ROOM - line->size)
		size = LINE_ROOM - line->size;
	memcpy(line->text + line->size, text, size);
	line->size += size;
}

static void line_puts(struct line *line, const char *text)
{
	line_put(line, text, strlen(text));
}

/*
 * What a terminal takes for an order, or for the end of a line, though it is
 * well-formed UTF-8: C1, the marks, embeddings, overrides and isolates of
 * bidirectional text, and the separators of lines and paragraphs. Returns the
 * code point, 0 for any other, and its bytes.
 */
static unsigned hidden_control(const unsigned char *text, size_t *size)
{
	unsigned c = 0;

	*size = 1;
	if (text[0] < 0xe0 && text[0] >= 0xc2) {
		*size = 2;
		c = (text[0] & 0x1fu) << 6 | (text[1] & 0x3fu);
	} else if (text[0] == 0xe2) {
		*size = 3;
		c = 0x2000u | (text[1] & 0x3fu) << 6 | (text[2] & 0x3fu);
	}
	if ((c >= 0x80 && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return c;
	return 0;
}

static void line_put_escape(struct line *line, unsigned c)
{
	char escape[8];

	snprintf(escape, sizeof(escape), "\\u%04x", c & 0xffff);
	line_puts(line, escape);
}

/* Control characters always, and other bytes where they are not UTF-8, which is all that JSON may hold. */
static void line_put_escaped(struct line *line, const char *value)
{
	bool is_utf8 = utf8_count(value, strlen(value)) >= 0;

	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;
		size_t size = 1;
		unsigned control = is_utf8 && c >= 0xc2
					   ? hidden_control((const unsigned char *)value, &size)
					   : 0;

		/* Cut where a character begins: escapes and UTF-8 are written whole or not at all. */
		if (line->size + ESCAPE_MAX > LINE_ROOM && (!is_utf8 || (c & 0xc0) != 0x80))
			return;
		if (c == '"' || c == '\\') {
			line_put(line, "\\", 1);
			line_put(line, value, 1);
		} else if (control) {
			line_put_escape(line, control);
			value += size - 1;
		} else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !is_utf8)) {
			line_put_escape(line, c);
		} else {
			line_put(line, value, 1);
		}
	}
}

static void line_put_quoted(struct line *line, const char *value)
{
	line_puts(line, "\"");
	line_put_escaped(line, value);
	line_puts(line, "\"");
}

static bool is_plain(const char *value)
{
	if (!*value)
		return false;
	for (; *value; value++)
		if ((unsigned char)*value <= ' ' || (unsigned char)*value >= 0x7f ||
		    *value == '"' || *value == '\\' || *value == '=')
			return false;
	return true;
}

/* What it says of the second is put together once a second. */
static void line_put_time(struct line *line)
{
	static _Thread_local char second[40];
	static _Thread_local time_t at;
	struct timespec now;
	struct tm utc;
	char rest[] = ".000Z";
	long ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != at) {
		at = now.tv_sec;
		gmtime_r(&at, &utc);
		strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &utc);
	}
	ms = now.tv_nsec / 1000000;
	for (int i = 3; i > 0; i--, ms /= 10)
		rest[i] = (char)('0' + ms % 10);
	line_puts(line, second);
	line_puts(line, rest);
}

static void line_begin(struct line *line, enum log_level level, const char *module,
		       const char *message)
{
	line->size = 0;
	if (configured_format == LOG_FORMAT_JSON) {
		line_puts(line, "{\"time\":\"");
		line_put_time(line);
		line_puts(line, "\",\"level\":\"");
		line_puts(line, level_names[level]);
		line_puts(line, "\",\"module\":\"");
		line_puts(line, module);
		line_puts(line, "\",\"message\":");
		line_put_quoted(line, message);
	} else {
		line_put_time(line);
		line_puts(line, " ");
		line_puts(line, level_names[level]);
		line_puts(line, " ");
		line_puts(line, module);
		line_puts(line, ": ");
		line_put_escaped(line, message);
	}
}

static void line_put_pair(struct line *line, const char *name, const char *value)
{
	if (configured_format == LOG_FORMAT_JSON) {
		line_puts(line, ",");
		line_put_quoted(line, name);
		line_puts(line, ":");
		line_put_quoted(line, value);
		return;
	}
	line_puts(line, " ");
	line_puts(line, name);
	line_puts(line, "=");
	if (is_plain(value))
		line_puts(line, value);
	else
		line_put_quoted(line, value);
}

/* A name and the quotes around its value fit, or the field is left out. */
static void line_put_field(struct line *line, const char *name, const char *value)
{
	if (line->size + strlen(name) + sizeof(",\"\":\"\"") <= LINE_ROOM - ESCAPE_MAX)
		line_put_pair(line, name, value);
}

static void line_close(struct line *line)
{
	if (configured_format == LOG_FORMAT_JSON)
		line->text[line->size++] = '}';
	line->text[line->size++] = '\n';
}

/* With the lock held: true once all that was dropped has been told of. */
static bool tell_dropped(void)
{
	struct line line;
	char message[64];

	if (!untold)
		return true;
	snprintf(message, sizeof(message), "%lu lines dropped", untold);
	line_begin(&line, LOG_LEVEL_WARNING, "log", message);
	line_close(&line);
	if (!log_output(line.text, line.size))
		return false;
	untold = 0;
	return true;
}

static void line_end(struct line *line)
{
	line_close(line);
	pthread_mutex_lock(&output_lock);
	if (!tell_dropped() || !log_output(line->text, line->size)) {
		untold++;
		dropped++;
	}
	pthread_mutex_unlock(&output_lock);
}

unsigned long log_dropped(void)
{
	return dropped;
}

void log_write(enum log_level level, const char *module, const char *format, ...)
{
	int saved_errno = errno;
	char message[1024];
	struct line line;
	va_list args;

	if (!log_enabled(level))
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	line_begin(&line, level, module, message);
	line_end(&line);
	errno = saved_errno;
}

void log_event(enum log_level level, const char *module, const char *event, ...)
{
	int saved_errno = errno;
	const char *name;
	struct line line;
	va_list args;

	if (!log_enabled(level))
		return;
	line_begin(&line, level, module, event);
	va_start(args, event);
	while ((name = va_arg(args, const char *))) {
		const char *value = va_arg(args, const char *);

		if (value)
			line_put_field(&line, name, value);
	}
	va_end(args);
	line_end(&line);
	errno = saved_errno;
}
