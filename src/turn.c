#include "turn.h"

#include <time.h>

/* One connection's share of a turn. */
#define SHARE_NANOSECONDS 1000000

/* And what a turn may take in all before whoever does much has to wait. */
#define TURN_NANOSECONDS 1000000

/* So many of those who rest go on in a turn. */
#define RESUMED_AT_ONCE 2

/* Work between two looks at the clock. */
#define UNITS_AT_ONCE 16

static uint64_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void on_more(struct ev_loop *loop, struct ev_idle *watcher, int events)
{
	/* That the loop has turned is all it is for. */
}

void turn_init(struct turn *turn)
{
	*turn = (struct turn){0};
	turn->last = &turn->resting;
	ev_idle_init(&turn->more, on_more);
}

void turn_begin(struct turn *turn, struct ev_loop *loop)
{
	turn->now = 0;
	turn->began = 0;
	turn->who = NULL;
	ev_idle_stop(loop, &turn->more);
	for (int i = 0; i < RESUMED_AT_ONCE && turn->resting; i++) {
		struct rester *rester = turn->resting;

		turn_forget(turn, rester);
		rester->resume(rester);
	}
	if (turn->resting)
		ev_idle_start(loop, &turn->more);
}

uint64_t turn_now(struct turn *turn)
{
	if (!turn->now)
		turn->now = monotonic();
	return turn->now;
}

bool turn_spend(struct turn *turn, const void *who, unsigned units)
{
	uint64_t now;

	if (turn->who != who) {
		turn->who = who;
		turn->units = 0;
		turn->since = 0;
	}
	turn->units += units;
	if (turn->units < UNITS_AT_ONCE)
		return false;
	turn->units = 0;
	now = monotonic();
	if (!turn->began)
		turn->began = now;
	if (!turn->since)
		turn->since = now;
	return now - turn->since > SHARE_NANOSECONDS || now - turn->began > TURN_NANOSECONDS;
}

void turn_rest(struct turn *turn, struct ev_loop *loop, struct rester *rester,
	       void (*resume)(struct rester *rester))
{
	if (rester->link)
		return;
	rester->resume = resume;
	rester->next = NULL;
	rester->link = turn->last;
	*turn->last = rester;
	turn->last = &rester->next;
	ev_idle_start(loop, &turn->more);
}

void turn_forget(struct turn *turn, struct rester *rester)
{
	if (!rester->link)
		return;
	*rester->link = rester->next;
	if (rester->next)
		rester->next->link = rester->link;
	else
		turn->last = rester->link;
	rester->link = NULL;
	rester->next = NULL;
}
