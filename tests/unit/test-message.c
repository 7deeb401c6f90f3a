#include "unit.h"

#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A literal with its size, as it may hold NULs. */
#define B(literal) (literal), sizeof(literal) - 1

static void composes_what_the_sender_determines(void **state)
{
	static const struct {
		const char *sender;
		const char *text;
		size_t size;
		const char *payload;
	} rows[] = {
		{"ann", B("hi"), "\"type\":\"message\",\"sender\":\"ann\",\"message\":\"hi\""},
		{"ann", B(""), "\"type\":\"message\",\"sender\":\"ann\",\"message\":\"\""},
		{"a\"\\b", B("\"\\"),
		 "\"type\":\"message\",\"sender\":\"a\\\"\\\\b\",\"message\":\"\\\"\\\\\""},
		{"ann", B("a\nb\tc\r\b\f"),
		 "\"type\":\"message\",\"sender\":\"ann\",\"message\":\"a\\nb\\tc\\r\\b\\f\""},
		{"ann", B("\x01\x1f"),
		 "\"type\":\"message\",\"sender\":\"ann\",\"message\":\"\\u0001\\u001f\""},
		{"ann", B("a\0b"),
		 "\"type\":\"message\",\"sender\":\"ann\",\"message\":\"a\\u0000b\""},
		{"ann", B("</script>"),
		 "\"type\":\"message\",\"sender\":\"ann\",\"message\":\"</script>\""},
		{"\xe2\x82\xac", B("\xf0\x9f\x98\x80"),
		 "\"type\":\"message\",\"sender\":\"\xe2\x82\xac\",\"message\":\"\xf0\x9f\x98\x80\""},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		size_t size;
		char *payload = message_compose(rows[i].sender, rows[i].text, rows[i].size, &size);

		assert_string_equal(payload, rows[i].payload);
		assert_int_equal(size, strlen(payload));
		free(payload);
	}
}

static void encodes_sequence_and_time(void **state)
{
	static const struct {
		uint64_t sequence;
		int64_t time;
		const char *text;
	} rows[] = {
		{1, 0, "{\"sender\":\"ann\",\"seq\":1,\"time\":\"1970-01-01T00:00:00.000Z\"}"},
		{42, 1767323045678,
		 "{\"sender\":\"ann\",\"seq\":42,\"time\":\"2026-01-02T03:04:05.678Z\"}"},
		{UINT64_MAX, 4102444799999,
		 "{\"sender\":\"ann\",\"seq\":18446744073709551615,"
		 "\"time\":\"2099-12-31T23:59:59.999Z\"}"},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct journal_entry entry = {
			.sequence = rows[i].sequence,
			.time = rows[i].time,
			.payload = "\"sender\":\"ann\"",
			.size = 14,
		};
		char text[256];
		size_t size = message_encode(&entry, text, sizeof(text));

		assert_int_equal(size, strlen(rows[i].text));
		assert_memory_equal(text, rows[i].text, size);
	}
}

/* Where it doesn't fit the length says so, and nothing is written. */
static void encodes_nothing_that_does_not_fit(void **state)
{
	const struct journal_entry entry = {
		.sequence = UINT64_MAX, .time = 4102444799999, .payload = "\"a\":\"b\"", .size = 7};
	char text[512];

	for (size_t size = 0; size < 200; size++) {
		char *buffer = malloc(size + 1);
		size_t length;

		memset(buffer, '#', size + 1);
		length = message_encode(&entry, buffer, size);
		if (length > size && size)
			assert_int_equal(buffer[0], '#');
		assert_int_equal(buffer[size], '#');
		free(buffer);
	}
	assert_true(message_encode(&entry, text, sizeof(text)) < sizeof(text));
}

static uint64_t tag_of(uint64_t sequence, int64_t time, const char *payload)
{
	const struct journal_entry entry = {
		.sequence = sequence, .time = time, .payload = payload, .size = strlen(payload)};

	return message_tag(1, &entry);
}

/* A stub is as long as a message may be. */
static void tag_is_another_one_for_another_message(void **state)
{
	struct journal_redaction redaction;
	char said[256];
	uint64_t tag;

	message_redact(5, &redaction);
	snprintf(said, sizeof(said), "\"type\":\"message\",%*s", (int)redaction.size - 17, "");
	assert_int_equal(strlen(said), redaction.size);
	tag = tag_of(5, 7, said);
	assert_int_equal(tag_of(5, 7, said), tag);
	assert_int_not_equal(tag_of(6, 7, said), tag);
	assert_int_not_equal(tag_of(5, 8, said), tag);
	assert_int_not_equal(tag_of(5, 7, redaction.payload), tag);
	assert_int_not_equal(tag_of(5, 7, said + 1), tag);
	assert_int_not_equal(tag_of(5, 7, ""), tag);
}

