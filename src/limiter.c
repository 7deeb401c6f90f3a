#include "limiter.h"

#include "config-rates.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LOG_MODULE "limiter"

/* People and addresses whose rates are remembered at a time, of each kind. */
#define RATES_MAX 100000

#define LOG_NANOSECONDS 1000000000

struct one_limit {
	struct rate_limit rate;
	struct rate_table *table;
	_Atomic uint64_t refused;
	_Atomic uint64_t told;	   /* of them, in the log */
	_Atomic uint64_t next_log; /* no line before that */
};

struct limiter {
	struct one_limit each[LIMITS];
};

static struct rate_limit read_rate(const struct config *config, enum limit limit)
{
	unsigned joins = config->limits.joins_per_minute;

	if (limit == LIMIT_JOINS)
		return rate_limit(joins, 60, joins);
	if (limit == LIMIT_MESSAGES)
		return rate_limit(config->chat.messages_per_second, 1, config->chat.burst);
	if (limit == LIMIT_SPEECH && !config->chat.messages_per_second)
		return rate_limit(0, 1, 1); /* any number is any number */
	return rate_limit(config->limits.rates[limit].per_second, 1,
			  config->limits.rates[limit].burst);
}

int limiter_create(struct limiter **limiterp, const struct config *config)
{
	struct limiter *limiter = calloc(1, sizeof(*limiter));
	int r = limiter ? 0 : -ENOMEM;

	for (int i = 0; !r && i < LIMITS; i++) {
		struct one_limit *one = &limiter->each[i];

		one->rate = read_rate(config, (enum limit)i);
		r = rate_table_create(&one->table, one->rate, RATES_MAX);
	}
	if (r < 0)
		limiter_destroy(limiter);
	else
		*limiterp = limiter;
	return r;
}

void limiter_destroy(struct limiter *limiter)
{
	if (!limiter)
		return;
	for (int i = 0; i < LIMITS; i++)
		rate_table_destroy(limiter->each[i].table);
	free(limiter);
}

/* Whoever comes first after a second writes the line; the others only count. */
static void refuse(struct one_limit *one, enum limit limit, const char *who, uint64_t now)
{
	uint64_t refused = ++one->refused;
	uint64_t next = one->next_log;
	char times[24];

	if (now < next ||
	    !atomic_compare_exchange_strong(&one->next_log, &next, now + LOG_NANOSECONDS))
		return;
	snprintf(times, sizeof(times), "%" PRIu64, refused - atomic_exchange(&one->told, refused));
	log_event(LOG_LEVEL_NOTICE, LOG_MODULE, "limited", "limit", config_rate_name(limit), "who",
		  who, "times", times, NULL);
}

bool limiter_take_some(struct limiter *limiter, enum limit limit, const char *key, unsigned n,
		       uint64_t now)
{
	struct one_limit *one = &limiter->each[limit];

	if (!key || !one->rate.interval || rate_table_take_some(one->table, key, n, now))
		return true;
	refuse(one, limit, key, now);
	return false;
}

bool limiter_take(struct limiter *limiter, enum limit limit, const char *key, uint64_t now)
{
	return limiter_take_some(limiter, limit, key, 1, now);
}

bool limiter_take_own(struct limiter *limiter, enum limit limit, struct rate *rate, const char *who,
		      uint64_t now)
{
	struct one_limit *one = &limiter->each[limit];

	if (!one->rate.interval || rate_take(rate, &one->rate, now))
		return true;
	refuse(one, limit, who, now);
	return false;
}

unsigned limiter_retry_seconds(const struct limiter *limiter, enum limit limit)
{
	return 1 + (unsigned)((limiter->each[limit].rate.interval - 1) / 1000000000);
}

void limiter_write(const struct limiter *limiter, FILE *out)
{
	fputs("# HELP switchboard_limited_total What was refused for coming too often, by limit.\n"
	      "# TYPE switchboard_limited_total counter\n",
	      out);
	for (int i = 0; i < LIMITS; i++)
		fprintf(out, "switchboard_limited_total{limit=\"%s\"} %" PRIu64 "\n",
			config_rate_name((enum limit)i), limiter->each[i].refused);
}
