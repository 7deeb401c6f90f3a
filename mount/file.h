#pragma once

#include "http-date.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct config_files;

/* A file of a site: what a path stands for, found beneath the folder that is served. */
struct file {
	int fd;
	char *path; /* from the root, such as "a/index.html" */
	const char *type;
	const char *coding; /* of the sibling that it is instead; NULL: it is the file itself */
	bool ours;	    /* one of the server's own pages */
	off_t size;
	char etag[64];
	char modified[HTTP_DATE_SIZE];
	time_t mtime;
};

/*
 * Opens what a path of a request stands for, a directory's index.html where it
 * ends with a slash: or, where the client takes one by that Accept-Encoding,
 * which may be NULL, a sibling that was compressed beforehand. root is a directory's
 * descriptor. Returns 0 or -errno: -EISDIR for a directory without its slash.
 */
int file_find(struct file *file, int root, const struct config_files *settings, const char *path,
	      const char *accepted);

/* Closes and frees what there is. */
void file_close(struct file *file);
