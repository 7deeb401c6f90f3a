#include "protocols/chat-welcome.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int chat_facts_gather(struct chat_facts *facts, struct room *room)
{
	facts->sequence = room_delivered(room);
	facts->names = room_list_people(room, &facts->names_size, &facts->people);
	return facts->names ? 0 : -ENOMEM;
}

void chat_facts_finish(struct chat_facts *facts)
{
	free(facts->names);
	*facts = (struct chat_facts){0};
}

static struct json_object *list_rights(const struct chat *chat)
{
	static const struct {
		enum right right;
		const char *word;
	} rights[] = {{RIGHT_READ, "read"}, {RIGHT_WRITE, "write"}, {RIGHT_MODERATE, "moderate"}};
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++)
		if (chat_has_right(chat, rights[i].right))
			json_object_array_add(list, json_object_new_string(rights[i].word));
	return list;
}

/* What comes before the names, without the braces. */
static char *write_start(const struct chat *chat, struct room *room, const struct chat_facts *facts)
{
	struct json_object *object = json_object_new_object();
	size_t size;

	json_object_object_add(object, "type", json_object_new_string("welcome"));
	json_object_object_add(object, "room", json_object_new_string(room_name(room)));
	json_object_object_add(object, "user", json_object_new_string(chat->room.session.user));
	json_object_object_add(object, "epoch", json_object_new_string(room_epoch(room)));
	json_object_object_add(object, "seq", json_object_new_uint64(facts->sequence));
	return message_payload_of_json(object, &size);
}

/* And what comes behind them. */
static char *write_rest(const struct chat *chat, const struct chat_facts *facts)
{
	struct json_object *object = json_object_new_object();
	int64_t muted = chat_muted_seconds(chat);
	size_t size;

	json_object_object_add(object, "people", json_object_new_uint64(facts->people));
	json_object_object_add(object, "rights", list_rights(chat));
	if (muted)
		json_object_object_add(object, "muted_seconds", json_object_new_int64(muted));
	return message_payload_of_json(object, &size);
}

/* The names are JSON already: a thousand of them are a copy, and not a thousand objects. */
int chat_welcome_write(struct frames *frames, const struct chat *chat, struct room *room,
		       const struct chat_facts *facts)
{
	char *start = write_start(chat, room, facts);
	char *rest = write_rest(chat, facts);
	char *text = NULL;
	int size = -1;
	int r = start && rest ? frames_open(frames) : -ENOMEM;

	if (!r)
		size = asprintf(&text, "{%s,\"members\":[%s],%s}", start, facts->names, rest);
	if (size >= 0) {
		frames_put(frames, text, (size_t)size);
		free(text);
		r = frames_close(frames);
	} else {
		r = -ENOMEM;
	}
	free(start);
	free(rest);
	return r;
}
