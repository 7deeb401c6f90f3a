#pragma once

#include "bans.h"
#include "journal.h"

/*
 * Bans that outlive a restart. Each is a mark of its room in the journal (see
 * journal.h), written in the transaction that keeps the entry of the moderator's
 * action: what was acknowledged holds, and what was not, may not.
 *
 * They could be found again in those entries instead. But entries go with the
 * room's history, which may be shorter than a ban, and of an address they don't
 * say which, since everybody reads them.
 */

/*
 * What keeps that ban, or that it has been lifted: whatever bans says when it is
 * written. To be freed; bans must outlive it. NULL: out of memory.
 */
struct journal_mark *bans_mark(struct bans *bans, const struct ban *ban);

/* Sets the bans that the journal has marks of, as many as there may be. Returns 0 or -errno. */
int bans_restore(struct bans *bans, struct journal *journal);
