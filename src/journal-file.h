#pragma once

#include <sys/types.h>

/*
 * The file of the SQLite journal as the file system has it: one daemon's at a
 * time, for nobody else to read, and still where it was.
 *
 * The lock lies on the file itself, so that it is the same one under whatever
 * name it is reached: a symbolic or a hard link, a bind mount. It is flock()'s,
 * which has nothing to do with the locks of SQLite. Those go when any
 * descriptor of the file is closed in this process: so ours is opened before
 * SQLite's and closed after them, and no process opens the same journal twice.
 */
struct journal_file_id {
	dev_t device;
	ino_t inode; /* 0: there was none */
};

enum {
	JOURNAL_FILE_DATABASE,
	JOURNAL_FILE_LOG,
	JOURNAL_FILE_INDEX,
	JOURNAL_FILES,
};

struct journal_file {
	int fd;
	char *name;		    /* as it was given */
	char *paths[JOURNAL_FILES]; /* without symbolic links, as SQLite has them */
	char *issued;		    /* the name of the file for journal-issued.h */
	struct journal_file_id ids[JOURNAL_FILES];
};

/*
 * Opens the file, or makes an empty one, and locks it. Returns 0 or -errno:
 * -EBUSY where another process has it, -EMEDIUMTYPE where it is no file. Says
 * in the log what is wrong. journal_file_close() is due either way.
 */
int journal_file_open(struct journal_file *file, const char *name);
void journal_file_close(struct journal_file *file);

/* Takes away what others may do with it, and with the files beside it. */
void journal_file_make_private(const struct journal_file *file);

/* The log that lies beside it is another one's: it is kept under another name. Returns 0 or -errno. */
int journal_file_put_log_aside(const struct journal_file *file);

/* Notes which files lie there, once SQLite has opened them. */
void journal_file_watch(struct journal_file *file);

/*
 * NULL while they are still the same, or else what has happened. It is true of
 * the past alone: what is acknowledged is looked after before.
 */
const char *journal_file_lost(const struct journal_file *file);

/*
 * Once it is lost and closed: takes away the log, if it is the one that was
 * there, so that it isn't taken for that of the file which came instead.
 */
void journal_file_remove_log(const struct journal_file *file);
