#pragma once

#include "journal-issued.h"

#include <sqlite3.h>
#include <stdbool.h>

/*
 * Whose a database is. Ours say so in their application_id; those of our first
 * versions have none, and are known by their tables.
 *
 * These return 0, or -EMEDIUMTYPE for what is somebody else's, having said in
 * the log what it is, or another -errno.
 */
#define JOURNAL_APPLICATION_ID 0x53776264 /* "Swbd" */

/*
 * Looks at the file without touching it: SQLite, once it has opened one the
 * usual way, brings it up to date with the log that lies beside it. What is in
 * that log isn't seen, so recognise_database() has the last word. issued is as
 * journal_issued_read(), or all zero where it isn't to be had without the log.
 */
int recognise_file(const char *path, int fd, struct journal_issued *issued);

/* is_marked: it has the application_id; else it is empty, or of before there was one. */
int recognise_database(sqlite3 *sqlite, const char *file, bool *is_marked);
