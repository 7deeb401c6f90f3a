#include "unit.h"

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int setup(void **state)
{
	static struct config config;

	*state = &config;
	return config_init(&config);
}

static int teardown(void **state)
{
	config_finish(*state);
	return 0;
}

static void parse(struct config *config, const char *text)
{
	struct config_error error = {0};

	if (config_parse(config, "test.json", text, strlen(text), &error) < 0)
		fail_msg("%s", error.text);
}

static void defaults(void **state)
{
	const struct config *config = *state;
	const struct config_admission *chat = config_admission_for(config, "/chat");

	assert_int_equal(config->n_listen, 1);
	assert_string_equal(config->listen[0].address, "::");
	assert_int_equal(config->listen[0].port, 3000);
	assert_string_equal(config->www, "www");
	assert_int_equal(config->threads, 0); /* as many as there are cores */
	assert_false(config->pin_threads);
	assert_int_equal(config->limits.max_payload, 65536);
	assert_int_equal(config->limits.max_connections, 20000);
	assert_int_equal(config->limits.header_bytes, 8192);
	assert_int_equal(config->limits.handshake_seconds, 10);
	assert_int_equal(config->limits.idle_seconds, 120);
	assert_int_equal(config->limits.ping_seconds, 25);
	assert_int_equal(config->limits.backlog, 4096);
	assert_int_equal(config->limits.rates[LIMIT_API].per_second, 200);
	assert_int_equal(config->limits.rates[LIMIT_API].burst, 2000);
	assert_int_equal(config->limits.rates[LIMIT_TLS].per_second, 100);
	assert_int_equal(config->limits.pending_bytes, 64 << 20);
	assert_int_equal(config->n_admission, 1);
	assert_int_equal(chat->n_require_query, 1);
	assert_string_equal(chat->require_query[0], "username");
	assert_int_equal(chat->n_origins, 0);
	assert_int_equal(chat->n_require_headers, 0);
	assert_int_equal(config->chat.history, 1000);
	assert_int_equal(config->chat.history_seconds, 0);
	assert_string_equal(config->chat.journal, "memory");
	assert_int_equal(config->chat.ring_bytes, 262144);
	assert_int_equal(config->chat.messages_per_second, 100);
	assert_int_equal(config->chat.burst, 500);
	assert_int_equal(config->chat.presence_merge, 100);
	assert_int_equal(config->chat.max_rooms, 10000);
	assert_int_equal(config->chat.max_kept_rooms, 100000);
	assert_int_equal(config->chat.journal_bytes, 100663296);
	assert_int_equal(config->chat.max_characters, 4096);
	assert_int_equal(config->limits.joins_per_minute, 0);
	assert_int_equal(config->log.level, LOG_LEVEL_INFO);
	assert_int_equal(config->log.format, LOG_FORMAT_TEXT);
}

static void every_number(void **state)
{
	struct config *config = *state;

	parse(config, "{\"threads\": 3, \"pin_threads\": true,"
		      " \"limits\": {\"max_payload\": 1, \"max_connections\": 2,"
		      "  \"header_bytes\": 1024, \"handshake_seconds\": 4, \"idle_seconds\": 5,"
		      "  \"backlog\": 6},"
		      " \"chat\": {\"history\": 0}}");
	assert_int_equal(config->threads, 3);
	assert_true(config->pin_threads);
	assert_int_equal(config->limits.max_payload, 1);
	assert_int_equal(config->limits.max_connections, 2);
	assert_int_equal(config->limits.header_bytes, 1024);
	assert_int_equal(config->limits.handshake_seconds, 4);
	assert_int_equal(config->limits.idle_seconds, 5);
	assert_int_equal(config->limits.backlog, 6);
	assert_int_equal(config->chat.history, 0);
}

static void largest_numbers(void **state)
{
	struct config *config = *state;

	parse(config, "{\"limits\": {\"max_payload\": 1073741824, \"max_connections\": 1000000,"
		      "  \"header_bytes\": 65535, \"handshake_seconds\": 3600,"
		      "  \"idle_seconds\": 86400},"
		      " \"chat\": {\"history\": 1000000, \"history_seconds\": 315360000},"
		      " \"listen\": [{\"port\": 65535}]}");
	assert_int_equal(config->limits.max_payload, 1 << 30);
	assert_int_equal(config->limits.max_connections, 1000000);
	assert_int_equal(config->limits.header_bytes, 65535);
	assert_int_equal(config->limits.handshake_seconds, 3600);
	assert_int_equal(config->limits.idle_seconds, 86400);
	assert_int_equal(config->chat.history, 1000000);
	assert_int_equal(config->chat.history_seconds, 315360000);
	assert_int_equal(config->listen[0].port, 65535);
}

