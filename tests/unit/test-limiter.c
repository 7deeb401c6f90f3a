#include "unit.h"

#include "config-rates.h"
#include "limiter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND ((uint64_t)1000000000)

static const struct config config = {
	.limits.joins_per_minute = 2,
	.limits.rates[LIMIT_API] = {.per_second = 1, .burst = 2},
	.limits.rates[LIMIT_CONTROL] = {.per_second = 1, .burst = 1},
	.chat.messages_per_second = 5,
	.chat.burst = 1,
};

static int create(void **state)
{
	return limiter_create((struct limiter **)state, &config);
}

static int destroy(void **state)
{
	limiter_destroy(*state);
	return 0;
}

static void each_has_its_own(void **state)
{
	struct limiter *limiter = *state;
	uint64_t now = 1000 * SECOND;

	assert_true(limiter_take(limiter, LIMIT_API, "192.0.2.1", now));
	assert_true(limiter_take(limiter, LIMIT_API, "192.0.2.1", now));
	assert_false(limiter_take(limiter, LIMIT_API, "192.0.2.1", now));
	assert_true(limiter_take(limiter, LIMIT_API, "192.0.2.2", now));
	assert_true(limiter_take(limiter, LIMIT_JOINS, "192.0.2.1", now));
	assert_true(limiter_take(limiter, LIMIT_API, "192.0.2.1", now + SECOND));
	assert_false(limiter_take(limiter, LIMIT_API, "192.0.2.1", now + SECOND));
}

static void nobody_and_no_limit(void **state)
{
	struct limiter *limiter = *state;

	for (int i = 0; i < 10; i++) {
		assert_true(limiter_take(limiter, LIMIT_API, NULL, SECOND));
		assert_true(limiter_take(limiter, LIMIT_PAGES, "192.0.2.1", SECOND));
	}
}

static void a_connection_has_its_rate_itself(void **state)
{
	struct limiter *limiter = *state;
	struct rate one = {0}, other = {0};

	assert_true(limiter_take_own(limiter, LIMIT_CONTROL, &one, NULL, SECOND));
	assert_false(limiter_take_own(limiter, LIMIT_CONTROL, &one, NULL, SECOND));
	assert_true(limiter_take_own(limiter, LIMIT_CONTROL, &other, NULL, SECOND));
	assert_true(limiter_take_own(limiter, LIMIT_PAGES, &one, NULL, SECOND));
}

static void when_another_try_may_do(void **state)
{
	struct limiter *limiter = *state;

	assert_int_equal(limiter_retry_seconds(limiter, LIMIT_JOINS), 30);
	assert_int_equal(limiter_retry_seconds(limiter, LIMIT_API), 1);
	assert_int_equal(limiter_retry_seconds(limiter, LIMIT_MESSAGES), 1);
}

static void what_was_refused_is_counted(void **state)
{
	struct limiter *limiter = *state;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int i = 0; i < 5; i++)
		limiter_take(limiter, LIMIT_API, "192.0.2.1", SECOND);
	limiter_write(limiter, out);
	fclose(out);
	assert_non_null(strstr(text, "\nswitchboard_limited_total{limit=\"api\"} 3\n"));
	for (int i = 0; i < LIMITS; i++) {
		char sample[80];

		snprintf(sample, sizeof(sample), "{limit=\"%s\"}", config_rate_name((enum limit)i));
		assert_non_null(strstr(text, sample));
	}
	free(text);
}

/* The lines that stderr got from calling it. */
static unsigned count_lines(void (*call)(struct limiter *limiter), struct limiter *limiter)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	unsigned lines = 0;
	int c;

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);
	call(limiter);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	fclose(file);
	return lines;
}

/* 3 seconds of 1,000 refusals each. */
static void flood(struct limiter *limiter)
{
	for (uint64_t i = 0; i < 3000; i++) {
		char address[16];

		snprintf(address, sizeof(address), "192.0.2.%u", (unsigned)i % 2);
		limiter_take(limiter, LIMIT_JOINS, address, 1000 * SECOND + i * SECOND / 1000);
	}
}

static void a_flood_is_a_line_a_second(void **state)
{
	assert_in_range(count_lines(flood, *state), 3, 4);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_has_its_own),
		TEST(nobody_and_no_limit),
		TEST(a_connection_has_its_rate_itself),
		TEST(when_another_try_may_do),
		TEST(what_was_refused_is_counted),
		TEST(a_flood_is_a_line_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
