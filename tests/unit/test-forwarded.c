#include "unit.h"

#include "forwarded.h"

#include <string.h>

static char *trusted[] = {(char[]){"127.0.0.0/8"}, (char[]){"10.0.0.0/8"}, (char[]){"unix"}};

static struct forwarded read_fields(const char *peer, const struct forwarded_fields *fields)
{
	struct forwarded forwarded;

	forwarded_read(fields, peer, trusted, LENGTH(trusted), &forwarded);
	return forwarded;
}

struct row {
	const char *field, *peer; /* as the socket 127.0.0.1:80 comes with it */
	bool is_client;
};

static void x_forwarded_for(void **state)
{
	static const struct row rows[] = {
		{NULL, "127.0.0.1:80", true},
		{"", "127.0.0.1:80", true},
		{" , ,", "127.0.0.1:80", true},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1:99", "192.0.2.1:99", true},
		{"2001:db8::1", "[2001:db8::1]", true},
		{"[2001:db8::1]:9", "[2001:db8::1]:9", true},
		/* What is left of the first stranger anybody may have written. */
		{"198.51.100.9, 192.0.2.1", "192.0.2.1", true},
		{"127.0.0.1,192.0.2.1", "192.0.2.1", true},
		{"198.51.100.9, 192.0.2.1,10.0.0.7 ,\t10.0.0.8", "192.0.2.1", true},
		{"garbage, 192.0.2.1, 10.0.0.7", "192.0.2.1", true},
		/* Nobody but proxies. */
		{"10.0.0.7", "10.0.0.7", true},
		{"10.0.0.9, 10.0.0.7", "10.0.0.9", true},
		/* What isn't an address hides the client. */
		{"unknown", "127.0.0.1:80", false},
		{"192.0.2.1, unknown", "127.0.0.1:80", false},
		{"192.0.2.1, unknown, 10.0.0.7", "10.0.0.7", false},
		{"192.0.2.1, x\"", "127.0.0.1:80", false},
		{"192.0.2.1;10.0.0.7", "127.0.0.1:80", false},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct forwarded forwarded = read_fields(
			"127.0.0.1:80", &(struct forwarded_fields){.addresses = rows[i].field});

		assert_string_equal(forwarded.peer, rows[i].peer);
		assert_int_equal(forwarded.is_client, rows[i].is_client);
		assert_int_equal(forwarded.scheme, FORWARDED_UNKNOWN);
		assert_string_equal(forwarded.host, "");
	}
}

static void rfc_7239(void **state)
{
	static const struct row rows[] = {
		{"for=192.0.2.1", "192.0.2.1", true},
		{"For=\"192.0.2.1:47011\"", "192.0.2.1:47011", true},
		{"for=\"[2001:db8:cafe::17]:4711\"", "[2001:db8:cafe::17]:4711", true},
		{"proto=http;by=203.0.113.43;for=192.0.2.60", "192.0.2.60", true},
		{"for=198.51.100.9, for=192.0.2.1", "192.0.2.1", true},
		{"for=198.51.100.9, for=192.0.2.1, for=10.0.0.1;by=x", "192.0.2.1", true},
		{"for=10.0.0.2, for=10.0.0.1", "10.0.0.2", true},
		{"for=unknown", "127.0.0.1:80", false},
		{"for=_mystery", "127.0.0.1:80", false},
		{"for=192.0.2.1, proto=https", "127.0.0.1:80", false},
		{"for=192.0.2.1, for=_x, for=10.0.0.1", "10.0.0.1", false},
		{"for =192.0.2.1", "127.0.0.1:80", false},
		{"for=\"192.0.2.1", "127.0.0.1:80", false},
		/* A quote that isn't closed takes nothing of what a proxy adds. */
		{"for=\"198.51.100.9, for=192.0.2.1", "192.0.2.1", true},
		{"for=198.51.100.9;x=\", for=192.0.2.1, for=\"10.0.0.1\"", "192.0.2.1", true},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct forwarded forwarded = read_fields(
			"127.0.0.1:80", &(struct forwarded_fields){.forwarded = rows[i].field,
								   .addresses = "203.0.113.7"});

		assert_string_equal(forwarded.peer, rows[i].peer);
		assert_int_equal(forwarded.is_client, rows[i].is_client);
	}
}

/* Whom nobody has asked for an opinion. */
static void strangers(void **state)
{
	const struct forwarded_fields fields = {
		.forwarded = "for=192.0.2.1;proto=https;host=a",
		.addresses = "192.0.2.1",
		.protos = "https",
		.hosts = "a",
	};
	struct forwarded forwarded = read_fields("198.51.100.9:80", &fields);

	assert_string_equal(forwarded.peer, "198.51.100.9:80");
	assert_int_equal(forwarded.scheme, FORWARDED_UNKNOWN);
	assert_string_equal(forwarded.host, "");
	forwarded = read_fields("unix", &fields);
	assert_string_equal(forwarded.peer, "192.0.2.1");
}

static void check_request(const struct forwarded_fields *fields, enum forwarded_scheme scheme,
			  const char *host)
{
	struct forwarded forwarded = read_fields("127.0.0.1:80", fields);

	assert_int_equal(forwarded.scheme, scheme);
	assert_string_equal(forwarded.host, host);
}

#define CHECK(scheme, host, ...)                                                                   \
	check_request(&(struct forwarded_fields){__VA_ARGS__}, scheme, host)

static void what_was_asked_for(void **state)
{
	CHECK(FORWARDED_SECURE, "a", .protos = "https", .hosts = "a");
	CHECK(FORWARDED_SECURE, "", .addresses = "192.0.2.1", .protos = "WSS");
	CHECK(FORWARDED_PLAIN, "", .addresses = "192.0.2.1", .protos = "https, http");
	CHECK(FORWARDED_UNKNOWN, "", .addresses = "192.0.2.1", .protos = "gopher");
	/* Each has added one, or the outermost alone has. */
	CHECK(FORWARDED_SECURE, "b", .addresses = "192.0.2.1, 10.0.0.1",
	      .protos = "http, https, http", .hosts = "a, b, c");
	CHECK(FORWARDED_SECURE, "b", .addresses = "192.0.2.1, 10.0.0.1", .protos = "https",
	      .hosts = "b");
	CHECK(FORWARDED_SECURE, "", .addresses = "10.0.0.1", .protos = "http, https");
	CHECK(FORWARDED_SECURE, "b:1", .forwarded = "for=192.0.2.1;proto=https;host=\"b:1\"",
	      .protos = "http", .hosts = "c");
	CHECK(FORWARDED_PLAIN, "b",
	      .forwarded = "for=192.0.2.9;proto=https;host=a, for=192.0.2.1;Proto=http;host=b");
	CHECK(FORWARDED_SECURE, "b", .forwarded = "for=192.0.2.1;proto=https;host=b, for=10.0.0.1");
	CHECK(FORWARDED_SECURE, "", .forwarded = "proto=https");
}

static void too_long(void **state)
{
	char host[600];

	memset(host, 'a', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	CHECK(FORWARDED_UNKNOWN, "", .hosts = host);
	assert_false(read_fields("127.0.0.1:80", &(struct forwarded_fields){.addresses = host})
			     .is_client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x_forwarded_for), cmocka_unit_test(rfc_7239),
		cmocka_unit_test(strangers),	   cmocka_unit_test(what_was_asked_for),
		cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