static void every_word(void **state)
{
	static const char *const levels[] = {"error", "warning", "notice", "info", "debug"};
	struct config *config = *state;

	parse(config, "{\"www\": \"/srv/www\", \"chat\": {\"journal\": \"kind:where\"},"
		      " \"log\": {\"format\": \"json\"}}");
	assert_string_equal(config->www, "/srv/www");
	assert_string_equal(config->chat.journal, "kind:where");
	assert_int_equal(config->log.format, LOG_FORMAT_JSON);
	for (size_t i = 0; i < LENGTH(levels); i++) {
		char text[64];

		snprintf(text, sizeof(text), "{\"log\": {\"level\": \"%s\"}}", levels[i]);
		parse(config, text);
		assert_int_equal(config->log.level, i);
	}
}

static void empty_object_changes_nothing(void **state)
{
	parse(*state, " {}\n");
	defaults(state);
	parse(*state, "{\"limits\": {}, \"chat\": {}, \"log\": {}, \"admission\": {}}");
	defaults(state);
}

static void keys_that_are_not_there_keep_their_values(void **state)
{
	struct config *config = *state;

	parse(config, "{\"limits\": {\"idle_seconds\": 7}}");
	parse(config, "{\"limits\": {\"max_payload\": 9}}");
	assert_int_equal(config->limits.idle_seconds, 7);
	assert_int_equal(config->limits.max_payload, 9);
	assert_int_equal(config->limits.max_connections, 20000);
}

static void listen_entries(void **state)
{
	static const struct {
		const char *address;
		unsigned port;
	} expected[] = {
		{"127.0.0.1", 0}, {"::1", 3000}, {"::", 8080}, {"unix:/run/switchboard", 3000},
		{"::", 3000},
	};
	struct config *config = *state;

	parse(config, "{\"listen\": [{\"address\": \"127.0.0.1\", \"port\": 0},"
		      " {\"address\": \"::1\"}, {\"port\": 8080},"
		      " {\"address\": \"unix:/run/switchboard\"}, {}]}");
	assert_int_equal(config->n_listen, LENGTH(expected));
	for (size_t i = 0; i < LENGTH(expected); i++) {
		assert_string_equal(config->listen[i].address, expected[i].address);
		assert_int_equal(config->listen[i].port, expected[i].port);
	}
}

static void listen_replaces_all_entries(void **state)
{
	struct config *config = *state;

	parse(config, "{\"listen\": [{\"port\": 1}, {\"port\": 2}]}");
	parse(config, "{\"listen\": [{\"port\": 3}]}");
	assert_int_equal(config->n_listen, 1);
	assert_int_equal(config->listen[0].port, 3);
}

/* sockaddr_un holds 108 bytes with the NUL (unix(7)). */
static void unix_path_length(void **state)
{
	struct config *config = *state;
	struct config_error error;
	char address[5 + 108 + 1] = "unix:/";

	memset(address + 6, 'x', 106);
	assert_int_equal(config_set_listen(config, address, 0, &error), 0);
	assert_string_equal(config->listen[0].address, address);
	memset(address + 6, 'x', 107);
	assert_int_equal(config_set_listen(config, address, 0, &error), -EINVAL);
}

static void admission_with_everything(void **state)
{
	struct config *config = *state;
	const struct config_admission *echo;

	parse(config, "{\"admission\": {\"/echo\": {\"require_query\": [\"a\", \"b\"],"
		      " \"origins\": [\"https://x.example\"],"
		      " \"require_headers\": {\"X-Key\": \"Secret\", \"Authorization\": true}}}}");
	echo = config_admission_for(config, "/echo");
	assert_int_equal(echo->n_require_query, 2);
	assert_string_equal(echo->require_query[1], "b");
	assert_int_equal(echo->n_origins, 1);
	assert_string_equal(echo->origins[0], "https://x.example");
	assert_int_equal(echo->n_require_headers, 2);
	assert_string_equal(echo->require_headers[0].name, "x-key");
	assert_string_equal(echo->require_headers[0].value, "Secret");
	assert_string_equal(echo->require_headers[1].name, "authorization");
	assert_null(echo->require_headers[1].value);
}

static void admission_replaces_the_rules_of_an_endpoint(void **state)
{
	struct config *config = *state;

	parse(config, "{\"admission\": {\"/echo\": {\"require_query\": [\"a\"]}}}");
	assert_int_equal(config_admission_for(config, "/chat")->n_require_query, 1);
	parse(config, "{\"admission\": {\"/chat\": {\"origins\": [\"https://x.example\"]}}}");
	assert_int_equal(config_admission_for(config, "/chat")->n_require_query, 0);
	assert_int_equal(config_admission_for(config, "/chat")->n_origins, 1);
	assert_int_equal(config_admission_for(config, "/echo")->n_require_query, 1);
	assert_int_equal(config->n_admission, 2);
}

static void admission_for_unknown_endpoint(void **state)
{
	assert_null(config_admission_for(*state, "/cha"));
	assert_null(config_admission_for(*state, "/chat/"));
}

