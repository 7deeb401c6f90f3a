#include "unit.h"

#include "json-scan.h"

#include <string.h>

static void assert_fits(const char *text, unsigned max, bool fits)
{
	if (json_scan_fits(text, strlen(text), max) != fits)
		fail_msg("%s: expected %s", text, fits ? "to fit" : "not to fit");
}

static void values_are_counted(void **state)
{
	assert_fits("", 0, true);
	assert_fits("{}", 0, false);
	assert_fits("{\"a\":1}", 1, true);
	assert_fits("{\"a\":1,\"b\":[1,2]}", 4, true);
	assert_fits("{\"a\":1,\"b\":[1,2]}", 3, false);
	assert_fits("[[[[", 3, false);
	assert_fits(",,,,", 3, false);
}

static void strings_are_passed_over(void **state)
{
	assert_fits("{\"a\":\"[[[,,,{{{\"}", 1, true);
	assert_fits("{\"a\":\"\\\"[[[\\\\\",\"b\":1}", 2, true);
	assert_fits("{\"a\":\"\\\\\",[[[}", 3, false);
}

/* Text that ends anywhere, behind a backslash too; AddressSanitizer sees whether that is respected. */
static void any_end_will_do(void **state)
{
	static const char text[] = "{\"a\":\"b\\\"c\\";

	for (size_t size = 0; size < sizeof(text); size++) {
		char *copy = test_malloc(size + 1);

		memcpy(copy, text, size);
		assert_true(json_scan_fits(copy, size, 10));
		test_free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_counted),
		cmocka_unit_test(strings_are_passed_over),
		cmocka_unit_test(any_end_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
