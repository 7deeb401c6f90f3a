#include "journal.h"

#include <errno.h>
#include <string.h>

static const struct journal_driver *const drivers[] = {
	&journal_memory,
};

/* Finds the driver, and what stands behind its name and a colon. */
static const struct journal_driver *find_driver(const char *specification, const char **where)
{
	size_t length = strcspn(specification, ":");

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strlen(drivers[i]->name) == length &&
		    !strncmp(drivers[i]->name, specification, length)) {
			*where = specification[length] ? specification + length + 1 : NULL;
			return drivers[i];
		}
	return NULL;
}

int journal_is_known(const char *specification)
{
	const char *where;

	return find_driver(specification, &where) != NULL;
}

int journal_create(struct journal **journalp, const char *specification, unsigned history)
{
	const char *where;
	const struct journal_driver *driver = find_driver(specification, &where);

	return driver ? driver->create(journalp, where, history) : -EINVAL;
}

void journal_destroy(struct journal *journal)
{
	if (journal)
		journal->driver->destroy(journal);
}

int journal_open(struct journal *journal, const char *room, journal_entry_fn deliver, void *user,
		 struct journal_stream **streamp)
{
	return journal->driver->open(journal, room, deliver, user, streamp);
}

void journal_close(struct journal_stream *stream)
{
	if (stream)
		stream->journal->driver->close(stream);
}

int journal_publish(struct journal_stream *stream, const void *payload, size_t size)
{
	return stream->journal->driver->publish(stream, payload, size);
}

int journal_read(struct journal_stream *stream, uint64_t after, unsigned limit,
		 journal_entry_fn each, void *user)
{
	return stream->journal->driver->read(stream, after, limit, each, user);
}

const char *journal_epoch(const struct journal_stream *stream)
{
	return stream->journal->driver->epoch(stream);
}

uint64_t journal_head(const struct journal_stream *stream)
{
	return stream->journal->driver->head(stream);
}
