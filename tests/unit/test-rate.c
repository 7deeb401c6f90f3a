#include "unit.h"

#include "rate.h"

#include <pthread.h>
#include <stdio.h>

#define SECOND ((uint64_t)1000000000)

static void a_burst_and_then_the_rate(void **state)
{
	const struct rate_limit limit = rate_limit(5, 1, 10);
	struct rate rate = {0};
	uint64_t now = 1000 * SECOND;

	for (int i = 0; i < 10; i++)
		assert_true(rate_take(&rate, &limit, now));
	assert_false(rate_take(&rate, &limit, now));
	assert_int_equal(rate_wait(&rate, &limit, now), SECOND / 5);
	assert_false(rate_take(&rate, &limit, now + SECOND / 5 - 1));
	assert_true(rate_take(&rate, &limit, now + SECOND / 5));
	assert_false(rate_take(&rate, &limit, now + SECOND / 5));
	/* What was refused costs nothing, and nothing is saved up past the burst. */
	now += 1000 * SECOND;
	assert_int_equal(rate_wait(&rate, &limit, now), 0);
	for (int i = 0; i < 10; i++)
		assert_true(rate_take(&rate, &limit, now));
	assert_false(rate_take(&rate, &limit, now));
}

/* Over a long time it is the rate that counts. */
static void the_average_holds(void **state)
{
	const struct rate_limit limit = rate_limit(7, 60, 3);
	struct rate rate = {0};
	unsigned taken = 0;

	for (uint64_t now = 0; now < 6000 * SECOND; now += SECOND / 10)
		taken += rate_take(&rate, &limit, now);
	assert_in_range(taken, 700, 703);
}

static void at_the_beginning_of_time(void **state)
{
	const struct rate_limit limit = rate_limit(1, 1, 2);
	struct rate rate = {0};

	assert_true(rate_take(&rate, &limit, 0));
	assert_true(rate_take(&rate, &limit, 0));
	assert_false(rate_take(&rate, &limit, 0));
	assert_true(rate_take(&rate, &limit, SECOND));
}

static void without_a_limit(void **state)
{
	const struct rate_limit limit = rate_limit(0, 1, 0);
	const struct rate_limit one = rate_limit(1, 1, 0);
	struct rate rate = {0};

	for (int i = 0; i < 1000; i++)
		assert_true(rate_take(&rate, &limit, SECOND));
	rate = (struct rate){0};
	assert_true(rate_take(&rate, &one, SECOND));
	assert_false(rate_take(&rate, &one, SECOND));
}

static void each_key_has_its_own(void **state)
{
	struct rate_table *table;

	assert_int_equal(rate_table_create(&table, rate_limit(1, 1, 2), 10), 0);
	assert_true(rate_table_take(table, "a", SECOND));
	assert_true(rate_table_take(table, "a", SECOND));
	assert_false(rate_table_take(table, "a", SECOND));
	assert_true(rate_table_take(table, "b", SECOND));
	assert_true(rate_table_take(table, "", SECOND));
	assert_false(rate_table_take(table, "a", SECOND));
	assert_true(rate_table_take(table, "a", 2 * SECOND));
	rate_table_destroy(table);
	rate_table_destroy(NULL);
}

static void forgets_those_that_are_full_again(void **state)
{
	struct rate_table *table;
	char key[16];

	assert_int_equal(rate_table_create(&table, rate_limit(1, 1, 1), 1000), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "%d", i);
		assert_true(rate_table_take(table, key, SECOND));
	}
	assert_int_equal(rate_table_count(table), 100);
	for (int i = 100; i < 200; i++) {
		snprintf(key, sizeof(key), "%d", i);
		assert_true(rate_table_take(table, key, 2 * SECOND));
	}
	assert_int_equal(rate_table_count(table), 100);
	assert_false(rate_table_take(table, "199", 2 * SECOND));
	rate_table_destroy(table);
}

static void full_table_forgets_what_was_used_longest_ago(void **state)
{
	struct rate_table *table;

	assert_int_equal(rate_table_create(&table, rate_limit(1, 100, 1), 3), 0);
	assert_true(rate_table_take(table, "a", SECOND));
	assert_true(rate_table_take(table, "b", SECOND));
	assert_true(rate_table_take(table, "c", SECOND));
	assert_false(rate_table_take(table, "a", SECOND));
	assert_true(rate_table_take(table, "d", SECOND)); /* in place of b */
	assert_int_equal(rate_table_count(table), 3);
	assert_false(rate_table_take(table, "a", SECOND));
	assert_false(rate_table_take(table, "c", SECOND));
	assert_true(rate_table_take(table, "b", SECOND));
	rate_table_destroy(table);
}

#define THREADS 4

static void *take_many(void *user)
{
	uintptr_t taken = 0;
	char key[16];

	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "%d", i % 50);
		taken += rate_table_take(user, key, SECOND);
	}
	return (void *)taken;
}

static void threads_share_a_table(void **state)
{
	pthread_t threads[THREADS];
	struct rate_table *table;
	uintptr_t taken = 0;

	assert_int_equal(rate_table_create(&table, rate_limit(1, 1, 20), 100), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, take_many, table);
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		taken += (uintptr_t)result;
	}
	assert_int_equal(taken, 50 * 20);
	rate_table_destroy(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_and_then_the_rate),
		cmocka_unit_test(the_average_holds),
		cmocka_unit_test(at_the_beginning_of_time),
		cmocka_unit_test(without_a_limit),
		cmocka_unit_test(each_key_has_its_own),
		cmocka_unit_test(forgets_those_that_are_full_again),
		cmocka_unit_test(full_table_forgets_what_was_used_longest_ago),
		cmocka_unit_test(threads_share_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
