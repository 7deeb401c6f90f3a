#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Who may not come in, and who may not speak, until when. It is a list in
 * memory; bans-journal.h makes it outlive a restart. Any thread may call these functions, except create and destroy.
 */
struct bans;

enum ban_kind {
	BAN_ENTRY, /* may not come in */
	BAN_SPEECH /* may come in and listen: muted */
};

enum ban_subject {
	BAN_NAME,
	BAN_ADDRESS,
};

struct ban {
	enum ban_kind kind;
	enum ban_subject subject;
	const char *room; /* NULL: every room */
	const char *who;  /* the name, or the network as address.h has it */
	int64_t until;	  /* seconds since 1970, then it is over; INT64_MAX: never */
};

/* At most max at a time. Returns 0 or -ENOMEM. */
int bans_create(struct bans **bansp, size_t max);
void bans_destroy(struct bans *bans);

/*
 * Adds a ban, or gives the one that differs in nothing but its end this end.
 * Strings are copied. Returns 0, -ENOSPC where there are too many, or -ENOMEM.
 */
int bans_set(struct bans *bans, const struct ban *ban, int64_t now);

/* Ends it at once, whatever its end was. Returns 0 or -ENOENT. */
int bans_lift(struct bans *bans, const struct ban *ban);

/* When that very ban is over, whatever its until says; 0: there is none. */
int64_t bans_end(struct bans *bans, const struct ban *ban);

/*
 * Until when somebody of that name, at that address, is banned from that room,
 * by its own bans or by those from every room: the latest of them, 0 for none.
 * A name, an address or a room that is NULL isn't looked for.
 */
int64_t bans_until(struct bans *bans, enum ban_kind kind, const char *room, const char *name,
		   const char *address, int64_t now);

/*
 * Calls each for those that are not over, in no particular order, until it
 * returns something other than 0, and returns that, else 0. each must not call
 * any of these functions; the strings are good for the time of the call.
 */
int bans_each(struct bans *bans, int64_t now, int (*each)(void *user, const struct ban *ban),
	      void *user);
