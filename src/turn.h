#pragma once

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A turn of a service thread's loop, and each connection's share of it: what
 * keeps the thread longer than about a millisecond has to wait for the next
 * turn, after all others have had theirs; and so has whoever does much at all
 * once the turn has taken long.
 *
 * Who works for a connection says so with turn_spend(). Where that answers that
 * the share is used up, the connection's input is held back, and taken up again
 * in a later turn: turn_rest(). In each turn it is the turn of only a few of
 * those who rest, who have waited longest, so that many of them together don't
 * keep the others waiting either.
 */
struct turn {
	uint64_t now;		/* nanoseconds of the monotonic clock; 0: nobody has asked yet */
	uint64_t began;		/* when somebody first did much; 0: nobody has */
	const void *who;	/* who works */
	unsigned units;		/* of work that it has done since somebody looked at the clock */
	uint64_t since;		/* when it began; 0: it has done little yet */
	struct rester *resting; /* in the order in which they began to */
	struct rester **last;	/* the link behind the last one */
	struct ev_idle more;	/* keeps the loop from waiting while somebody rests */
};

/* Embedded in whatever rests. */
struct rester {
	struct rester *next;
	struct rester **link; /* NULL: it doesn't rest */
	void (*resume)(struct rester *rester);
};

void turn_init(struct turn *turn);

/* Once a turn, before the loop waits: those who have rested longest go on. */
void turn_begin(struct turn *turn, struct ev_loop *loop);

/* The monotonic clock in nanoseconds, as of somewhere in this turn. */
uint64_t turn_now(struct turn *turn);

/*
 * So many units of work, each of about a small message, have been done for who.
 * Returns whether its share of this turn is used up.
 */
bool turn_spend(struct turn *turn, const void *who, unsigned units);

/* resume is called once, in a later turn, unless turn_forget() comes first. Harmless for one that rests already. */
void turn_rest(struct turn *turn, struct ev_loop *loop, struct rester *rester,
	       void (*resume)(struct rester *rester));

/* It is about to be gone. Harmless for one that doesn't rest. */
void turn_forget(struct turn *turn, struct rester *rester);