static void set_listen(void **state)
{
	struct config *config = *state;
	struct config_error error;

	parse(config, "{\"listen\": [{\"port\": 1}, {\"port\": 2}]}");
	assert_int_equal(config_set_listen(config, "127.0.0.1", 0, &error), 0);
	assert_int_equal(config->n_listen, 1);
	assert_string_equal(config->listen[0].address, "127.0.0.1");
	assert_int_equal(config->listen[0].port, 0);
	/* From its own memory, as when only the port is to change. */
	assert_int_equal(config_set_listen(config, config->listen[0].address, 5, &error), 0);
	assert_string_equal(config->listen[0].address, "127.0.0.1");
	assert_int_equal(config->listen[0].port, 5);
}

static void set_listen_refuses_what_is_no_address(void **state)
{
	struct config_error error;

	assert_int_equal(config_set_listen(*state, "localhost", 1, &error), -EINVAL);
	assert_string_equal(
		error.text,
		"found \"localhost\", expected an IPv4 address, an IPv6 address or unix:/path");
	assert_int_equal(config_set_listen(*state, "unix:x", 1, &error), -EINVAL);
	assert_string_equal(
		error.text,
		"found \"unix:x\", expected unix: and an absolute path of at most 107 bytes");
	defaults(state);
}

static void tls_with_everything(void **state)
{
	struct config *config = *state;
	const struct config_tls *tls;

	parse(config,
	      "{\"listen\": [{\"tls\": {\"certificate\": \"c\", \"key\": \"k\", \"hsts_seconds\": 60,"
	      " \"names\": [{\"host\": \"*.x\", \"certificate\": \"d\", \"key\": \"l\"}]}},"
	      " {\"redirect\": true}, {\"redirect\": false}]}");
	tls = config->listen[0].tls;
	assert_string_equal(tls->certificate, "c");
	assert_string_equal(tls->key, "k");
	assert_int_equal(tls->hsts_seconds, 60);
	assert_false(tls->development);
	assert_int_equal(tls->n_names, 1);
	assert_string_equal(tls->names[0].host, "*.x");
	assert_string_equal(tls->names[0].certificate, "d");
	assert_string_equal(tls->names[0].key, "l");
	assert_null(config->listen[1].tls);
	assert_true(config->listen[1].redirect);
	assert_false(config->listen[2].redirect);
}

static void set_listen_keeps_the_first_certificate(void **state)
{
	struct config *config = *state;
	struct config_error error;

	parse(config, "{\"listen\": [{\"tls\": {\"certificate\": \"c\", \"key\": \"k\"}}, {}]}");
	assert_int_equal(config_set_listen(config, "127.0.0.1", 1, &error), 0);
	assert_int_equal(config->n_listen, 1);
	assert_string_equal(config->listen[0].tls->certificate, "c");
}

static void behind_proxies(void **state)
{
	static const char text[] =
		"{\"listen\": [{\"address\": \"unix:/run/s\", \"mode\": \"0660\", \"group\": \"0\","
		" \"trusted_proxies\": [\"unix\", \"10.0.0.0/8\"], \"proxy_protocol\": true}, {}]}";
	struct config *config = *state;
	struct config_error error;

	parse(config, text);
	assert_int_equal(config->listen[0].mode, 0660);
	assert_string_equal(config->listen[0].group, "0");
	assert_int_equal(config->listen[0].n_trusted_proxies, 2);
	assert_string_equal(config->listen[0].trusted_proxies[1], "10.0.0.0/8");
	assert_true(config->listen[0].proxy_protocol);
	assert_int_equal(config->listen[1].n_trusted_proxies, 0);
	assert_false(config->listen[1].proxy_protocol);

	assert_int_equal(config_set_listen(config, "unix:/run/t", 0, &error), 0);
	assert_int_equal(config->listen[0].mode, 0660);
	assert_int_equal(config_set_listen(config, "127.0.0.1", 1, &error), 0);
	assert_int_equal(config->listen[0].mode, 0);
	assert_null(config->listen[0].group);
	assert_int_equal(config->listen[0].n_trusted_proxies, 2);
	assert_true(config->listen[0].proxy_protocol);
}

static void origins_as_browsers_write_them(void **state)
{
	parse(*state, "{\"admission\": {\"/chat\": {\"origins\": [\"*\", \"null\","
		      " \"https://a.example\", \"http://localhost:5173\", \"https://[::1]:8443\","
		      " \"http://a.example:443\", \"capacitor://localhost\","
		      " \"chrome-extension://abcdef\"]}}}");
	assert_int_equal(config_admission_for(*state, "/chat")->n_origins, 8);
}

/* The same key in another object, as a value, or in words. */
static void keys_that_only_seem_to_come_twice(void **state)
{
	parse(*state,
	      "{\"listen\": [{\"port\": 1}, {\"port\": 2}], \"www\": \"www\","
	      " \"limits\": {\"rates\": {\"api\": {\"burst\": 1}, \"tls\": {\"burst\": 2}}},"
	      " \"chat\": {\"journal\": \"{\\\"www\\\": \\\"www\\\": \"}}");
	assert_string_equal(((struct config *)*state)->chat.journal, "{\"www\": \"www\": ");
}

