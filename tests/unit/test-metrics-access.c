#include "unit.h"

#include "config.h"
#include "metrics-access.h"

static char *networks[] = {(char[]){"127.0.0.0/8"}, (char[]){"::1"}, (char[]){"unix"}};

static bool may(const struct config_metrics *config, const char *peer, const char *authorization,
		bool is_forwarded)
{
	return metrics_may_be_read(config, &(struct metrics_reader){
						   .peer = peer,
						   .authorization = authorization,
						   .is_forwarded = is_forwarded,
					   });
}

static void by_address(void **state)
{
	const struct config_metrics config = {.allow = networks, .n_allow = LENGTH(networks)};
	const struct config_metrics none = {0};

	assert_true(may(&config, "127.0.0.1:4000", NULL, false));
	assert_true(may(&config, "127.9.0.1:4000", NULL, false));
	assert_true(may(&config, "[::1]:4000", NULL, false));
	assert_true(may(&config, "unix", NULL, false));
	assert_false(may(&config, "192.0.2.1:4000", NULL, false));
	assert_false(may(&config, "[::2]:4000", NULL, false));
	assert_false(may(&config, "", NULL, false));
	assert_false(may(&config, "[", NULL, false));
	assert_false(may(&none, "127.0.0.1:4000", NULL, false));
	assert_false(may(&none, "unix", NULL, false));
}

/* Everybody would come from where the proxy is. */
static void not_by_that_of_a_proxy(void **state)
{
	const struct config_metrics config = {.allow = networks, .n_allow = LENGTH(networks)};

	assert_false(may(&config, "127.0.0.1:4000", NULL, true));
	assert_false(may(&config, "unix", NULL, true));
}

static void by_secret(void **state)
{
	const struct config_metrics config = {.secret = (char[]){"s3cret"}};
	const struct config_metrics none = {0};

	assert_true(may(&config, "192.0.2.1:4000", "Bearer s3cret", false));
	assert_true(may(&config, "192.0.2.1:4000", "bearer  s3cret", true));
	assert_false(may(&config, "192.0.2.1:4000", "Bearer s3cre", false));
	assert_false(may(&config, "192.0.2.1:4000", "Bearer s3cret2", false));
	assert_false(may(&config, "192.0.2.1:4000", "Bearer ", false));
	assert_false(may(&config, "192.0.2.1:4000", "Bearer", false));
	assert_false(may(&config, "192.0.2.1:4000", "s3cret", false));
	assert_false(may(&config, "192.0.2.1:4000", NULL, false));
	assert_false(may(&none, "192.0.2.1:4000", "Bearer ", false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_address),
		cmocka_unit_test(not_by_that_of_a_proxy),
		cmocka_unit_test(by_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
