#include "fuzz.h"

#include "message.h"
#include "moderation.h"

/* What a client sends comes out, if it is accepted, as JSON with the same text, whoever sends it. */

#define ENCODED_SIZE (64 * 1024)

static struct json_tokener *strict_tokener(void)
{
	struct json_tokener *tokener = json_tokener_new();

	require(tokener);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	return tokener;
}

static void check_encoded(const char *text, size_t size, const char *sender,
			  struct json_object *message)
{
	struct json_tokener *tokener = strict_tokener();
	struct json_object *root = json_tokener_parse_ex(tokener, text, (int)size);

	require(json_tokener_get_error(tokener) == json_tokener_success);
	require(json_object_object_length(root) == 5);
	require(json_object_equal(json_object_object_get(root, "message"), message));
	require(!strcmp(json_object_get_string(json_object_object_get(root, "sender")), sender));
	require(json_object_get_int64(json_object_object_get(root, "seq")) == 42);
	json_object_put(root);
	json_tokener_free(tokener);
}

static void round_trip(const char *sender, struct json_object *message)
{
	static char text[ENCODED_SIZE];
	size_t size;
	char *payload = message_compose(sender, json_object_get_string(message),
					(size_t)json_object_get_string_len(message), &size);
	struct journal_entry entry = {.sequence = 42, .time = 1767323045678};

	require(payload);
	entry.payload = payload;
	entry.size = size;
	size = message_encode(&entry, text, sizeof(text));
	require(size <= sizeof(text));
	require(fuzz_count_utf8((const uint8_t *)text, size) > 0);
	check_encoded(text, size, sender, message);
	free(payload);
}

/* What passes as an action of a moderator is about one message, one person or one address. */
static void moderate(struct json_object *root)
{
	for (int i = 0; i < MODERATION_ACTIONS; i++) {
		enum moderation_action action = (enum moderation_action)i;
		struct moderation moderation;

		if (moderation_read(root, action, &moderation))
			continue;
		require(moderation.action == action);
		require(!!moderation.user + !!*moderation.address + !!moderation.sequence == 1);
		require(moderation.seconds <= MODERATION_SECONDS_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_tokener *tokener; /* one for all, as in the server */
	struct json_object *root, *message;

	if (!tokener) {
		tokener = json_tokener_new();
		require(tokener);
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	}
	root = message_parse(tokener, (const char *)data, size);
	message = json_object_object_get(root, "message");
	if (root && !message_check(message)) {
		round_trip("ann", message);
		round_trip("\"\\\xe2\x82\xac", message);
	}
	if (root)
		moderate(root);
	json_object_put(root);
	return 0;
}
