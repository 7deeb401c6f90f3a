#include "unit.h"

#include "quota.h"

static void has_room_until_full(void **state)
{
	struct quota quota = {.max = 2};

	assert_true(quota_has_room(&quota));
	quota_charge(&quota);
	assert_true(quota_has_room(&quota));
	quota_charge(&quota);
	assert_false(quota_has_room(&quota));
}

static void release_makes_room(void **state)
{
	struct quota quota = {.max = 1};

	quota_charge(&quota);
	quota_release(&quota);
	assert_true(quota_has_room(&quota));
	assert_int_equal(quota.used, 0);
}

static void none_allowed(void **state)
{
	struct quota quota = {.max = 0};

	assert_false(quota_has_room(&quota));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_room_until_full),
		cmocka_unit_test(release_makes_room),
		cmocka_unit_test(none_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
