#include "bans.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct listed {
	struct ban ban; /* first, as it is what the tree compares */
	TAILQ_ENTRY(listed) order;
};

struct bans {
	pthread_mutex_t lock;
	void *tree; /* of tsearch() */
	TAILQ_HEAD(, listed) all;
	_Atomic size_t count;
	size_t max;
};

static int compare_rooms(const char *a, const char *b)
{
	if (!a || !b)
		return !b - !a;
	return strcmp(a, b);
}

static int compare(const void *a, const void *b)
{
	const struct ban *x = a, *y = b;
	int r = (int)x->kind - (int)y->kind;

	if (!r)
		r = (int)x->subject - (int)y->subject;
	if (!r)
		r = strcmp(x->who, y->who);
	return r ? r : compare_rooms(x->room, y->room);
}

int bans_create(struct bans **bansp, size_t max)
{
	struct bans *bans = calloc(1, sizeof(*bans));

	if (!bans)
		return -ENOMEM;
	pthread_mutex_init(&bans->lock, NULL);
	TAILQ_INIT(&bans->all);
	bans->max = max;
	*bansp = bans;
	return 0;
}

static void forget(struct bans *bans, struct listed *entry)
{
	tdelete(&entry->ban, &bans->tree, compare);
	TAILQ_REMOVE(&bans->all, entry, order);
	bans->count--;
	free(entry);
}

void bans_destroy(struct bans *bans)
{
	if (!bans)
		return;
	while (!TAILQ_EMPTY(&bans->all))
		forget(bans, TAILQ_FIRST(&bans->all));
	pthread_mutex_destroy(&bans->lock);
	free(bans);
}

static struct listed *find(struct bans *bans, const struct ban *ban)
{
	struct listed *const *found = tfind(ban, &bans->tree, compare);

	return found ? *found : NULL;
}

/* One piece of memory, with the strings behind the struct. */
static struct listed *copy(const struct ban *ban)
{
	size_t who = strlen(ban->who) + 1;
	size_t room = ban->room ? strlen(ban->room) + 1 : 0;
	struct listed *entry = malloc(sizeof(*entry) + who + room);
	char *text = (char *)(entry + 1);

	if (!entry)
		return NULL;
	entry->ban = *ban;
	entry->ban.who = memcpy(text, ban->who, who);
	if (ban->room)
		entry->ban.room = memcpy(text + who, ban->room, room);
	return entry;
}

static void sweep(struct bans *bans, int64_t now)
{
	struct listed *next;

	for (struct listed *entry = TAILQ_FIRST(&bans->all); entry; entry = next) {
		next = TAILQ_NEXT(entry, order);
		if (entry->ban.until <= now)
			forget(bans, entry);
	}
}

static int add(struct bans *bans, const struct ban *ban, int64_t now)
{
	struct listed *entry;

	if (bans->count >= bans->max)
		sweep(bans, now);
	if (bans->count >= bans->max)
		return -ENOSPC;
	entry = copy(ban);
	if (!entry)
		return -ENOMEM;
	if (!tsearch(&entry->ban, &bans->tree, compare)) {
		free(entry);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&bans->all, entry, order);
	bans->count++;
	return 0;
}

int bans_set(struct bans *bans, const struct ban *ban, int64_t now)
{
	struct listed *entry;
	int r = 0;

	pthread_mutex_lock(&bans->lock);
	entry = find(bans, ban);
	if (entry)
		entry->ban.until = ban->until;
	else
		r = add(bans, ban, now);
	pthread_mutex_unlock(&bans->lock);
	return r;
}

int bans_lift(struct bans *bans, const struct ban *ban)
{
	struct listed *entry;

	pthread_mutex_lock(&bans->lock);
	entry = find(bans, ban);
	if (entry)
		forget(bans, entry);
	pthread_mutex_unlock(&bans->lock);
	return entry ? 0 : -ENOENT;
}

static int64_t look_up(struct bans *bans, const struct ban *ban, int64_t now)
{
	struct listed *entry = find(bans, ban);

	if (!entry)
		return 0;
	if (entry->ban.until > now)
		return entry->ban.until;
	forget(bans, entry);
	return 0;
}

int64_t bans_end(struct bans *bans, const struct ban *ban)
{
	const struct listed *entry;
	int64_t end;

	pthread_mutex_lock(&bans->lock);
	entry = find(bans, ban);
	end = entry ? entry->ban.until : 0;
	pthread_mutex_unlock(&bans->lock);
	return end;
}

int64_t bans_until(struct bans *bans, enum ban_kind kind, const char *room, const char *name,
		   const char *address, int64_t now)
{
	const char *const who[] = {[BAN_NAME] = name, [BAN_ADDRESS] = address};
	int64_t latest = 0;

	if (!bans->count)
		return 0; /* as it mostly is: nobody has to wait for the lock */
	pthread_mutex_lock(&bans->lock);
	for (int subject = BAN_NAME; subject <= BAN_ADDRESS && bans->count; subject++) {
		struct ban ban = {
			.kind = kind, .subject = (enum ban_subject)subject, .who = who[subject]};

		for (int i = 0; i < 2 && ban.who; i++, ban.room = room) {
			int64_t until = i && !room ? 0 : look_up(bans, &ban, now);

			if (until > latest)
				latest = until;
		}
	}
	pthread_mutex_unlock(&bans->lock);
	return latest;
}

int bans_each(struct bans *bans, int64_t now, int (*each)(void *user, const struct ban *ban),
	      void *user)
{
	const struct listed *entry;
	int r = 0;

	pthread_mutex_lock(&bans->lock);
	sweep(bans, now);
	TAILQ_FOREACH(entry, &bans->all, order)
	{
		r = each(user, &entry->ban);
		if (r)
			break;
	}
	pthread_mutex_unlock(&bans->lock);
	return r;
}
