#include "auth.h"
#include "bans.h"
#include "limiter.h"
#include "message.h"
#include "mount/routes.h"
#include "opening.h"
#include "posting.h"
#include "rooms.h"
#include "utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The rooms over HTTP: who is there, and a word from outside. */

#define LIST_MAX 1000

static void put_string(FILE *out, const char *text)
{
	struct json_object *string = json_object_new_string(text);

	fputs(json_object_to_json_string_ext(string, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE),
	      out);
	json_object_put(string);
}

/* Those that the caller may enter, at most LIST_MAX. Releases all of them. */
static void put_rooms(FILE *out, struct room **list, size_t n, const struct identity *identity)
{
	size_t put = 0;

	for (size_t i = 0; i < n; i++) {
		struct room *room = list[i];

		if (put < LIST_MAX &&
		    (!identity->name || identity_may_enter(identity, room_name(room)))) {
			fputs(put++ ? ",{\"name\":" : "{\"name\":", out);
			put_string(out, room_name(room));
			fprintf(out, ",\"members\":%zu,\"seq\":%" PRIu64 "}", room_size(room),
				room_head(room));
		}
		room_release(room);
	}
}

/* Only to get hold of the rooms takes the lock that everybody needs. */
unsigned route_rooms(const struct route_request *request, struct json_object **body)
{
	struct identity identity;
	struct http_text text = {0};
	struct room **list;
	FILE *out;
	size_t n;
	unsigned status = route_permit(request, NULL, RIGHT_READ, &identity, body);

	if (status)
		return status;
	out = open_memstream(&text.bytes, &text.size);
	list = out ? rooms_list(request->server->rooms, identity.name ? SIZE_MAX : LIST_MAX, &n)
		   : NULL;
	if (list) {
		fputs("{\"rooms\":[", out);
		put_rooms(out, list, n, &identity);
		fputs("]}", out);
	}
	identity_finish(&identity);
	if (!list || fclose(out)) {
		free(list);
		return route_problem(body, 500, "out of memory");
	}
	free(list);
	route_give_text(request->later, &text);
	return 200;
}

static unsigned give_members(const struct route_request *request, struct room *room,
			     struct json_object **body)
{
	struct http_text text = {0};
	size_t size, people;
	char *names = room_list_people(room, &size, &people);
	FILE *out = names ? open_memstream(&text.bytes, &text.size) : NULL;

	if (out) {
		fputs("{\"room\":", out);
		put_string(out, room_name(room));
		fprintf(out, ",\"members\":[%s]}", names);
	}
	free(names);
	if (!out || fclose(out))
		return route_problem(body, 500, "out of memory");
	route_give_text(request->later, &text);
	return 200;
}

unsigned route_room_members(const struct route_request *request, struct json_object **body)
{
	struct identity identity;
	unsigned status =
		route_permit(request, request->parameters[0], RIGHT_READ, &identity, body);
	struct room *room;

	identity_finish(&identity);
	if (status)
		return status;
	room = rooms_find(request->server->rooms, request->parameters[0]);
	if (!room)
		return route_problem(body, 404, "no such room");
	status = give_members(request, room, body);
	room_release(room);
	return status;
}

/* What is said from outside, until it is kept. */
struct word {
	struct service *service;
	struct route_later *later;
	struct json_object *room; /* its name */
	struct posting_text text;
};

static void answer(struct word *word, unsigned status, struct json_object *body)
{
	route_answer(word->later, status, body);
	json_object_put(word->room);
	free(word);
}

static void answer_problem(struct word *word, unsigned status, const char *detail)
{
	struct json_object *body;

	route_problem(&body, status, detail);
	answer(word, status, body);
}

/* RFC 9110 section 15.6.4, RFC 4918 section 11.5. */
static unsigned status_of(int error)
{
	return error == -EBUSY ? 503 : error == -ENOSPC ? 507 : 500;
}

static void on_posted(void *user, const struct journal_publication *publication)
{
	struct word *word = user;
	struct json_object *body;

	if (publication->result < 0) {
		answer_problem(word, status_of(publication->result),
			       "the message could not be kept");
		return;
	}
	body = json_object_new_object();
	json_object_object_add(body, "room", json_object_get(word->room));
	json_object_object_add(body, "seq", json_object_new_uint64(publication->sequence));
	answer(word, 201, body);
}

