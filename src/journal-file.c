#include "journal-file.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_MODULE "journal"

#define PRIVATE 0600

static int lock(int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EMEDIUMTYPE;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static char *beside(const char *path, const char *end)
{
	char *name;

	return path && asprintf(&name, "%s%s", path, end) >= 0 ? name : NULL;
}

static int set_names(struct journal_file *file)
{
	char *path = realpath(file->name, NULL);

	if (!path)
		return -errno;
	file->paths[JOURNAL_FILE_DATABASE] = path;
	file->paths[JOURNAL_FILE_LOG] = beside(path, "-wal");
	file->paths[JOURNAL_FILE_INDEX] = beside(path, "-shm");
	file->issued = beside(path, "-issued");
	return file->paths[JOURNAL_FILE_LOG] && file->paths[JOURNAL_FILE_INDEX] && file->issued
		       ? 0
		       : -ENOMEM;
}

static const char *describe(int error)
{
	switch (error) {
	case -EBUSY:
		return "another process has it open, maybe under another name";
	case -EMEDIUMTYPE:
		return "expected a file";
	default:
		return strerror(-error);
	}
}

int journal_file_open(struct journal_file *file, const char *name)
{
	int r = 0;

	*file = (struct journal_file){.fd = -1, .name = strdup(name)};
	if (!file->name)
		return -ENOMEM;
	file->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, PRIVATE);
	if (file->fd < 0)
		r = -errno;
	if (!r)
		r = lock(file->fd);
	if (!r)
		r = set_names(file);
	if (r < 0)
		log_error("%s: %s", name, describe(r));
	return r;
}

void journal_file_close(struct journal_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	for (int i = 0; i < JOURNAL_FILES; i++)
		free(file->paths[i]);
	free(file->issued);
	free(file->name);
}

/* The owner may be somebody else, whose business it is then. */
void journal_file_make_private(const struct journal_file *file)
{
	if (fchmod(file->fd, PRIVATE) < 0)
		log_warning("%s: can't be made private: %s", file->name, strerror(errno));
	for (int i = JOURNAL_FILE_LOG; i < JOURNAL_FILES; i++)
		(void)!chmod(file->paths[i], PRIVATE);
	(void)!chmod(file->issued, PRIVATE);
}

int journal_file_put_log_aside(const struct journal_file *file)
{
	const char *log = file->paths[JOURNAL_FILE_LOG];
	char *aside = beside(log, "-of-another");
	int r = !aside ? -ENOMEM : rename(log, aside) < 0 ? -errno : 0;

	unlink(file->paths[JOURNAL_FILE_INDEX]);
	if (aside)
		log_warning("%s: a log of another database, which was here before: now %s", log,
			    aside);
	free(aside);
	return r;
}

static struct journal_file_id id_of(const struct stat *status)
{
	return (struct journal_file_id){.device = status->st_dev, .inode = status->st_ino};
}

void journal_file_watch(struct journal_file *file)
{
	struct stat status;

	for (int i = 0; i < JOURNAL_FILES; i++) {
		int r = i == JOURNAL_FILE_DATABASE ? fstat(file->fd, &status)
						   : stat(file->paths[i], &status);

		file->ids[i] = r ? (struct journal_file_id){0} : id_of(&status);
	}
}

/* Whether that name no longer leads to that file, as far as can be told. */
static bool is_gone(const char *name, const struct journal_file_id *id)
{
	struct stat status;

	if (!id->inode)
		return false;
	if (stat(name, &status) < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
	return status.st_ino != id->inode || status.st_dev != id->device;
}

const char *journal_file_lost(const struct journal_file *file)
{
	struct stat status;

	if (!fstat(file->fd, &status) && !status.st_nlink)
		return "it was deleted";
	if (is_gone(file->name, &file->ids[JOURNAL_FILE_DATABASE]))
		return "another file has taken its place, or none";
	for (int i = JOURNAL_FILE_LOG; i < JOURNAL_FILES; i++)
		if (is_gone(file->paths[i], &file->ids[i]))
			return i == JOURNAL_FILE_LOG ? "its -wal was deleted or replaced"
						     : "its -shm was deleted or replaced";
	return NULL;
}

void journal_file_remove_log(const struct journal_file *file)
{
	for (int i = JOURNAL_FILE_LOG; i < JOURNAL_FILES; i++)
		if (file->ids[i].inode && !is_gone(file->paths[i], &file->ids[i]))
			unlink(file->paths[i]);
}
