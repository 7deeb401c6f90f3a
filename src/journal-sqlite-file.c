#include "journal-sqlite.h"

#include "log.h"

#include <errno.h>
#include <stdatomic.h>

/*
 * What may become of the file while the journal is in use: it turns out to be
 * damaged, or it is deleted or replaced. Neither ends without a restart.
 */
#define LOG_MODULE "journal"

#define LOOK_PAUSE ((uint64_t)1000 * 1000000)
#define COMPLAINT_PAUSE ((uint64_t)60000 * 1000000)

int sqlite_note_damage(struct sqlite *sqlite, const struct database *database, int r)
{
	uint64_t now = sqlite_now(), next = sqlite->next_complaint;

	if (r == -EUCLEAN)
		sqlite->base.metrics.broken = true;
	if ((r == -EUCLEAN || r == -EIO) && now >= next &&
	    atomic_compare_exchange_strong(&sqlite->next_complaint, &next, now + COMPLAINT_PAUSE))
		log_error("%s: %s: %s", sqlite->file.name, r == -EIO ? "failed" : "it is damaged",
			  database_error(database));
	return r == -EUCLEAN ? -EIO : r;
}

bool sqlite_is_there(struct sqlite *sqlite)
{
	const char *lost = sqlite->is_lost ? NULL : journal_file_lost(&sqlite->file);

	sqlite->next_look = sqlite_now() + LOOK_PAUSE;
	if (lost) {
		log_error("%s: %s: nothing is kept from now on, until a restart", sqlite->file.name,
			  lost);
		sqlite->is_lost = true;
		sqlite->base.metrics.broken = true;
		database_empty_log(sqlite->writer);
	}
	return !sqlite->is_lost;
}

/* Where it can't be written the next start looks as if there had been a backup: no more than that. */
void sqlite_note_issued(struct sqlite *sqlite, bool lasting)
{
	sqlite->next_note = sqlite_now() + LOOK_PAUSE;
	if (sqlite->issued.counter == sqlite->issued_written && !lasting)
		return;
	if (!journal_issued_write(&sqlite->issued, sqlite->file.issued, lasting))
		sqlite->issued_written = sqlite->issued.counter;
}
