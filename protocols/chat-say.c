#include "protocols/chat.h"

#include "bans.h"
#include "identity.h"
#include "limiter.h"
#include "metrics.h"
#include "moderation.h"
#include "posting.h"
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Messages of one client whose outcome is still to come: beyond that it has to wait. */
#define SENT_MAX 256

#define BAD_ID "id: expected a string of 1 to 64 bytes"

/* So many messages that come too fast are forgiven at once, and so many a second. */
#define FORGIVEN_AT_ONCE 100
#define FORGIVEN_PER_SECOND 2

/* A message on its way to being kept. */
struct chat_sent {
	struct chat *chat;
	struct posting *posting;
	struct chat_sent *next;
	struct chat_sent **link;
	char id[]; /* empty: the client gave it none */
};

static int send_text(struct session *session, char *text, size_t size)
{
	int r = text ? session_send(session, text, size, false) : -1;

	free(text);
	return r;
}

int chat_complain(struct chat *chat, const struct message_error *error)
{
	size_t size;
	char *text =
		chat->rich ? message_error_rich(error, &size) : message_error_plain(error, &size);

	return send_text(&chat->room.session, text, size);
}

static int acknowledge(struct chat *chat, const char *id, uint64_t sequence)
{
	struct json_object *object = json_object_new_object();
	size_t size;
	char *text;

	json_object_object_add(object, "type", json_object_new_string("ack"));
	json_object_object_add(object, "id", json_object_new_string(id));
	json_object_object_add(object, "seq", json_object_new_uint64(sequence));
	text = message_of_json(object, &size);
	metrics_server(service_of(chat->room.session.wsi)->metrics)->acks++;
	return send_text(&chat->room.session, text, size);
}

static const char *describe(int error)
{
	switch (error) {
	case -EBUSY:
		return "too many messages are waiting to be kept; try again";
	case -ENOENT:
		return "there is nothing like that here";
	case -ENOSPC:
		return "the message could not be kept: there is no space left";
	default:
		return "the message could not be kept";
	}
}

static int tell_outcome(struct chat *chat, const char *id,
			const struct journal_publication *publication)
{
	const struct message_error error = {
		.code = publication->result == -EBUSY	 ? "busy"
			: publication->result == -ENOENT ? "not_found"
							 : "not_kept",
		.text = describe(publication->result),
		.id = *id ? id : NULL,
	};

	if (publication->result < 0)
		return chat_complain(chat, &error);
	return *id ? acknowledge(chat, id, publication->sequence) : 0;
}

static void unlink_sent(struct chat_sent *sent)
{
	*sent->link = sent->next;
	if (sent->next)
		sent->next->link = sent->link;
}

static void drop_sent(struct chat_sent *sent)
{
	unlink_sent(sent);
	free(sent);
}

static void on_posted(void *user, const struct journal_publication *publication)
{
	struct chat_sent *sent = user;
	struct session *session = &sent->chat->room.session;

	unlink_sent(sent);
	if (tell_outcome(sent->chat, sent->id, publication) < 0)
		session_close(session, LWS_CLOSE_STATUS_ABNORMAL_CLOSE, "write failed");
	free(sent);
}

void chat_forget_sent(struct chat *chat)
{
	while (chat->sent) {
		struct chat_sent *sent = chat->sent;

		chat->sent = sent->next;
		posting_forget(sent->posting);
		free(sent);
	}
}

static unsigned count_sent(const struct chat *chat)
{
	unsigned n = 0;

	for (const struct chat_sent *sent = chat->sent; sent; sent = sent->next)
		n++;
	return n;
}

static struct chat_sent *create_sent(struct chat *chat, const char *id)
{
	size_t size = strlen(id) + 1;
	struct chat_sent *sent = malloc(sizeof(*sent) + size);

	if (!sent)
		return NULL;
	sent->chat = chat;
	sent->posting = NULL;
	memcpy(sent->id, id, size);
	sent->next = chat->sent;
	sent->link = &chat->sent;
	if (sent->next)
		sent->next->link = &sent->next;
	chat->sent = sent;
	return sent;
}

/* What tells a message from all others of its room: who sent it, and how they call it. */
static size_t put_key(char *key, size_t size, const char *user, const char *id)
{
	size_t user_size = strlen(user) + 1, id_size = strlen(id);

	if (!id_size || user_size + id_size > size)
		return 0;
	return (size_t)((char *)mempcpy(mempcpy(key, user, user_size), id, id_size) - key);
}

