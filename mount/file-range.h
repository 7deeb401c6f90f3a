#pragma once

#include <sys/types.h>

/* The part of a file that a request asks for: its first and its last byte. */
struct file_range {
	off_t first;
	off_t last;
};

/*
 * Reads one range of bytes (RFC 9110 section 14.1.2). Returns 206, 416 where it lies
 * outside, or 200 where the header is to be ignored: it is malformed, or asks
 * for several ranges.
 */
unsigned file_range_parse(const char *text, off_t size, struct file_range *range);
