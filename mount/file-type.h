#pragma once

struct config_files;

/*
 * The media type of a file by the ending of its name (RFC 9110 section 8.3), with its
 * charset where it is text: as the settings say, else as a table of the common ones does.
 */
const char *file_type(const struct config_files *settings, const char *path);