static void set_tls_for_every_address(void **state)
{
	struct config *config = *state;

	parse(config, "{\"listen\": [{\"tls\": {\"certificate\": \"c\", \"key\": \"k\"}},"
		      " {\"redirect\": true}]}");
	assert_int_equal(config_set_tls(config, "d", "l"), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(config->listen[i].tls->certificate, "d");
		assert_string_equal(config->listen[i].tls->key, "l");
		assert_false(config->listen[i].tls->development);
		assert_false(config->listen[i].redirect);
	}
}

static void set_development_tls_where_there_is_none(void **state)
{
	struct config *config = *state;

	parse(config, "{\"listen\": [{\"tls\": {\"certificate\": \"c\", \"key\": \"k\"}}, {}]}");
	assert_int_equal(config_set_development_tls(config), 0);
	assert_false(config->listen[0].tls->development);
	assert_string_equal(config->listen[0].tls->certificate, "c");
	assert_true(config->listen[1].tls->development);
	assert_null(config->listen[1].tls->certificate);
}

#define NOT_A_STRING "expected a string that is not empty"
#define NOT_A_HEADER_VALUE "expected true (must be there) or the value it must have"
#define NOT_A_LEVEL "expected one of \"error\", \"warning\", \"notice\", \"info\", \"debug\""

struct wrong {
	const char *text;
	const char *error; /* behind "test.json: " */
};

#define NOT_AN_ORIGIN                                                                               \
	" (a string), expected \"*\", or an origin as browsers write it, such as "                  \
	"https://example.org or http://localhost:5173: without a path or a slash at the end, or a " \
	"port that goes without saying"

