#include "mount/file.h"

#include "mount/file-type.h"
#include "mount/file-weight.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Every . and .. has gone from the path by the time that it is decoded; what is
 * left is opened beneath the root by the kernel (RESOLVE_BENEATH), which follows no
 * symbolic link out of it.
 */

/* What the server's own pages say of themselves, in their first bytes. */
#define MARKER "<meta name=\"generator\" content=\"Switchboard\">"
#define MARKER_WITHIN 1024

/* What begins with a dot stays private, but for what RFC 8615 sets aside for everybody. */
static bool is_hidden(const char *path)
{
	static const char well_known[] = ".well-known/";

	for (const char *p = path; *p; p++)
		if (*p == '.' && (p == path || p[-1] == '/') &&
		    strncmp(p, well_known, sizeof(well_known) - 1))
			return true;
	return false;
}

static int open_beneath(int root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
}

/* Opens a regular file; -1 with errno, EISDIR for a directory. */
static int open_file(int root, const char *path, struct stat *st)
{
	int fd = open_beneath(root, path);
	int error;

	if (fd < 0)
		return -1;
	if (fstat(fd, st) < 0)
		error = errno;
	else if (S_ISREG(st->st_mode))
		return fd;
	else
		error = S_ISDIR(st->st_mode) ? EISDIR : EACCES;
	close(fd);
	errno = error;
	return -1;
}

static const char *tag_suffix(const char *coding)
{
	if (!coding)
		return "";
	return strcmp(coding, "br") ? "-gz" : "-br";
}

static void describe(struct file *file, const struct stat *st)
{
	time_t now = time(NULL);

	file->size = st->st_size;
	file->mtime = st->st_mtime;
	snprintf(file->etag, sizeof(file->etag), "\"%llx-%llx%s\"",
		 (unsigned long long)st->st_mtim.tv_sec * 1000000000ull +
			 (unsigned long long)st->st_mtim.tv_nsec,
		 (unsigned long long)st->st_size, tag_suffix(file->coding));
	/* Never later than Date (RFC 9110 section 8.8.2.1). */
	http_date_format(file->modified, st->st_mtime < now ? st->st_mtime : now);
}

/* A sibling in that coding, if it isn't older than the file. */
static bool try_sibling(struct file *file, int root, const char *coding, struct stat *st)
{
	struct stat sibling_st;
	char *sibling;
	int fd;

	if (asprintf(&sibling, "%s%s", file->path, strcmp(coding, "br") ? ".gz" : ".br") < 0)
		return false;
	fd = open_file(root, sibling, &sibling_st);
	free(sibling);
	if (fd < 0)
		return false;
	if (sibling_st.st_mtime < st->st_mtime) {
		close(fd);
		return false;
	}
	close(file->fd);
	file->fd = fd;
	file->coding = coding;
	*st = sibling_st;
	return true;
}

static bool is_ours(const struct file *file)
{
	char text[MARKER_WITHIN];
	ssize_t n;

	if (strncmp(file->type, "text/html", 9) != 0)
		return false;
	n = pread(file->fd, text, sizeof(text), 0);
	return n > 0 && memmem(text, (size_t)n, MARKER, sizeof(MARKER) - 1);
}

int file_find(struct file *file, int root, const struct config_files *settings, const char *path,
	      const char *accepted)
{
	size_t length = strlen(path);
	const char *coding;
	struct stat st;

	*file = (struct file){.fd = -1};
	if (is_hidden(path))
		return -ENOENT;
	if (asprintf(&file->path, "%s%s", path,
		     !length || path[length - 1] == '/' ? "index.html" : "") < 0) {
		file->path = NULL;
		return -ENOMEM;
	}
	file->fd = open_file(root, file->path, &st);
	if (file->fd < 0) {
		int error = errno;

		file_close(file);
		return -error;
	}
	file->type = file_type(settings, file->path);
	file->ours = is_ours(file);
	for (unsigned i = 0; !file->coding && (coding = file_coding(accepted, i)); i++)
		try_sibling(file, root, coding, &st);
	describe(file, &st);
	return 0;
}

void file_close(struct file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	file->fd = -1;
	file->path = NULL;
}
