#pragma once

#include <sqlite3.h>

/* The schema of the SQLite journal's file, and the way to it from each one before. */

/*
 * Makes the tables, or brings old ones to the schema of now, all in one
 * transaction. Returns 0 or -errno, as journal-database.h, and -EMEDIUMTYPE
 * where it is another program's, or -EPROTO where it is of a later version of
 * ours; the log says so then.
 */
int schema_prepare(sqlite3 *sqlite, const char *file);

/* Marks an empty one as ours, so that it is known even while all else is still in the log beside it. */
int schema_claim(sqlite3 *sqlite);

/* An SQLite result as 0 or -errno. */
int database_error_of(int code);
