#pragma once

/* The media type of a file by the ending of its name (RFC 9110 section 8.3), with its charset where it is text. */
const char *file_type(const char *path);