static void encoded_message_is_json(void **state)
{
	size_t size;
	char *payload = message_compose("ann", "a\"b", 3, &size);
	const struct journal_entry entry = {
		.sequence = 7, .time = 1767323045678, .payload = payload, .size = size};
	char text[256] = "";
	struct json_object *root;

	message_encode(&entry, text, sizeof(text) - 1);
	assert_string_equal(
		text, "{\"type\":\"message\",\"sender\":\"ann\",\"message\":\"a\\\"b\",\"seq\":7,"
		      "\"time\":\"2026-01-02T03:04:05.678Z\"}");
	root = json_tokener_parse(text);
	assert_string_equal(json_object_get_string(json_object_object_get(root, "message")),
			    "a\"b");
	json_object_put(root);
	free(payload);
}

/* Either side of a call the clock may turn to the next second: one of both is in the text. */
static void notice_has_a_time_and_no_sequence(void **state)
{
	static const char beginning[] =
		"{\"sender\":\"__server\",\"message\":\"a\\\"nn joined\",\"time\":\"";
	time_t before = time(NULL), after;
	size_t size;
	char *notice = message_notice("a\"nn joined", &size);
	char first[32], second[32];
	const char *when = notice + sizeof(beginning) - 1;
	struct tm utc;

	after = time(NULL);
	strftime(first, sizeof(first), "%Y-%m-%dT%H:%M:%S.", gmtime_r(&before, &utc));
	strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S.", gmtime_r(&after, &utc));
	assert_int_equal(size, strlen(notice));
	assert_memory_equal(notice, beginning, sizeof(beginning) - 1);
	assert_true(!strncmp(when, first, 20) || !strncmp(when, second, 20));
	assert_string_equal(when + 23, "Z\"}");
	free(notice);
}

static void error_for_the_sender(void **state)
{
	static const struct message_error bare = {"bad_json", "expected \"x\"", NULL};
	static const struct message_error full = {"too_long", "too long", "c-\"7"};
	static const struct {
		char *(*write)(const struct message_error *error, size_t *size);
		const struct message_error *error;
		const char *text;
	} rows[] = {
		{message_error_plain, &bare,
		 "{\"sender\":\"__server\",\"error\":\"expected \\\"x\\\"\"}"},
		{message_error_plain, &full, "{\"sender\":\"__server\",\"error\":\"too long\"}"},
		{message_error_rich, &bare,
		 "{\"type\":\"error\",\"code\":\"bad_json\",\"message\":\"expected \\\"x\\\"\"}"},
		{message_error_rich, &full,
		 "{\"type\":\"error\",\"code\":\"too_long\",\"message\":\"too long\","
		 "\"id\":\"c-\\\"7\"}"},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		size_t size;
		char *text = rows[i].write(rows[i].error, &size);

		assert_string_equal(text, rows[i].text);
		assert_int_equal(size, strlen(text));
		free(text);
	}
}

/* A JSON string of that many characters, each of which may take more than a byte. */
static struct json_object *repeat(const char *character, size_t n)
{
	size_t size = strlen(character);
	char *text = malloc(n * size + 1);
	struct json_object *string;
	char *p = text;

	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, character);
	string = json_object_new_string_len(text, (int)(n * size));
	free(text);
	return string;
}

static void messages_have_at_most_4096_code_points(void **state)
{
	static const char *const characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac",
						 "\xf0\x9f\x98\x80"};

	for (size_t i = 0; i < LENGTH(characters); i++) {
		struct json_object *fits = repeat(characters[i], 4096);
		struct json_object *too_long = repeat(characters[i], 4097);

		assert_null(message_check(fits));
		assert_string_equal(message_check(too_long),
				    "message: expected at most 4096 characters");
		json_object_put(fits);
		json_object_put(too_long);
	}
}

static void longest_message_can_be_encoded(void **state)
{
	struct json_object *longest = repeat("\x01", 4096);
	size_t size;
	char *payload = message_compose("ann", json_object_get_string(longest), 4096, &size);
	const struct journal_entry entry = {.sequence = 1, .payload = payload, .size = size};
	char *text = malloc(65536);

	assert_true(message_encode(&entry, text, 65536) <= 65536);
	free(text);
	free(payload);
	json_object_put(longest);
}

#define NO_OBJECT "expected a JSON object with a message"
#define NO_STRING "message: expected a string"