static const struct wrong wrong_values[] = {
	{"{\"www\": \"a\",\n \"www\": \"b\"}",
	 "line 2, column 2: found \"www\" a second time in the object, expected it once"},
	{"{\"limits\": {\"backlog\": 1, \"header_bytes\": 2048, \"backlog\": 2}}",
	 "line 1, column 49: found \"backlog\" a second time in the object, expected it once"},
	{"{\"listen\": [{\"port\": 1}, {\"port\": 2, \"p\\u006frt\" : 3}]}",
	 "line 1, column 38: found \"p\\u006frt\" a second time in the object, expected it once"},
	{"{\"admission\": {\"/chat\": {\"origins\": [\"https://a.example/\"]}}}",
	 "admission./chat.origins[0]: found \"https://a.example/\"" NOT_AN_ORIGIN},
	{"{\"admission\": {\"/chat\": {\"origins\": [\"*\", \"https://a.example/app\"]}}}",
	 "admission./chat.origins[1]: found \"https://a.example/app\"" NOT_AN_ORIGIN},
	{"{\"admission\": {\"/chat\": {\"origins\": [\"a.example\"]}}}",
	 "admission./chat.origins[0]: found \"a.example\"" NOT_AN_ORIGIN},
	{"{\"admission\": {\"/chat\": {\"origins\": [\"https://*.example\"]}}}",
	 "admission./chat.origins[0]: found \"https://*.example\"" NOT_AN_ORIGIN},
	{"{\"admission\": {\"/chat\": {\"origins\": [\"https://a.example:443\"]}}}",
	 "admission./chat.origins[0]: found \"https://a.example:443\"" NOT_AN_ORIGIN},
	{"{\"admission\": {\"/chat\": {\"origins\": [\"https://a.example;x\"]}}}",
	 "admission./chat.origins[0]: found \"https://a.example;x\"" NOT_AN_ORIGIN},
	{"{\"admission\": {\"/chat\": {\"origins\": [\"https://[::1\"]}}}",
	 "admission./chat.origins[0]: found \"https://[::1\"" NOT_AN_ORIGIN},
	{"{\"admission\": {\"/chat\": {\"origins\": [\"https://\"]}}}",
	 "admission./chat.origins[0]: found \"https://\"" NOT_AN_ORIGIN},
	{"[]", "found an array, expected an object"},
	{"3\n", "found 3 (a number), expected an object"},
	{"\"x\"", "found \"x\" (a string), expected an object"},
	{"null\n", "found null, expected an object"},
	{"{\"port\": 1}",
	 "port: unknown key, expected one of listen, www, files, threads, pin_threads, limits, admission, auth, chat, metrics, log"},
	{"{\"\": 1}",
	 "unknown key, expected one of listen, www, files, threads, pin_threads, limits, admission, auth, chat, metrics, log"},
	{"{\"www\": 5}", "www: found 5 (a number), " NOT_A_STRING},
	{"{\"www\": \"\"}", "www: found \"\" (a string), " NOT_A_STRING},
	{"{\"www\": null}", "www: found null, " NOT_A_STRING},
	{"{\"www\": true}", "www: found true (a boolean), " NOT_A_STRING},
	{"{\"www\": \"a\\u0000b\"}", "www: found \"a\\u0000b\" (a string), " NOT_A_STRING},
	{"{\"threads\": 0}", "threads: found 0 (a number), expected a whole number from 1 to 256"},
	{"{\"threads\": 257}",
	 "threads: found 257 (a number), expected a whole number from 1 to 256"},

	{"{\"limits\": []}", "limits: found an array, expected an object"},
	{"{\"metrics\": {\"allow\": [\"::1\", \"10.0.0.0/33\"]}}",
	 "metrics.allow[1]: found \"10.0.0.0/33\" (a string), expected an address, a network such as "
	 "10.0.0.0/8, or \"unix\""},
	{"{\"metrics\": {\"secret\": 1}}",
	 "metrics.secret: found 1 (a number), expected a string that is not empty"},
	{"{\"limits\": {\"max\": 1}}",
	 "limits.max: unknown key, expected one of max_payload, max_connections, header_bytes, "
	 "handshake_seconds, idle_seconds, ping_seconds, backlog, joins_per_minute, "
	 "pending_bytes, rates"},
	{"{\"limits\": {\"rates\": {\"messages\": {}}}}",
	 "limits.rates.messages: unknown key, expected one of api, control, frames, handshakes, "
	 "moderation, pages, speech, tickets, tls"},
	{"{\"limits\": {\"rates\": {\"api\": 5}}}",
	 "limits.rates.api: found 5 (a number), expected an object"},
	{"{\"limits\": {\"rates\": {\"api\": {\"burst\": 0}}}}",
	 "limits.rates.api.burst: found 0 (a number), expected a whole number from 1 to "
	 "1000000000"},
	{"{\"limits\": {\"max_payload\": 0}}",
	 "limits.max_payload: found 0 (a number), expected a whole number from 1 to 1073741824"},
	{"{\"limits\": {\"max_payload\": 1073741825}}",
	 "limits.max_payload: found 1073741825 (a number), expected a whole number from 1 to "
	 "1073741824"},
	{"{\"limits\": {\"max_payload\": \"1\"}}",
	 "limits.max_payload: found \"1\" (a string), expected a whole number from 1 to "
	 "1073741824"},
	{"{\"limits\": {\"max_payload\": 1.0}}",
	 "limits.max_payload: found 1.0 (a number), expected a whole number from 1 to 1073741824"},
	{"{\"limits\": {\"max_payload\": {}}}",
	 "limits.max_payload: found an object, expected a whole number from 1 to 1073741824"},
	{"{\"limits\": {\"max_connections\": 0}}",
	 "limits.max_connections: found 0 (a number), expected a whole number from 1 to 1000000"},
	{"{\"limits\": {\"max_connections\": 4294967297}}",
	 "limits.max_connections: found 4294967297 (a number), expected a whole number from 1 to "
	 "1000000"},
	{"{\"limits\": {\"max_connections\": 99999999999999999999}}",
	 "limits.max_connections: found 18446744073709551615 (a number), expected a whole number "
	 "from 1 to 1000000"},
	{"{\"limits\": {\"header_bytes\": 1023}}",
	 "limits.header_bytes: found 1023 (a number), expected a whole number from 1024 to 65535"},
	{"{\"limits\": {\"header_bytes\": 65536}}",
	 "limits.header_bytes: found 65536 (a number), expected a whole number from 1024 to 65535"},
	{"{\"limits\": {\"handshake_seconds\": 0}}",
	 "limits.handshake_seconds: found 0 (a number), expected a whole number from 1 to 3600"},
	{"{\"limits\": {\"idle_seconds\": -1}}",
	 "limits.idle_seconds: found -1 (a number), expected a whole number from 1 to 86400"},

	{"{\"listen\": {}}", "listen: found an object, expected an array with at least one entry"},
	{"{\"listen\": []}", "listen: found an array, expected an array with at least one entry"},
	{"{\"listen\": [3000]}", "listen[0]: found 3000 (a number), expected an object"},
	{"{\"listen\": [{}, null]}", "listen[1]: found null, expected an object"},
	{"{\"listen\": [{\"host\": \"::\"}]}",
	 "listen[0].host: unknown key, expected one of address, port, redirect, tls, "
	 "trusted_proxies, proxy_protocol, mode, group"},
	{"{\"listen\": [{\"trusted_proxies\": [\"unix\", \"proxy.local\"]}]}",
	 "listen[0].trusted_proxies[1]: found \"proxy.local\" (a string), expected an address, a "
	 "network such as 10.0.0.0/8, or \"unix\""},
	{"{\"listen\": [{\"address\": \"unix:/s\", \"mode\": \"0668\"}]}",
	 "listen[0].mode: found \"0668\" (a string), expected octal permissions such as \"0660\""},
	{"{\"listen\": [{\"address\": \"unix:/s\", \"mode\": \"01777\"}]}",
	 "listen[0].mode: found \"01777\" (a string), expected octal permissions such as "
	 "\"0660\""},
	{"{\"listen\": [{\"address\": \"unix:/s\", \"mode\": 660}]}",
	 "listen[0].mode: found 660 (a number), expected octal permissions such as \"0660\""},
	{"{\"listen\": [{\"address\": \"unix:/s\", \"group\": \"no such group\"}]}",
	 "listen[0].group: found \"no such group\" (a string), expected the name or the number of "
	 "a group"},
	{"{\"listen\": [{\"mode\": \"0660\"}]}",
	 "listen[0]: found mode or group, expected them with a unix: address only"},
	{"{\"listen\": [{\"port\": 65536}]}",
	 "listen[0].port: found 65536 (a number), expected a whole number from 0 to 65535"},
	{"{\"listen\": [{\"port\": -1}]}",
	 "listen[0].port: found -1 (a number), expected a whole number from 0 to 65535"},
	{"{\"listen\": [{\"address\": 1}]}",
	 "listen[0].address: found 1 (a number), " NOT_A_STRING},
	{"{\"listen\": [{\"address\": \"localhost\"}]}",
	 "listen[0].address: found \"localhost\" (a string), expected an IPv4 address, an IPv6 "
	 "address or unix:/path"},
	{"{\"listen\": [{\"address\": \"127.0.0.1\"}, {\"address\": \"[::1]\"}]}",
	 "listen[1].address: found \"[::1]\" (a string), expected an IPv4 address, an IPv6 address "
	 "or unix:/path"},
	{"{\"listen\": [{\"address\": \"unix:relative\"}]}",
	 "listen[0].address: found \"unix:relative\" (a string), expected unix: and an absolute "
	 "path of at most 107 bytes"},

	{"{\"listen\": [{\"redirect\": 1}]}",
	 "listen[0].redirect: found 1 (a number), expected true or false"},
	{"{\"listen\": [{\"redirect\": true, \"tls\": {\"certificate\": \"c\", \"key\": \"k\"}}]}",
	 "listen[0]: found redirect and tls, expected one of them"},
	{"{\"listen\": [{\"tls\": true}]}",
	 "listen[0].tls: found true (a boolean), expected an object"},
	{"{\"listen\": [{\"tls\": {}}]}", "listen[0].tls: expected both a certificate and a key"},
	{"{\"listen\": [{\"tls\": {\"key\": \"k\"}}]}",
	 "listen[0].tls: expected both a certificate and a key"},
	{"{\"listen\": [{\"tls\": {\"certificate\": \"c\", \"key\": \"\"}}]}",
	 "listen[0].tls.key: found \"\" (a string), " NOT_A_STRING},
	{"{\"listen\": [{\"tls\": {\"cert\": \"c\"}}]}",
	 "listen[0].tls.cert: unknown key, expected one of certificate, key, names, hsts_seconds"},
	{"{\"listen\": [{\"tls\": {\"hsts_seconds\": 63072001}}]}",
	 "listen[0].tls.hsts_seconds: found 63072001 (a number), expected a whole number from 0 to "
	 "63072000"},
	{"{\"listen\": [{\"tls\": {\"names\": {}}}]}",
	 "listen[0].tls.names: found an object, expected an array"},
	{"{\"listen\": [{\"tls\": {\"names\": [{\"certificate\": \"c\", \"key\": \"k\"}]}}]}",
	 "listen[0].tls.names[0]: expected a host"},
	{"{\"listen\": [{\"tls\": {\"names\": [{\"host\": \"h\", \"key\": \"k\"}]}}]}",
	 "listen[0].tls.names[0]: expected both a certificate and a key"},
	{"{\"listen\": [{\"tls\": {\"names\": [{\"name\": \"h\"}]}}]}",
	 "listen[0].tls.names[0].name: unknown key, expected one of host, certificate, key"},

	{"{\"admission\": []}", "admission: found an array, expected an object of endpoint paths"},
	{"{\"admission\": {\"chat\": {}}}",
	 "admission.chat: not a path, expected one that starts with /"},
	{"{\"admission\": {\"\": {}}}", "admission.: not a path, expected one that starts with /"},
	{"{\"admission\": {\"/chat\": []}}", "admission./chat: found an array, expected an object"},
	{"{\"admission\": {\"/chat\": {\"query\": []}}}",
	 "admission./chat.query: unknown key, expected one of require_query, origins, "
	 "require_headers"},
	{"{\"admission\": {\"/chat\": {\"require_query\": \"username\"}}}",
	 "admission./chat.require_query: found \"username\" (a string), expected an array of "
	 "strings"},
	{"{\"admission\": {\"/chat\": {\"require_query\": [\"a\", 5]}}}",
	 "admission./chat.require_query[1]: found 5 (a number), " NOT_A_STRING},
	{"{\"admission\": {\"/chat\": {\"origins\": [null]}}}",
	 "admission./chat.origins[0]: found null, " NOT_A_STRING},
	{"{\"admission\": {\"/chat\": {\"require_headers\": []}}}",
	 "admission./chat.require_headers: found an array, expected an object of header names"},
	{"{\"admission\": {\"/chat\": {\"require_headers\": {\"X\": false}}}}",
	 "admission./chat.require_headers.X: found false (a boolean), " NOT_A_HEADER_VALUE},
	{"{\"admission\": {\"/chat\": {\"require_headers\": {\"X\": null}}}}",
	 "admission./chat.require_headers.X: found null, " NOT_A_HEADER_VALUE},
	{"{\"admission\": {\"/chat\": {\"require_headers\": {\"Y\": \"y\", \"X\": \"\"}}}}",
	 "admission./chat.require_headers.X: found \"\" (a string), " NOT_A_HEADER_VALUE},
	{"{\"admission\": {\"/chat\": {\"require_headers\": {\"X\": 1}}}}",
	 "admission./chat.require_headers.X: found 1 (a number), " NOT_A_HEADER_VALUE},
	{"{\"admission\": {\"/chat\": {\"require_headers\": {\"X Y\": true}}}}",
	 "admission./chat.require_headers.X Y: not the name of a header, expected letters, digits "
	 "and -"},
	{"{\"admission\": {\"/chat\": {\"require_headers\": {\"\": true}}}}",
	 "admission./chat.require_headers.: not the name of a header, expected letters, digits "
	 "and -"},

	{"{\"chat\": {\"history\": -1}}",
	 "chat.history: found -1 (a number), expected a whole number from 0 to 1000000"},
	{"{\"chat\": {\"history\": 1000001}}",
	 "chat.history: found 1000001 (a number), expected a whole number from 0 to 1000000"},
	{"{\"chat\": {\"history_seconds\": 315360001}}",
	 "chat.history_seconds: found 315360001 (a number), expected a whole number from 0 to "
	 "315360000"},
	{"{\"chat\": {\"journal\": \"\"}}", "chat.journal: found \"\" (a string), " NOT_A_STRING},
	{"{\"chat\": {\"log\": 1}}",
	 "chat.log: unknown key, expected one of history, "
	 "history_seconds, journal, journal_bytes, max_rooms, max_kept_rooms, max_characters, messages_per_second, burst, presence_merge, "
	 "ring_bytes"},

	{"{\"log\": {\"level\": \"loud\"}}", "log.level: found \"loud\" (a string), " NOT_A_LEVEL},
	{"{\"log\": {\"level\": 3}}", "log.level: found 3 (a number), " NOT_A_LEVEL},
	{"{\"log\": {\"format\": \"xml\"}}",
	 "log.format: found \"xml\" (a string), expected one of \"text\", \"json\""},
	{"{\"log\": {\"file\": \"x\"}}", "log.file: unknown key, expected one of level, format"},
};

