#include "bans-journal.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOG_MODULE "bans"

/* A key is one of these words and who it is: they are in files, so they never change. */
static const struct {
	enum ban_kind kind;
	enum ban_subject subject;
	const char *word;
} words[] = {
	{BAN_ENTRY, BAN_NAME, "ban name "},
	{BAN_ENTRY, BAN_ADDRESS, "ban address "},
	{BAN_SPEECH, BAN_NAME, "mute name "},
	{BAN_SPEECH, BAN_ADDRESS, "mute address "},
};

#define N_WORDS (sizeof(words) / sizeof(words[0]))

/* The strings stand behind it: the room, then the key, of which who is the end. */
struct kept {
	struct journal_mark mark;
	struct bans *bans;
	struct ban ban;
	char strings[];
};

static int64_t until(const struct journal_mark *mark)
{
	const struct kept *kept = (const struct kept *)mark;

	return bans_end(kept->bans, &kept->ban);
}

static const char *word_of(const struct ban *ban)
{
	size_t i = 0;

	while (words[i].kind != ban->kind || words[i].subject != ban->subject)
		i++;
	return words[i].word;
}

struct journal_mark *bans_mark(struct bans *bans, const struct ban *ban)
{
	const char *word = word_of(ban);
	size_t room_size = strlen(ban->room) + 1, word_size = strlen(word);
	size_t who_size = strlen(ban->who) + 1;
	struct kept *kept = malloc(sizeof(*kept) + room_size + word_size + who_size);
	char *key;

	if (!kept)
		return NULL;
	key = mempcpy(kept->strings, ban->room, room_size);
	memcpy(mempcpy(key, word, word_size), ban->who, who_size);
	kept->mark = (struct journal_mark){
		.key = key, .key_size = word_size + who_size - 1, .until = until};
	kept->bans = bans;
	kept->ban = *ban;
	kept->ban.room = kept->strings;
	kept->ban.who = key + word_size;
	return &kept->mark;
}

struct restoring {
	struct bans *bans;
	int64_t now;
	int result;
	unsigned n;
	unsigned too_many;
};

static void restore(void *user, const char *room, const void *key, size_t size, int64_t end)
{
	struct restoring *restoring = user;
	char *text = strndup(key, size);
	struct ban ban = {.room = room, .until = end};

	if (!text)
		restoring->result = -ENOMEM;
	for (size_t i = 0; text && i < N_WORDS; i++) {
		size_t length = strlen(words[i].word);
		int r;

		if (strncmp(text, words[i].word, length))
			continue;
		ban.kind = words[i].kind;
		ban.subject = words[i].subject;
		ban.who = text + length;
		r = bans_set(restoring->bans, &ban, restoring->now);
		if (r == -ENOSPC)
			restoring->too_many++;
		else if (r < 0)
			restoring->result = r;
		else
			restoring->n++;
	}
	free(text);
}

int bans_restore(struct bans *bans, struct journal *journal)
{
	struct restoring restoring = {.bans = bans, .now = time(NULL)};
	int r = journal_marks(journal, restoring.now, restore, &restoring);

	if (restoring.n)
		log_info("%u bans and mutes hold on", restoring.n);
	if (restoring.too_many)
		log_warning("%u bans and mutes are too many, and don't hold", restoring.too_many);
	return r < 0 ? r : restoring.result;
}
