#include "unit.h"

#include "journal-idle.h"

#include <stdlib.h>

#define SECOND 1000
#define HOUR ((int64_t)3600 * SECOND)
#define DAY (24 * HOUR)

static void nothing_is_worth_least_of_none(void **state)
{
	struct journal_idles idles;

	journal_idles_init(&idles);
	assert_null(journal_idles_least(&idles));
	journal_idles_finish(&idles);
}

static void what_was_in_use_for_less_goes_first(void **state)
{
	static const struct {
		const char *what;
		int64_t first, last, left;		     /* of the one that is kept */
		int64_t other_first, other_last, other_left; /* and of the one that goes */
	} rows[] = {
		{"left longest ago", 0, 0, 1, 0, 0, 0},
		{"a single message, though it came just now", 0, HOUR, HOUR, 3 * DAY, 3 * DAY,
		 3 * DAY},
		{"a flood of some seconds", 0, HOUR, HOUR, DAY, DAY + 5 * SECOND, DAY + 5 * SECOND},
		{"an hour of last month, for an hour of today", 30 * DAY, 30 * DAY + HOUR,
		 30 * DAY + HOUR, 0, HOUR, HOUR},
		{"an hour of last month, for a single message of today", 30 * DAY, 30 * DAY,
		 30 * DAY, 0, HOUR, HOUR},
		{"an hour, though a day younger than a week", 0, 7 * DAY, 7 * DAY, 8 * DAY,
		 8 * DAY + HOUR, 8 * DAY + HOUR},
		{"a clock that went back", 0, 2 * SECOND, 2 * SECOND, 5, 0, 0},
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		for (int turned = 0; turned < 2; turned++) {
			struct journal_idles idles;
			struct journal_idle kept, goes;

			journal_idles_init(&idles);
			if (turned)
				journal_idles_add(&idles, &goes, rows[i].other_first,
						  rows[i].other_last, rows[i].other_left);
			journal_idles_add(&idles, &kept, rows[i].first, rows[i].last, rows[i].left);
			if (!turned)
				journal_idles_add(&idles, &goes, rows[i].other_first,
						  rows[i].other_last, rows[i].other_left);
			if (journal_idles_least(&idles) != &goes)
				fail_msg("%s", rows[i].what);
			journal_idles_finish(&idles);
		}
}

/* Whatever is added and removed, the least is on top. */
static void stays_in_order(void **state)
{
	static struct journal_idle all[500];
	static char in[LENGTH(all)];
	struct journal_idles idles;
	unsigned seed = 1, n = 0;

	journal_idles_init(&idles);
	for (int i = 0; i < 20000; i++) {
		size_t which = (size_t)rand_r(&seed) % LENGTH(all);
		const struct journal_idle *least;

		if (in[which])
			journal_idles_remove(&idles, &all[which]);
		else
			assert_int_equal(
				journal_idles_add(&idles, &all[which], 0, 0, rand_r(&seed) % 1000),
				0);
		in[which] = !in[which];
		n += in[which] ? 1 : UINT32_MAX;
		assert_int_equal(idles.n, n);
		least = journal_idles_least(&idles);
		for (size_t k = 0; k < LENGTH(all); k++)
			if (in[k])
				assert_true(all[k].worth > least->worth ||
					    (all[k].worth == least->worth &&
					     all[k].order >= least->order));
	}
	journal_idles_finish(&idles);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_worth_least_of_none),
		cmocka_unit_test(what_was_in_use_for_less_goes_first),
		cmocka_unit_test(stays_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