static const struct wrong wrong_syntax[] = {
	{"", "line 1, column 1: found the end, expected JSON"},
	{"  \n ", "line 2, column 2: found the end, expected JSON"},
	{"{\"www\": \"x\"", "line 1, column 12: found the end, expected JSON"},
	{"{\n\t\"www\": \"x\",\n", "line 3, column 1: found the end, expected JSON"},
	{"{www: 1}", "line 1, column 2: quoted object property name expected, expected JSON"},
	{"{\n  \"www\" 1}",
	 "line 2, column 9: object property name separator ':' expected, expected JSON"},
	{"{\"a\": 1\n \"b\": 2}",
	 "line 2, column 2: object value separator ',' expected, expected JSON"},
	{"{\"www\": wow}", "line 1, column 9: unexpected character, expected JSON"},
	{"{} {}", "line 1, column 4: unexpected character, expected JSON"},
	{"{\"www\": 'x'}", "line 1, column 9: unexpected character, expected JSON"},
	{"{\"www\": \"x\",}", "line 1, column 13: unexpected character, expected JSON"},
};

static void assert_wrong(const struct wrong *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct config_error error = {0};
		struct config config;
		char expected[sizeof(error.text)];

		snprintf(expected, sizeof(expected), "test.json: %s", rows[i].error);
		assert_int_equal(config_init(&config), 0);
		if (config_parse(&config, "test.json", rows[i].text, strlen(rows[i].text),
				 &error) != -EINVAL)
			fail_msg("accepted: %s", rows[i].text);
		config_finish(&config);
		assert_string_equal(error.text, expected);
	}
}