static void on_opened(void *user, struct room *room, int error)
{
	struct word *word = user;

	if (room) {
		posting_send(word->service, room, &word->text, on_posted, word, &error);
	} else {
		free(word->text.payload);
	}
	if (error == -ENOSPC)
		answer_problem(word, 503, "there are too many rooms");
	else if (error < 0)
		answer_problem(word, error == -EBUSY ? 503 : 500, "the room could not be opened");
}

static unsigned publish(const struct route_request *request, const char *sender,
			struct json_object *text, struct json_object **body)
{
	struct word *word = calloc(1, sizeof(*word));

	if (word)
		word->text.payload =
			message_compose(sender, json_object_get_string(text),
					(size_t)json_object_get_string_len(text), &word->text.size);
	if (!word || !word->text.payload) {
		free(word);
		return route_problem(body, 500, "out of memory");
	}
	word->service = request->service;
	word->later = request->later;
	word->room = json_object_new_string(request->parameters[0]);
	opening_begin(request->service, request->parameters[0], on_opened, word);
	return ROUTE_LATER;
}

/*
 * What may not be done over HTTP either: speak while muted, or too fast. Who has
 * no name is charged by address, but for the owner of a publish key.
 */
static unsigned check_speech(const struct route_request *request, const struct identity *identity,
			     struct json_object **body)
{
	const struct server *server = request->server;
	const char *who = identity->name;

	if (!who && auth_publisher(server->auth, request->authorization))
		return 0;
	if (!who)
		who = request->address;
	if (identity->name && bans_until(server->bans, BAN_SPEECH, request->parameters[0],
					 identity->name, request->address, time(NULL)))
		return route_problem(body, 403, "muted");
	if (limiter_take(server->limiter, LIMIT_MESSAGES, who, turn_now(&request->service->turn)))
		return 0;
	return route_refuse_rate(request, LIMIT_MESSAGES, body);
}

static unsigned check_room(const struct route_request *request, struct json_object **body)
{
	struct server *server = request->server;
	const char *name = request->parameters[0];
	struct room *room;

	if (!utf8_is_name(name, strlen(name)))
		return route_problem(body, 404, "no such room");
	if (rooms_count(server->rooms) < server->config->chat.max_rooms)
		return 0;
	room = rooms_find(server->rooms, name);
	room_release(room);
	return room ? 0 : route_problem(body, 503, "there are too many rooms");
}

static unsigned check_text(const struct route_request *request, struct json_object *text,
			   struct json_object **body)
{
	unsigned max = request->server->config->chat.max_characters;
	const char *problem = message_check(text);
	char words[64];

	if (problem)
		return route_problem(body, 422, problem);
	if (message_fits(text, max))
		return 0;
	snprintf(words, sizeof(words), "message: expected at most %u characters", max);
	return route_problem(body, 422, words);
}

/* Who has a token speaks in their own name, everybody else in that which they give, or their key's. */
static unsigned read_sender(const struct route_request *request, const struct identity *identity,
			    const char **sender, struct json_object **body)
{
	struct json_object *given = json_object_object_get(request->body, "sender");

	*sender = identity->name;
	if (!*sender && !given) {
		const struct config_publish_key *key =
			auth_publisher(request->server->auth, request->authorization);

		*sender = key ? key->name : NULL;
	}
	if (*sender)
		return 0;
	*sender = json_object_get_string(given);
	if (json_object_is_type(given, json_type_string) &&
	    utf8_is_name(*sender, (size_t)json_object_get_string_len(given)))
		return 0;
	return route_problem(body, 422, "sender: expected a name");
}

unsigned route_room_publish(const struct route_request *request, struct json_object **body)
{
	struct json_object *text = json_object_object_get(request->body, "message");
	const char *sender;
	struct identity identity;
	unsigned status =
		route_permit(request, request->parameters[0], RIGHT_WRITE, &identity, body);

	if (status)
		return status;
	status = read_sender(request, &identity, &sender, body);
	if (!status)
		status = check_text(request, text, body);
	if (!status)
		status = check_room(request, body);
	if (!status)
		status = check_speech(request, &identity, body);
	if (!status)
		status = publish(request, sender, text, body);
	identity_finish(&identity);
	return status;
}
