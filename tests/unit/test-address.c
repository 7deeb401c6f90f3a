#include "unit.h"

#include "address.h"

#include <errno.h>
#include <string.h>

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

static void ranges(void **state)
{
	static const struct {
		const char *address, *range;
		bool is_in;
	} rows[] = {
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.2", "127.0.0.1", false},
		{"127.0.0.2", "127.0.0.0/8", true},
		{"128.0.0.2", "127.0.0.0/8", false},
		{"::ffff:127.0.0.2", "127.0.0.0/8", true},
		{"127.0.0.2", "::ffff:127.0.0.0/8", true},
		{"10.1.2.3", "10.1.2.4/30", false},
		{"10.1.2.7", "10.1.2.4/30", true},
		{"10.1.2.7", "10.1.2.4/31", false},
		{"10.1.2.7", "0.0.0.0/0", true},
		{"::1", "0.0.0.0/0", false},
		{"10.1.2.7", "::/0", true}, /* of everything */
		{"::1", "::1", true},
		{"::2", "::1", false},
		{"2001:db8::7", "2001:db8::/32", true},
		{"2001:db9::7", "2001:db8::/32", false},
		{"2001:db8::7", "2001:db8::7/128", true},
		{"", "::/0", false},
		{"unix", "::/0", false},
	};
	static const char *const none[] = {"",
					   "ann",
					   "10.0.0.0/33",
					   "10.0.0.0/",
					   "10.0.0/8",
					   "10.0.0.0/-1",
					   "10.0.0.0/+1",
					   "::1/129",
					   "::1/1x",
					   "10.0.0.0/99999999999999999999"};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_true(address_is_range(rows[i].range));
		assert_int_equal(address_is_in(rows[i].address, rows[i].range), rows[i].is_in);
	}
	for (size_t i = 0; i < LENGTH(none); i++) {
		assert_false(address_is_range(none[i]));
		assert_false(address_is_in("10.0.0.0", none[i]));
	}
}

static void peers(void **state)
{
	static const struct {
		const char *text, *peer, *network; /* NULL: none */
	} rows[] = {
		{"192.0.2.1", "192.0.2.1", "192.0.2.1"},
		{"192.0.2.1:4711", "192.0.2.1:4711", "192.0.2.1"},
		{"192.0.2.1:0", "192.0.2.1", "192.0.2.1"},
		{"192.0.2.1:_hidden", "192.0.2.1", "192.0.2.1"},
		{"2001:DB8::1", "[2001:db8::1]", "2001:db8::"},
		{"[2001:db8::1]", "[2001:db8::1]", "2001:db8::"},
		{"[2001:db8::1]:65535", "[2001:db8::1]:65535", "2001:db8::"},
		{"[::ffff:192.0.2.1]:80", "192.0.2.1:80", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"},
		{"0000:0000:0000:0000:0000:ffff:192.168.100.228", "192.168.100.228",
		 "192.168.100.228"},
		{"", NULL, NULL},
		{"unix", NULL, NULL},
		{"unknown", NULL, NULL},
		{"_hidden", NULL, NULL},
		{"192.0.2.1:", NULL, NULL},
		{"192.0.2.1:65536", NULL, NULL},
		{"192.0.2.1:-1", NULL, NULL},
		{"192.0.2.1 ", NULL, NULL},
		{"192.0.2.1x", NULL, NULL},
		{"192.0.2.256", NULL, NULL},
		{"[192.0.2.1]", NULL, NULL},
		{"[2001:db8::1", NULL, NULL},
		{"[2001:db8::1]4711", NULL, NULL},
		{"[2001:db8::1]:", NULL, NULL},
		{"2001:db8::1]", NULL, NULL},
		{"fe80::1%eth0", NULL, NULL},
		{"[]", NULL, NULL},
		{"[:]", NULL, NULL},
		{"1111111111111111111111111111111111111111111111111111111111111111111111111", NULL,
		 NULL},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		char peer[ADDRESS_PEER_SIZE], network[ADDRESS_SIZE];
		int r = address_read_peer(rows[i].text, strlen(rows[i].text), peer);

		assert_int_equal(r, rows[i].peer ? 0 : -EINVAL);
		if (!rows[i].peer)
			continue;
		assert_string_equal(peer, rows[i].peer);
		assert_string_equal(address_peer_network(peer, network), rows[i].network);
	}
}

static void peers_without_an_address(void **state)
{
	char network[ADDRESS_SIZE];

	assert_null(address_peer_network(ADDRESS_UNIX, network));
	assert_null(address_peer_network("", network));
	assert_null(address_peer_network("[", network));
}

static void peers_in_ranges(void **state)
{
	char *ranges[] = {(char[]){"127.0.0.0/8"}, (char[]){"2001:db8::/32"}};
	char *with_unix[] = {(char[]){"unix"}};

	assert_true(address_peer_is_in("127.0.0.1:80", ranges, 2));
	assert_true(address_peer_is_in("[2001:db8::7]:80", ranges, 2));
	assert_true(address_peer_is_in("[2001:db8::7]", ranges, 2));
	assert_false(address_peer_is_in("10.0.0.1:80", ranges, 2));
	assert_false(address_peer_is_in("unix", ranges, 2));
	assert_true(address_peer_is_in("unix", with_unix, 1));
	assert_false(address_peer_is_in("127.0.0.1:80", with_unix, 1));
	assert_false(address_peer_is_in("127.0.0.1:80", NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks),	   cmocka_unit_test(ranges),
		cmocka_unit_test(peers),	   cmocka_unit_test(peers_without_an_address),
		cmocka_unit_test(peers_in_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