static void says_what_is_wrong(void **state)
{
	assert_wrong(wrong_values, LENGTH(wrong_values));
}

static void says_where_the_syntax_is_wrong(void **state)
{
	assert_wrong(wrong_syntax, LENGTH(wrong_syntax));
}

static void ill_formed_utf8_is_wrong(void **state)
{
	static const char text[] = "{\"www\": \"\xff\"}";
	struct config_error error;

	assert_int_equal(config_parse(*state, "test.json", text, sizeof(text) - 1, &error),
			 -EINVAL);
}

static void a_word_with_a_nul_is_wrong(void **state)
{
	static const char text[] = "{\"log\": {\"level\": \"info\\u0000\"}}";
	struct config_error error;

	assert_int_equal(config_parse(*state, "test.json", text, sizeof(text) - 1, &error),
			 -EINVAL);
	assert_string_equal(error.text,
			    "test.json: log.level: found \"info\\u0000\" (a string), " NOT_A_LEVEL);
}

static void text_behind_a_nul_is_wrong(void **state)
{
	static const char text[] = "{}\0{\"threads\": 99}";
	struct config_error error;

	assert_int_equal(config_parse(*state, "test.json", text, sizeof(text) - 1, &error),
			 -EINVAL);
}

static void errors_are_one_line(void **state)
{
	static const char *const texts[] = {
		"{\"a\\nb\": 1}",
		"{\"admission\": {\"a\\nb\": 1}}",
		"{\"admission\": {\"/\": {\"require_headers\": {\"a\\nb\": true}}}}",
		"{\"www\": [\"\\n\"]}",
		"{\"log\": {\"level\": \"\\n\"}}",
	};
	struct config_error error;

	for (size_t i = 0; i < LENGTH(texts); i++) {
		assert_int_equal(
			config_parse(*state, "test.json", texts[i], strlen(texts[i]), &error),
			-EINVAL);
		assert_null(strchr(error.text, '\n'));
	}
}

