#include "message.h"
#include "mount/routes.h"
#include "posting.h"
#include "room.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The rooms over HTTP: who is there, what was said, and a word from outside. */

#define PAGE_MAX 1000
#define PAGE_DEFAULT 100
#define LIST_MAX 1000

static bool add_room(void *user, struct room *room)
{
	struct json_object *list = user;
	struct json_object *item = json_object_new_object();

	json_object_object_add(item, "name", json_object_new_string(room_name(room)));
	json_object_object_add(item, "members", json_object_new_uint64(room_size(room)));
	json_object_object_add(item, "seq", json_object_new_uint64(room_head(room)));
	json_object_array_add(list, item);
	return json_object_array_length(list) < LIST_MAX;
}

unsigned route_rooms(const struct route_request *request, struct json_object **body)
{
	struct json_object *list = json_object_new_array();

	rooms_each(request->server->rooms, add_room, list);
	*body = json_object_new_object();
	json_object_object_add(*body, "rooms", list);
	return 200;
}

static bool add_person(void *user, const char *name)
{
	json_object_array_add(user, json_object_new_string(name));
	return json_object_array_length(user) < LIST_MAX;
}

unsigned route_room_members(const struct route_request *request, struct json_object **body)
{
	struct room *room = rooms_find(request->server->rooms, request->parameters[0]);
	struct json_object *list;

	if (!room)
		return route_problem(body, 404, "no such room");
	list = json_object_new_array();
	room_each_person(room, add_person, list);
	*body = json_object_new_object();
	json_object_object_add(*body, "room", json_object_new_string(room_name(room)));
	json_object_object_add(*body, "members", list);
	room_release(room);
	return 200;
}

/* A whole number from the query, or the fallback where it isn't given; false: it is none. */
static bool read_number(const struct http_query *query, const char *name, uint64_t fallback,
			uint64_t max, uint64_t *number)
{
	*number = fallback;
	for (size_t i = 0; i < query->n; i++) {
		const char *value = query->fields[i].value;
		char *end;

		if (strcmp(query->fields[i].name, name))
			continue;
		if (*value < '0' || *value > '9')
			return false;
		*number = strtoull(value, &end, 10);
		return !*end && *number <= max;
	}
	return true;
}

static void add_message(void *user, const struct journal_entry *entry)
{
	char text[64 * 1024];
	size_t size = message_encode(entry, text, sizeof(text));

	if (size >= sizeof(text))
		return;
	text[size] = '\0';
	json_object_array_add(user, json_tokener_parse(text));
}

static unsigned list_messages(struct room *room, const struct route_request *request,
			      struct json_object **body)
{
	uint64_t head = room_head(room);
	struct journal_range range;
	uint64_t after, limit;
	struct json_object *list;

	if (!read_number(request->query, "limit", PAGE_DEFAULT, PAGE_MAX, &limit))
		return route_problem(body, 400, "limit: expected a whole number from 0 to 1000");
	if (!read_number(request->query, "after", head > limit ? head - limit : 0, UINT64_MAX,
			 &after))
		return route_problem(body, 400, "after: expected a sequence number");
	list = json_object_new_array();
	range = (struct journal_range){.after = after, .limit = (unsigned)limit};
	room_read(room, &range, add_message, list);
	*body = json_object_new_object();
	json_object_object_add(*body, "room", json_object_new_string(room_name(room)));
	json_object_object_add(*body, "epoch", json_object_new_string(room_epoch(room)));
	json_object_object_add(*body, "seq", json_object_new_uint64(head));
	json_object_object_add(*body, "messages", list);
	return 200;
}

/* Opens the room that the path names; a status other than 0 answers the request. */
static unsigned open_room(const struct route_request *request, struct room **roomp,
			  struct json_object **body)
{
	const char *name = request->parameters[0];

	if (!utf8_is_name(name, strlen(name)))
		return route_problem(body, 404, "no such room");
	if (room_open(request->server->rooms, name, roomp) < 0)
		return route_problem(body, 500, "the room could not be opened");
	return 0;
}

unsigned route_room_messages(const struct route_request *request, struct json_object **body)
{
	struct room *room = NULL;
	unsigned status = open_room(request, &room, body);

	if (status)
		return status;
	status = list_messages(room, request, body);
	room_release(room);
	return status;
}

/* What is said from outside, until it is kept. */
struct word {
	struct route_later *later;
	struct json_object *room; /* its name */
};

static void on_posted(void *user, const struct journal_publication *publication)
{
	struct word *word = user;
	struct json_object *body;
	unsigned status = 201;

	if (publication->result < 0) {
		status = route_problem(&body, publication->result == -EBUSY ? 503 : 500,
				       "the message could not be kept");
	} else {
		body = json_object_new_object();
		json_object_object_add(body, "room", json_object_get(word->room));
		json_object_object_add(body, "seq", json_object_new_uint64(publication->sequence));
	}
	route_answer(word->later, status, body);
	json_object_put(word->room);
	free(word);
}

static unsigned publish(const struct route_request *request, struct room *room, const char *sender,
			struct json_object *text, struct json_object **body)
{
	size_t size;
	char *payload = message_compose(sender, json_object_get_string(text),
					(size_t)json_object_get_string_len(text), &size);
	struct word *word = malloc(sizeof(*word));
	int error = -ENOMEM;

	if (payload && word) {
		*word = (struct word){request->later, json_object_new_string(room_name(room))};
		posting_send(request->service, room,
			     &(struct posting_text){.payload = payload, .size = size}, on_posted,
			     word, &error);
	}
	return error ? route_problem(body, 500, "out of memory") : ROUTE_LATER;
}

unsigned route_room_publish(const struct route_request *request, struct json_object **body)
{
	struct json_object *sender = json_object_object_get(request->body, "sender");
	struct json_object *text = json_object_object_get(request->body, "message");
	const char *error = message_check(text);
	struct room *room = NULL;
	unsigned status;

	if (!json_object_is_type(sender, json_type_string) ||
	    !utf8_is_name(json_object_get_string(sender),
			  (size_t)json_object_get_string_len(sender)))
		return route_problem(body, 422, "sender: expected a name");
	if (error)
		return route_problem(body, 422, error);
	status = open_room(request, &room, body);
	if (status)
		return status;
	status = publish(request, room, json_object_get_string(sender), text, body);
	room_release(room);
	return status;
}
