#pragma once

#include "address.h"
#include "message.h"
#include "posting.h"

#include <stdint.h>

/*
 * Moderation: taking out of a room what somebody has said, or somebody. Whoever
 * calls this has made sure that it is permitted.
 *
 * Each action is an entry of the room's journal, so that all its members hear
 * of it, and those who come later:
 *
 *     {"type":"delete","deleted":42,"by":"ann","sender":"__server",
 *      "message":"ann deleted a message","seq":57,"time":…}
 *     {"type":"moderation","action":"mute","user":"cy","seconds":600,"by":"ann",
 *      "sender":"__server","message":"ann muted cy for 10 minutes","seq":58,"time":…}
 *
 * Of an address others hear only that it was one; the log has it. Bans and mutes
 * hold at once; in a journal that outlives a restart, so do they once their
 * entry is kept, and what was undone stays so.
 */
enum moderation_action {
	MODERATION_DELETE,
	MODERATION_MUTE,
	MODERATION_UNMUTE,
	MODERATION_KICK,
	MODERATION_BAN, /* which kicks as well */
	MODERATION_UNBAN,
	MODERATION_ACTIONS,
};

struct moderation {
	enum moderation_action action;
	const char *by;
	const char *user;	    /* whom it is about; NULL: */
	char address[ADDRESS_SIZE]; /* from which network, see address.h; empty for a deletion */
	uint64_t sequence;	    /* what is deleted */
	unsigned seconds;	    /* of a mute or a ban */
};

/* The close code of who has to go. */
#define CLOSE_KICKED 4403

#define MODERATION_SECONDS_MAX 31536000

/* The word for it, such as "mute". */
const char *moderation_word(enum moderation_action action);

/* Returns 0, or -ENOENT where no action is called that. */
int moderation_find(const char *word, enum moderation_action *action);

/*
 * Reads "seq", or "user" or "address", and "seconds", as the action has it.
 * Strings are the object's. Returns NULL, or what is wrong, in words.
 */
const char *moderation_read(struct json_object *object, enum moderation_action action,
			    struct moderation *moderation);

/*
 * Does it. done is told of the entry as posting_send() tells of a message: its
 * result is -ENOENT where there is no such message. Returns 0, with *posting as
 * posting_send() returns it, or -errno, and done is never called: -ENOENT where
 * nobody was muted or banned, -ENOSPC where too many are, -ENOMEM.
 */
int moderation_act(struct service *service, struct room *room, const struct moderation *moderation,
		   posting_done_fn done, void *user, struct posting **posting);
