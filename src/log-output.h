#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes a line of at most PIPE_BUF bytes to stderr, whole or not at all, and
 * without waiting for whoever reads it: false where it would have to, or where
 * nobody is left to read. One thread at a time.
 *
 * O_NONBLOCK would be for all processes that have the same pipe or terminal, so
 * it is asked beforehand whether there is room; a pipe that has any takes a
 * whole line. Only a stream socket, and a disk that fills up, may take a part:
 * what comes next begins a line of its own.
 */
bool log_output(const char *line, size_t size);
