#pragma once

#include "mount/file-range.h"
#include "mount/file.h"

struct lws;

/*
 * The lines of an answer with that file, or that part of it, to be freed: what the
 * server says of it by itself, and in place of it what files.headers says of its
 * path. NULL: out of memory.
 */
char *file_headers(struct lws *wsi, const struct file *file, unsigned status,
		   const struct file_range *range);

/* Whether other sites' pages may have it, if they are listed: the chat's client. */
bool file_is_for_pages(const char *path);
