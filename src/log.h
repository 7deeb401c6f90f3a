#pragma once

/*
 * The log: one line an event on stderr, as text or JSON.
 *
 * A line has a time, a level, the module it comes from and a message; an event
 * also has fields, pairs of a name and a value. Values come from strangers, so
 * they are quoted and escaped: no input can forge a line, nor one that a
 * terminal shows in another order than it was written.
 *
 * A log that nobody reads makes nobody wait: what can't be written at once is
 * dropped and counted, and once it can, a line says how many were.
 */

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
};

/* Applies to the whole process; call it before other threads exist. */
void log_configure(enum log_level level, enum log_format format);

/* Whether a line of that level would be written: guards costly arguments. */
int log_enabled(enum log_level level);

/* Writes one line. Keeps errno. */
void log_write(enum log_level level, const char *module, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Writes one event: its name, then pairs of field and value (const char *),
 * ended by NULL. A pair whose value is NULL is left out. Keeps errno.
 */
void log_event(enum log_level level, const char *module, const char *event, ...)
	__attribute__((sentinel));

/* Lines dropped since the start. */
unsigned long log_dropped(void);

#define log_error(...) log_write(LOG_LEVEL_ERROR, LOG_MODULE, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, LOG_MODULE, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, LOG_MODULE, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, LOG_MODULE, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, LOG_MODULE, __VA_ARGS__)
