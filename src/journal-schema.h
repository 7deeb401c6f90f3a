#pragma once

#include <sqlite3.h>

/* The schema of the SQLite journal's file, and the way to it from each one before. */

/* Makes the tables, or brings old ones to the schema of now. Returns 0 or -errno, as journal-database.h. */
int schema_prepare(sqlite3 *sqlite, const char *file);

/* An SQLite result as 0 or -errno. */
int database_error_of(int code);
