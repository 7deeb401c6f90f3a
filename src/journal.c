#include "journal.h"

#include <errno.h>
#include <string.h>

static const struct journal_driver *const drivers[] = {
	&journal_memory,
	&journal_sqlite,
};

/* Finds the driver, and what stands behind its name and a colon. */
static const struct journal_driver *find_driver(const char *specification, const char **where)
{
	size_t length = strcspn(specification, ":");

	*where = specification[length] ? specification + length + 1 : NULL;
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strlen(drivers[i]->name) == length &&
		    !strncmp(drivers[i]->name, specification, length))
			return drivers[i]->is_somewhere == (*where && **where) ? drivers[i] : NULL;
	return NULL;
}

bool journal_is_known(const char *specification)
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

void journal_limit_age(struct journal *journal, unsigned seconds)
{
	journal->seconds = seconds;
}

void journal_limit_bytes(struct journal *journal, size_t bytes)
{
	if (journal->bytes_max)
		journal->bytes_max = bytes;
}

size_t journal_bytes_max(const struct journal *journal)
{
	return journal->bytes_max;
}

void journal_limit_rooms(struct journal *journal, size_t rooms)
{
	journal->rooms_max = rooms;
}

bool journal_keeps(const struct journal *journal)
{
	return !journal->metrics.failing && !journal->metrics.broken;
}

const struct journal_metrics *journal_metrics(const struct journal *journal)
{
	return &journal->metrics;
}

bool journal_waits(const struct journal *journal)
{
	return journal->driver->waits;
}

int journal_marks(struct journal *journal, int64_t now, journal_mark_fn each, void *user)
{
	return journal->driver->marks ? journal->driver->marks(journal, now, each, user) : 0;
}

int journal_open(struct journal *journal, const char *room, journal_deliver_fn deliver, void *user,
		 struct journal_stream **streamp)
{
	return journal->driver->open(journal, room, deliver, user, streamp);
}

void journal_close(struct journal_stream *stream)
{
	if (stream)
		stream->journal->driver->close(stream);
}

void journal_publish(struct journal_stream *stream, struct journal_publication *publication)
{
	publication->stream = stream;
	publication->next = NULL;
	publication->result = 0;
	publication->sequence = 0;
	publication->repeated = false;
	stream->journal->driver->publish(stream, publication);
}

int journal_read(struct journal_stream *stream, const struct journal_range *range,
		 journal_entry_fn each, void *user)
{
	return stream->journal->driver->read(stream, range, each, user);
}

const char *journal_epoch(const struct journal_stream *stream)
{
	return stream->journal->driver->epoch(stream);
}

uint64_t journal_head(const struct journal_stream *stream)
{
	return stream->journal->driver->head(stream);
}