static int publish(struct chat *chat, struct json_object *text, const char *id)
{
	struct session *session = &chat->room.session;
	char key[512];
	size_t key_size = put_key(key, sizeof(key), session->user, id);
	struct chat_sent *sent = create_sent(chat, id);
	struct posting_text text_to_post;
	struct posting *posting;
	size_t size;
	char *payload;
	int error = -ENOMEM;

	if (!sent)
		return -1;
	payload = message_compose(session->user, json_object_get_string(text),
				  (size_t)json_object_get_string_len(text), &size);
	text_to_post = (struct posting_text){.payload = payload,
					     .size = size,
					     .key = key_size ? key : NULL,
					     .key_size = key_size};
	posting = payload ? posting_send(service_of(session->wsi), chat->room.member.room,
					 &text_to_post, on_posted, sent, &error)
			  : NULL;
	if (posting)
		sent->posting = posting;
	return error;
}

static uint64_t now(const struct chat *chat)
{
	return turn_now(&service_of(chat->room.session.wsi)->turn);
}

bool chat_has_right(const struct chat *chat, enum right right)
{
	const struct identity *identity = chat->room.session.identity;

	return identity ? identity->rights & right : right != RIGHT_MODERATE;
}

static int refuse_right(struct chat *chat, const char *id)
{
	return chat_complain(chat, &(struct message_error){
					   .code = "forbidden", .text = "not permitted", .id = id});
}

/*
 * Whatever a connection sends is charged to it before it is looked at, and to
 * its address where the name that it has may be anybody's.
 */
static bool may_be_heard(struct chat *chat, size_t size)
{
	const struct session *session = &chat->room.session;
	struct limiter *limiter = server_of(session->wsi)->limiter;
	char address[SESSION_PEER_SIZE];

	return limiter_take_own(limiter, LIMIT_MESSAGES, &chat->rate, session->peer, now(chat)) &&
	       (session->identity ||
		limiter_take_some(limiter, LIMIT_SPEECH, session_address(session, address),
				  1 + (unsigned)(size / 1024), now(chat)));
}

static bool may_say(struct chat *chat)
{
	const struct session *session = &chat->room.session;

	return limiter_take(server_of(session->wsi)->limiter, LIMIT_MESSAGES, session->user,
			    now(chat));
}

static int refuse_speed(struct chat *chat, const char *id)
{
	const struct message_error error = {
		.code = "too_fast", .text = "too many messages", .id = id};
	const struct rate_limit forgiven = rate_limit(FORGIVEN_PER_SECOND, 1, FORGIVEN_AT_ONCE);

	metrics_server(service_of(chat->room.session.wsi)->metrics)->rate_limited++;
	if (!rate_take(&chat->patience, &forgiven, now(chat)))
		return session_fail(&chat->room.session, LWS_CLOSE_STATUS_POLICY_VIOLATION,
				    "too many messages");
	return chat_complain(chat, &error);
}

/* The id that the client gave it, "" for none, or NULL for something that can't be one. */
static const char *read_id(struct json_object *root)
{
	struct json_object *id = json_object_object_get(root, "id");

	if (!id)
		return "";
	if (!json_object_is_type(id, json_type_string) || !json_object_get_string_len(id) ||
	    json_object_get_string_len(id) > MESSAGE_ID_MAX ||
	    strlen(json_object_get_string(id)) != (size_t)json_object_get_string_len(id))
		return NULL;
	return json_object_get_string(id);
}

int64_t chat_muted_seconds(const struct chat *chat)
{
	const struct session *session = &chat->room.session;
	char address[SESSION_PEER_SIZE];
	int64_t at = time(NULL);
	int64_t until = bans_until(server_of(session->wsi)->bans, BAN_SPEECH,
				   room_name(chat->room.member.room), session->user,
				   session_address(session, address), at);

	return until > at ? until - at : 0;
}

static int refuse_length(struct chat *chat, unsigned max, const char *id)
{
	struct message_error error = {.code = "too_long", .id = id};
	char text[64];

	snprintf(text, sizeof(text), "message: expected at most %u characters", max);
	error.text = text;
	return chat_complain(chat, &error);
}