static const struct {
	const char *input;
	size_t size;
	const char *text; /* NULL: refused */
	const char *error;
} inputs[] = {
	{B("{\"message\":\"hi\"}"), "hi", NULL},
	{B(" { \"message\" : \"hi\" } \n"), "hi", NULL},
	{B("{\"message\":\"\\u20ac\\n\\\"\"}"), "\xe2\x82\xac\n\"", NULL},
	{B("{\"message\":\"\\ud83d\\ude00\"}"), "\xf0\x9f\x98\x80", NULL},
	{B("{\"sender\":\"__server\",\"message\":\"hi\",\"seq\":9}"), "hi", NULL},
	{B("{\"sender\":5,\"message\":\"hi\",\"more\":[{}]}"), "hi", NULL},
	{B(""), NULL, NO_OBJECT},
	{B("hi"), NULL, NO_OBJECT},
	{B("null"), NULL, NO_OBJECT},
	{B("\"hi\""), NULL, NO_OBJECT},
	{B("5"), NULL, NO_OBJECT},
	{B("[\"message\"]"), NULL, NO_OBJECT},
	{B("{\"message\":\"hi\""), NULL, NO_OBJECT},
	{B("{\"message\":\"hi\"}}"), NULL, NO_OBJECT},
	{B("{\"message\":\"hi\"} x"), NULL, NO_OBJECT},
	{B("{\"message\":'hi'}"), NULL, NO_OBJECT},
	{B("{message:\"hi\"}"), NULL, NO_OBJECT},
	{B("{\"message\":\"hi\",}"), NULL, NO_OBJECT},
	{B("{}"), NULL, NO_STRING},
	{B("{\"Message\":\"hi\"}"), NULL, NO_STRING},
	{B("{\"message\":null}"), NULL, NO_STRING},
	{B("{\"message\":5}"), NULL, NO_STRING},
	{B("{\"message\":true}"), NULL, NO_STRING},
	{B("{\"message\":[\"hi\"]}"), NULL, NO_STRING},
	{B("{\"message\":{\"message\":\"hi\"}}"), NULL, NO_STRING},
	{B("{\"message\":\"\"}"), NULL, "message: expected a string that is not empty"},
	{B("{\"message\":\"\xff\"}"), NULL, "message: expected well-formed Unicode"},
	{B("{\"message\":\"\xed\xa0\x80\"}"), NULL, "message: expected well-formed Unicode"},
};

static struct json_tokener *strict_tokener(void)
{
	struct json_tokener *tokener = json_tokener_new();

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	return tokener;
}

/* As the chat does it: the text, or what is wrong. */
static struct json_object *parse(struct json_tokener *tokener, const char *input, size_t size,
				 struct json_object **root, const char **error)
{
	struct json_object *text;

	*root = message_parse(tokener, input, size);
	text = json_object_object_get(*root, "message");
	*error = *root ? message_check(text) : NO_OBJECT;
	return *error ? NULL : text;
}

/* One tokener for all of them: what came before must not matter. */
static void parses_what_clients_send(void **state)
{
	struct json_tokener *tokener = strict_tokener();

	for (size_t i = 0; i < LENGTH(inputs); i++) {
		struct json_object *root;
		const char *error;
		struct json_object *text =
			parse(tokener, inputs[i].input, inputs[i].size, &root, &error);

		if (!text != !inputs[i].text)
			fail_msg("%s: %s", inputs[i].input, text ? "accepted" : error);
		if (text)
			assert_string_equal(json_object_get_string(text), inputs[i].text);
		else
			assert_string_equal(error, inputs[i].error);
		json_object_put(root);
	}
	json_tokener_free(tokener);
}

static void text_behind_a_nul_is_refused(void **state)
{
	static const char input[] = "{\"message\":\"hi\"}\0x";
	struct json_tokener *tokener = strict_tokener();
	struct json_object *root;
	const char *error = NULL;

	parse(tokener, input, sizeof(input) - 1, &root, &error);
	json_object_put(root);
	json_tokener_free(tokener);
	assert_non_null(error);
}

static void a_nul_in_a_message_is_kept(void **state)
{
	static const char input[] = "{\"message\":\"a\\u0000b\"}";
	struct json_tokener *tokener = strict_tokener();
	struct json_object *root;
	const char *error;
	struct json_object *text = parse(tokener, input, sizeof(input) - 1, &root, &error);

	assert_int_equal(json_object_get_string_len(text), 3);
	assert_memory_equal(json_object_get_string(text), "a\0b", 3);
	json_object_put(root);
	json_tokener_free(tokener);
}

static void deep_nesting_is_refused(void **state)
{
	struct json_tokener *tokener = strict_tokener();
	struct json_object *root;
	const char *error;
	static char deep[100000];

	memset(deep, '[', sizeof(deep));
	assert_null(parse(tokener, deep, sizeof(deep), &root, &error));
	assert_string_equal(error, NO_OBJECT);
	json_object_put(root);
	json_tokener_free(tokener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(composes_what_the_sender_determines),
		cmocka_unit_test(encodes_sequence_and_time),
		cmocka_unit_test(tag_is_another_one_for_another_message),
		cmocka_unit_test(encodes_nothing_that_does_not_fit),
		cmocka_unit_test(encoded_message_is_json),
		cmocka_unit_test(notice_has_a_time_and_no_sequence),
		cmocka_unit_test(error_for_the_sender),
		cmocka_unit_test(messages_have_at_most_4096_code_points),
		cmocka_unit_test(longest_message_can_be_encoded),
		cmocka_unit_test(parses_what_clients_send),
		cmocka_unit_test(text_behind_a_nul_is_refused),
		cmocka_unit_test(a_nul_in_a_message_is_kept),
		cmocka_unit_test(deep_nesting_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
