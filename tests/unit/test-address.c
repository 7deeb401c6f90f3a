#include "unit.h"

#include "address.h"

#include <errno.h>

static void networks(void **state)
{
	static const struct {
		const char *address, *network; /* NULL: it is no address */
	} rows[] = {
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.2", "192.0.2.2"},
		{"0.0.0.0", "0.0.0.0"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::FFFF:c000:0201", "192.0.2.1"},
		{"2001:db8:0:1::7", "2001:db8:0:1::"},
		{"2001:db8:0:1:2:3:4:5", "2001:db8:0:1::"},
		{"2001:DB8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::"},
		{"2001:db8:0:1::", "2001:db8:0:1::"}, /* its own network */
		{"2001:db8:0:2::7", "2001:db8:0:2::"},
		{"::1", "::"},
		{"fe80::1", "fe80::"},
		{"", NULL},
		{"ann", NULL},
		{"192.0.2", NULL},
		{"192.0.2.1:80", NULL},
		{"[::1]", NULL},
		{"2001:db8::/64", NULL},
		{"2001:db8:0:1:2:3:4:5:6", NULL},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		char network[ADDRESS_SIZE];
		int r = address_network(rows[i].address, network);

		assert_int_equal(r, rows[i].network ? 0 : -EINVAL);
		if (rows[i].network)
			assert_string_equal(network, rows[i].network);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
