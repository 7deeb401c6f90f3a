#include "journal-sqlite.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

/*
 * Forgetting rooms. Strangers name them, and each has its row for ever unless
 * something takes it away: beyond the limit those that are worth least go, by
 * the same rule as in memory.
 *
 * That is done in steps of some milliseconds, each a transaction of its own,
 * with pauses for what is to be written. Which rooms a step takes is decided
 * under the journal's lock, where none of them can be open; until it is over
 * they can't be opened either. What is opened then begins anew.
 */
#define STEP_ROWS 4096
#define PAUSE ((uint64_t)20 * 1000000)

/* Where nothing could be forgotten: all are open, or the disk is full. */
#define LONG_PAUSE ((uint64_t)1000 * 1000000)

struct step {
	struct sqlite *sqlite;
	size_t wanted;
	int64_t ids[SQLITE_LEAVING];
};

static bool is_too_many(const struct sqlite *sqlite)
{
	size_t max = sqlite->base.rooms_max;

	return max && sqlite->rooms > max;
}

static bool is_leaving(const struct sqlite *sqlite, const char *room)
{
	for (unsigned i = 0; i < sqlite->n_leaving; i++)
		if (!strcmp(sqlite->leaving[i], room))
			return true;
	return false;
}

void sqlite_wait_for_leaving(struct sqlite *sqlite, const char *room)
{
	while (is_leaving(sqlite, room))
		pthread_cond_wait(&sqlite->gone, &sqlite->lock);
}

/* Whether there may be more. */
static bool choose(void *user, int64_t id, const char *name)
{
	struct step *step = user;
	struct sqlite *sqlite = step->sqlite;
	char *copy = strdup(name);

	pthread_mutex_lock(&sqlite->lock);
	if (copy && !lh_table_lookup_ex(sqlite->streams, name, NULL)) {
		step->ids[sqlite->n_leaving] = id;
		sqlite->leaving[sqlite->n_leaving++] = copy;
		copy = NULL;
	}
	pthread_mutex_unlock(&sqlite->lock);
	free(copy);
	return sqlite->n_leaving < step->wanted;
}

static void let_go(struct sqlite *sqlite)
{
	pthread_mutex_lock(&sqlite->lock);
	while (sqlite->n_leaving)
		free(sqlite->leaving[--sqlite->n_leaving]);
	pthread_cond_broadcast(&sqlite->gone);
	pthread_mutex_unlock(&sqlite->lock);
}

/* A room with more than a step may delete loses its oldest messages in this one, and goes in a later one. */
static int forget_chosen(struct step *step, uint64_t *forgotten)
{
	struct sqlite *sqlite = step->sqlite;
	int64_t rows = 0;
	int r = 0;

	for (unsigned i = 0; i < sqlite->n_leaving && rows < STEP_ROWS && !r; i++) {
		bool gone;

		r = database_forget_room(sqlite->writer, step->ids[i], &gone, &rows);
		*forgotten += !r && gone;
	}
	return r;
}

/* -ENOENT: there is none that may be forgotten. */
static int run(struct step *step, uint64_t *forgotten)
{
	struct sqlite *sqlite = step->sqlite;
	int r = database_begin(sqlite->writer);

	if (!r)
		r = database_least_rooms(sqlite->writer, choose, step);
	if (!r && !sqlite->n_leaving)
		r = -ENOENT;
	if (!r)
		r = forget_chosen(step, forgotten);
	if (!r)
		r = database_commit(sqlite->writer);
	if (r < 0)
		database_rollback(sqlite->writer);
	return r;
}

void sqlite_forget_rooms(struct sqlite *sqlite)
{
	struct step step = {.sqlite = sqlite, .wanted = SQLITE_LEAVING};
	uint64_t forgotten = 0;
	int r;

	if (!is_too_many(sqlite) || sqlite_now() < sqlite->next_leaving)
		return;
	if (sqlite->rooms - sqlite->base.rooms_max < step.wanted)
		step.wanted = (size_t)(sqlite->rooms - sqlite->base.rooms_max);
	r = run(&step, &forgotten);
	let_go(sqlite);
	if (!r) {
		sqlite->rooms -= forgotten;
		sqlite->base.metrics.rooms = sqlite->rooms;
		sqlite->base.metrics.rooms_forgotten += forgotten;
	}
	sqlite->next_leaving = sqlite_now() + (r < 0 ? LONG_PAUSE : PAUSE);
}

uint64_t sqlite_next_forgetting(const struct sqlite *sqlite)
{
	return is_too_many(sqlite) ? sqlite->next_leaving : UINT64_MAX;
}
