#include "journal-recognise.h"

#include "journal-schema.h"
#include "log.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_MODULE "journal"

#define MAGIC "SQLite format 3"
#define MAGIC_SIZE 16 /* with its NUL */

/* The last version without an application_id. */
#define UNMARKED_VERSION_MAX 4

static int query_number(sqlite3 *sqlite, const char *text, int *number)
{
	sqlite3_stmt *statement;
	int r = database_error_of(sqlite3_prepare_v2(sqlite, text, -1, &statement, NULL));
	int code;

	if (r < 0)
		return r;
	code = sqlite3_step(statement);
	*number = code == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
	sqlite3_finalize(statement);
	return database_error_of(code);
}

struct traits {
	int application_id;
	int version;
	int objects; /* tables, indices, … */
	int columns; /* that all of ours have had */
};

static int read_traits(sqlite3 *sqlite, struct traits *traits)
{
	int r = query_number(sqlite, "PRAGMA application_id", &traits->application_id);

	if (!r)
		r = query_number(sqlite, "PRAGMA user_version", &traits->version);
	if (!r)
		r = query_number(sqlite, "SELECT count(*) FROM sqlite_master", &traits->objects);
	if (!r)
		r = query_number(sqlite,
				 "SELECT (SELECT count(*) FROM pragma_table_info('rooms')"
				 "  WHERE name IN ('id', 'name', 'epoch'))"
				 " + (SELECT count(*) FROM pragma_table_info('messages')"
				 "  WHERE name IN ('room', 'sequence', 'time', 'payload'))",
				 &traits->columns);
	return r;
}

static bool is_ours(const struct traits *traits)
{
	if (traits->application_id)
		return traits->application_id == JOURNAL_APPLICATION_ID;
	if (!traits->objects)
		return !traits->version;
	return traits->version >= 1 && traits->version <= UNMARKED_VERSION_MAX &&
	       traits->columns == 7;
}

static void put_tables(sqlite3 *sqlite, char *names, size_t size)
{
	sqlite3_stmt *statement;
	const char *found = NULL;

	if (sqlite3_prepare_v2(
		    sqlite,
		    "SELECT group_concat(name, ', ') FROM (SELECT name FROM sqlite_master"
		    " WHERE type = 'table' ORDER BY name LIMIT 8)",
		    -1, &statement, NULL))
		statement = NULL;
	if (statement && sqlite3_step(statement) == SQLITE_ROW)
		found = (const char *)sqlite3_column_text(statement, 0);
	snprintf(names, size, "%s", found ? found : "none");
	sqlite3_finalize(statement);
}

int recognise_database(sqlite3 *sqlite, const char *file, bool *is_marked)
{
	struct traits traits = {0};
	char tables[400];
	int r = read_traits(sqlite, &traits);

	*is_marked = traits.application_id != 0;
	if (r < 0 || is_ours(&traits))
		return r;
	put_tables(sqlite, tables, sizeof(tables));
	log_error("%s: a database, but another program's: application_id 0x%08x, user_version %d,"
		  " tables: %s; expected one of Switchboard's, or no file. It is left as it is",
		  file, (unsigned)traits.application_id, traits.version, tables);
	return -EMEDIUMTYPE;
}

/* As a URI that lets SQLite neither write nor look for a log. */
static char *immutable_uri(const char *path)
{
	static const char head[] = "file:", options[] = "?mode=ro&immutable=1";
	char *uri = malloc(sizeof(head) + 3 * strlen(path) + sizeof(options));
	char *out = uri;

	if (!uri)
		return NULL;
	out = stpcpy(out, head);
	for (; *path; path++) {
		if (strchr("?#%", *path))
			out += sprintf(out, "%%%02X", (unsigned char)*path);
		else
			*out++ = *path;
	}
	stpcpy(out, options);
	return uri;
}

static int look_inside(const char *path, struct journal_issued *issued)
{
	char *uri = immutable_uri(path);
	sqlite3 *sqlite = NULL;
	bool is_marked;
	int r = -ENOMEM;

	if (uri)
		r = database_error_of(sqlite3_open_v2(
			uri, &sqlite, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
			NULL));
	if (!r) {
		r = recognise_database(sqlite, path, &is_marked);
		if (r == -EUCLEAN) /* as one is whose log was being moved into it */
			r = 0;
		else if (!r && is_marked && journal_issued_read(issued, sqlite) < 0)
			*issued = (struct journal_issued){0};
		if (r < 0 && r != -EMEDIUMTYPE)
			log_error("%s: %s", path, sqlite3_errmsg(sqlite));
	}
	sqlite3_close(sqlite);
	free(uri);
	return r;
}

static int complain_about(const char *path, const char *head, size_t size)
{
	char shown[MAGIC_SIZE + 1] = "";

	for (size_t i = 0; i < size; i++)
		shown[i] = isprint((unsigned char)head[i]) ? head[i] : '.';
	log_error("%s: no database: found a file that begins with \"%s\", expected one of"
		  " Switchboard's, or no file. It is left as it is",
		  path, shown);
	return -EMEDIUMTYPE;
}

int recognise_file(const char *path, int fd, struct journal_issued *issued)
{
	char head[MAGIC_SIZE];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	*issued = (struct journal_issued){0};
	if (n < 0)
		return -errno;
	if (!n)
		return 0;
	if (n < MAGIC_SIZE || memcmp(head, MAGIC, MAGIC_SIZE) != 0)
		return complain_about(path, head, (size_t)n);
	return look_inside(path, issued);
}
