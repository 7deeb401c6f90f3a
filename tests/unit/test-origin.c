#include "unit.h"

#include "admission/origin.h"
#include "config.h"

static void same(void **state)
{
	static const struct {
		const char *origin, *host;
		bool secure, is_same;
	} rows[] = {
		{"http://a.example", "a.example", false, true},
		{"https://a.example", "a.example", true, true},
		{"HTTP://A.Example", "a.eXAMPLE", false, true},
		/* A proxy ends TLS. */
		{"https://a.example", "a.example", false, true},
		{"https://a.example:8443", "a.example:8443", false, true},
		{"https://a.example", "a.example:443", false, true},
		{"http://a.example", "a.example", true, false},
		{"http://a.example:443", "a.example", true, false},
		/* Ports */
		{"http://a.example:80", "a.example", false, true},
		{"http://a.example", "a.example:80", false, true},
		{"https://a.example:443", "a.example", true, true},
		{"https://a.example", "a.example:443", true, true},
		{"http://a.example:3000", "a.example:3000", false, true},
		{"http://a.example:3000", "a.example:3001", false, false},
		{"http://a.example:3000", "a.example", false, false},
		{"http://a.example", "a.example:3000", false, false},
		{"http://a.example", "a.example:443", false, false},
		{"https://a.example", "a.example:80", false, false},
		{"http://a.example:", "a.example", false, true},
		{"http://a.example", "a.example:", false, true},
		{"http://a.example:00080", "a.example", false, true},
		{"http://a.example:65616", "a.example", false, false},
		{"http://a.example:99999999999999999999", "a.example", false, false},
		{"http://a.example:80x", "a.example", false, false},
		{"http://a.example:+80", "a.example", false, false},
		{"http://a.example:0", "a.example", false, false},
		{"http://a.example:80:80", "a.example", false, false},
		/* IPv6 */
		{"http://[::1]", "[::1]", false, true},
		{"http://[::1]:3000", "[::1]:3000", false, true},
		{"http://[::1]:80", "[::1]", false, true},
		{"http://[2001:db8::A]", "[2001:DB8::a]", false, true},
		{"http://[::1]:3000", "[::1]", false, false},
		{"http://[::1]", "[::2]", false, false},
		{"http://[::1", "[::1", false, false},
		{"http://[", "[", false, false},
		{"http://[::1]x", "[::1]x", false, false},
		{"http://::1", "::1", false, false},
		/* Others */
		{"http://a.example.evil", "a.example", false, false},
		{"http://evil.a.example", "a.example", false, false},
		{"http://a.exampl", "a.example", false, false},
		{"http://a.example", "b.example", false, false},
		{"ws://a.example", "a.example", false, false},
		{"httpx://a.example", "a.example", false, false},
		{"file://", "a.example", false, false},
		{"//a.example", "a.example", false, false},
		{"a.example", "a.example", false, false},
		{"null", "a.example", false, false},
		{"null", "null", false, false},
		{"", "", false, false},
		{"http://", "", false, false},
		{"http://:80", ":80", false, false},
		{"*", "*", false, false},
		{"http://a.example", "", false, false},
		{"http://a.example", NULL, false, false},
		/* No origin looks like that, and a host is no path. */
		{"http://a.example/", "a.example/", false, false},
		{"http://x@a.example", "x@a.example", false, false},
		{"http://a.example?x", "a.example?x", false, false},
		{"http://a.example http://b.example", "a.example http://b.example", false, false},
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		if (origin_is_same(rows[i].origin, rows[i].host, rows[i].secure) != rows[i].is_same)
			fail_msg("%zu: %s at %s", i, rows[i].origin, rows[i].host);
}

static void listed(void **state)
{
	char here[] = "https://here.example", star[] = "*", *list[] = {star, here};
	const struct config_admission settings = {.origins = list, .n_origins = 2};

	assert_true(origin_is_listed(&settings, "https://HERE.example"));
	assert_false(origin_is_listed(&settings, "https://there.example"));
	assert_false(origin_is_listed(&settings, "*"));
	assert_false(origin_is_listed(&settings, ""));
	assert_false(origin_is_listed(NULL, here));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same),
		cmocka_unit_test(listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
