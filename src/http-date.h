#pragma once

#include <stdbool.h>
#include <time.h>

/*
 * The three forms of a date (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37
 * GMT", "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6 08:49:37 1994". A year of
 * two digits is the one that is at most 50 years after now. Returns whether it is one.
 */
bool http_date_parse(const char *text, time_t now, time_t *date);

#define HTTP_DATE_SIZE 32

/* The first of these. Writes "" for what has no such date. */
void http_date_format(char out[HTTP_DATE_SIZE], time_t date);