static void long_values_are_shortened(void **state)
{
	struct config_error error;
	char *text;
	int size = asprintf(&text, "{\"log\": {\"%0300d\": {}, \"level\": \"%01000d\"}}", 0, 0);

	assert_int_equal(config_parse(*state, "test.json", text, (size_t)size, &error), -EINVAL);
	assert_true(strlen(error.text) < sizeof(error.text));
	free(text);
	size = asprintf(&text, "{\"log\": {\"level\": \"%01000d\"}}", 0);
	assert_int_equal(config_parse(*state, "test.json", text, (size_t)size, &error), -EINVAL);
	assert_non_null(strstr(error.text, "0000 (a string), " NOT_A_LEVEL));
	free(text);
}

static void loads_a_file(void **state)
{
	struct config *config = *state;
	struct config_error error;
	char path[] = "/tmp/test-config-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(dprintf(fd, "{\"www\": \"from-file\"}\n"), 21);
	close(fd);
	assert_int_equal(config_load(config, path, &error), 0);
	unlink(path);
	assert_string_equal(config->www, "from-file");
}

static void names_the_file_that_is_wrong(void **state)
{
	struct config_error error;
	char path[] = "/tmp/test-config-XXXXXX";
	char expected[128];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(dprintf(fd, "{\n?"), 3);
	close(fd);
	assert_int_equal(config_load(*state, path, &error), -EINVAL);
	unlink(path);
	snprintf(expected, sizeof(expected), "%s: line 2, column 1: ", path);
	assert_memory_equal(error.text, expected, strlen(expected));
}

static void says_why_a_file_is_unreadable(void **state)
{
	struct config_error error;

	assert_int_equal(config_load(*state, "/nowhere/x.json", &error), -ENOENT);
	assert_string_equal(error.text, "/nowhere/x.json: No such file or directory");
	assert_int_equal(config_load(*state, "/", &error), -EISDIR);
	assert_string_equal(error.text, "/: Is a directory");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults),
		TEST(every_number),
		TEST(largest_numbers),
		TEST(every_word),
		TEST(empty_object_changes_nothing),
		TEST(keys_that_are_not_there_keep_their_values),
		TEST(listen_entries),
		TEST(listen_replaces_all_entries),
		TEST(unix_path_length),
		TEST(admission_with_everything),
		TEST(admission_replaces_the_rules_of_an_endpoint),
		TEST(admission_for_unknown_endpoint),
		TEST(set_listen),
		TEST(tls_with_everything),
		TEST(set_listen_keeps_the_first_certificate),
		TEST(behind_proxies),
		TEST(origins_as_browsers_write_them),
		TEST(keys_that_only_seem_to_come_twice),
		TEST(set_tls_for_every_address),
		TEST(set_development_tls_where_there_is_none),
		TEST(set_listen_refuses_what_is_no_address),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(says_where_the_syntax_is_wrong),
		TEST(ill_formed_utf8_is_wrong),
		TEST(a_word_with_a_nul_is_wrong),
		TEST(text_behind_a_nul_is_wrong),
		TEST(errors_are_one_line),
		TEST(long_values_are_shortened),
		TEST(loads_a_file),
		TEST(names_the_file_that_is_wrong),
		TEST(says_why_a_file_is_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