static int say(struct chat *chat, struct json_object *root)
{
	struct json_object *text = json_object_object_get(root, "message");
	unsigned max = server_of(chat->room.session.wsi)->config->chat.max_characters;
	const char *problem = message_check(text);
	const char *id = read_id(root);
	const struct message_error error = {
		.code = problem && strstr(problem, "at most") ? "too_long" : "bad_message",
		.text = problem ? problem : BAD_ID,
		.id = id && *id ? id : NULL,
	};

	if (problem || !id)
		return chat_complain(chat, &error);
	if (!message_fits(text, max))
		return refuse_length(chat, max, error.id);
	if (!chat_has_right(chat, RIGHT_WRITE))
		return refuse_right(chat, error.id);
	if (!may_say(chat))
		return refuse_speed(chat, error.id);
	if (chat_muted_seconds(chat))
		return chat_complain(
			chat,
			&(struct message_error){.code = "muted", .text = "muted", .id = error.id});
	if (count_sent(chat) >= SENT_MAX)
		return tell_outcome(chat, id, &(struct journal_publication){.result = -EBUSY});
	return publish(chat, text, id);
}

/* Others hear that somebody is typing, at most once a second and person. It is never kept. */
static int type(struct chat *chat)
{
	struct session *session = &chat->room.session;
	struct room *room = chat->room.member.room;
	struct json_object *object;
	char key[512];
	size_t size;
	char *text;

	if (!chat_has_right(chat, RIGHT_WRITE) || chat_muted_seconds(chat))
		return 0;
	snprintf(key, sizeof(key), "%s\n%s", room_name(room), session->user);
	if (!rate_table_take(server_of(session->wsi)->typing_rates, key, now(chat)))
		return 0;
	object = json_object_new_object();
	json_object_object_add(object, "type", json_object_new_string("typing"));
	json_object_object_add(object, "user", json_object_new_string(session->user));
	text = message_of_json(object, &size);
	if (text)
		room_announce(room, ROOM_RICH, text, size);
	free(text);
	return 0;
}

static int moderate(struct chat *chat, struct json_object *root, enum moderation_action action)
{
	struct session *session = &chat->room.session;
	const char *id = read_id(root);
	struct moderation moderation;
	const char *problem = moderation_read(root, action, &moderation);
	struct posting *posting;
	struct chat_sent *sent;
	int r;

	if (!chat_has_right(chat, RIGHT_MODERATE))
		return refuse_right(chat, id && *id ? id : NULL);
	if (!limiter_take(server_of(session->wsi)->limiter, LIMIT_MODERATION, session->user,
			  now(chat)))
		return refuse_speed(chat, id && *id ? id : NULL);
	if (problem || !id)
		return chat_complain(chat,
				     &(struct message_error){.code = "bad_message",
							     .text = problem ? problem : BAD_ID,
							     .id = id && *id ? id : NULL});
	sent = create_sent(chat, id);
	if (!sent)
		return -1;
	moderation.by = session->user;
	r = moderation_act(service_of(session->wsi), chat->room.member.room, &moderation, on_posted,
			   sent, &posting);
	if (r < 0) {
		drop_sent(sent);
		return tell_outcome(chat, id, &(struct journal_publication){.result = r});
	}
	if (posting)
		sent->posting = posting;
	return 0;
}

static int dispatch(struct chat *chat, struct json_object *root)
{
	struct json_object *kind = chat->rich ? json_object_object_get(root, "type") : NULL;
	const char *word = json_object_get_string(kind);
	enum moderation_action action;

	if (!kind || !strcmp(word, "message"))
		return say(chat, root);
	if (!strcmp(word, "typing"))
		return type(chat);
	if (!moderation_find(word, &action))
		return moderate(chat, root, action);
	return chat_complain(chat, &(struct message_error){
					   .code = "bad_type",
					   .text = "type: expected \"message\", \"typing\" or what "
						   "a moderator may do",
				   });
}

/* What is too much for a message isn't parsed, whatever it is. */
static int refuse_parsing(struct chat *chat, const struct message *message)
{
	bool is_long = message->size > MESSAGE_BYTES_MAX;

	return chat_complain(chat,
			     &(struct message_error){
				     .code = is_long ? "too_long" : "bad_json",
				     .text = is_long ? "expected fewer bytes"
						     : "expected a JSON object with a message",
			     });
}

int chat_hear(struct chat *chat, struct json_tokener *tokener, const struct message *message)
{
	bool may = may_be_heard(chat, message->size);
	struct json_object *root = NULL;
	const char *id;
	int r = 0;

	if (message->size <= (may ? MESSAGE_BYTES_MAX : MESSAGE_MAX_CODE_POINTS))
		root = message_parse(tokener, message->data, message->size);
	id = read_id(root);
	if (!may)
		r = refuse_speed(chat, id && *id ? id : NULL);
	else if (!root)
		r = refuse_parsing(chat, message);
	else if (reader_is_reading(&chat->room.member.reader)) /* not dropped for being slow */
		r = dispatch(chat, root);
	json_object_put(root);
	return r;
}
