#include "moderation.h"

#include "bans-journal.h"
#include "log.h"
#include "metrics.h"
#include "room-session.h"
#include "server.h"
#include "utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOG_MODULE "moderation"

static const struct {
	const char *word;
	const char *past;
	bool has_seconds;
} actions[MODERATION_ACTIONS] = {
	[MODERATION_DELETE] = {"delete", "deleted", false},
	[MODERATION_MUTE] = {"mute", "muted", true},
	[MODERATION_UNMUTE] = {"unmute", "unmuted", false},
	[MODERATION_KICK] = {"kick", "kicked", false},
	[MODERATION_BAN] = {"ban", "banned", true},
	[MODERATION_UNBAN] = {"unban", "unbanned", false},
};

const char *moderation_word(enum moderation_action action)
{
	return actions[action].word;
}

int moderation_find(const char *word, enum moderation_action *action)
{
	for (int i = 0; i < MODERATION_ACTIONS; i++)
		if (!strcmp(actions[i].word, word)) {
			*action = (enum moderation_action)i;
			return 0;
		}
	return -ENOENT;
}

static bool read_whole(struct json_object *object, const char *name, int64_t max, int64_t *number)
{
	struct json_object *value = json_object_object_get(object, name);

	*number = json_object_get_int64(value);
	return json_object_is_type(value, json_type_int) && *number >= 1 && *number <= max;
}

static const char *read_user(struct json_object *user, struct moderation *moderation)
{
	if (!json_object_is_type(user, json_type_string) ||
	    !utf8_is_name(json_object_get_string(user), (size_t)json_object_get_string_len(user)))
		return "user: expected a name";
	moderation->user = json_object_get_string(user);
	return NULL;
}

static const char *read_address(struct json_object *address, struct moderation *moderation)
{
	if (!json_object_is_type(address, json_type_string) ||
	    address_network(json_object_get_string(address), moderation->address) < 0)
		return "address: expected an IPv4 or IPv6 address";
	return NULL;
}

const char *moderation_read(struct json_object *object, enum moderation_action action,
			    struct moderation *moderation)
{
	struct json_object *user = json_object_object_get(object, "user");
	struct json_object *address = json_object_object_get(object, "address");
	const char *problem;
	int64_t number;

	*moderation = (struct moderation){.action = action};
	if (action == MODERATION_DELETE) {
		if (!read_whole(object, "seq", INT64_MAX, &number))
			return "seq: expected the sequence number of a message";
		moderation->sequence = (uint64_t)number;
		return NULL;
	}
	if (!user == !address)
		return "expected a user or an address";
	problem = user ? read_user(user, moderation) : read_address(address, moderation);
	if (problem || !actions[action].has_seconds)
		return problem;
	if (!read_whole(object, "seconds", MODERATION_SECONDS_MAX, &number))
		return "seconds: expected a whole number from 1 to 31536000";
	moderation->seconds = (unsigned)number;
	return NULL;
}

/* Whom, or from where. */
static const char *who(const struct moderation *moderation)
{
	return moderation->user ? moderation->user : moderation->address;
}

/* Whoever is to go, to be found on every thread. Strings, since it may be late: the room may be gone by then. */
struct eviction {
	struct service_task task;
	bool by_address;
	const char *reason;
	char *room;
	char *who;
};

static bool is_meant(const struct eviction *eviction, struct session *session)
{
	const struct room_session *rs = lws_container_of(session, struct room_session, session);
	char text[SESSION_PEER_SIZE];
	const char *found;

	if (!session->endpoint->room || !rs->member.room ||
	    strcmp(room_name(rs->member.room), eviction->room))
		return false;
	if (eviction->by_address && session_moderates(session))
		return false;
	found = eviction->by_address ? session_address(session, text) : session->user;
	return found && !strcmp(found, eviction->who);
}

static void free_eviction(struct eviction *eviction)
{
	free(eviction->room);
	free(eviction->who);
	free(eviction);
}

static void run_eviction(struct service_task *task, struct service *service)
{
	struct eviction *eviction = (struct eviction *)task;

	if (service) {
		lws_start_foreach_dll_safe(struct lws_dll2 *, p, next,
					   lws_dll2_get_head(&service->sessions))
		{
			struct session *session = lws_container_of(p, struct session, list);

			if (is_meant(eviction, session))
				session_close(session, CLOSE_KICKED, eviction->reason);
		}
		lws_end_foreach_dll_safe(p, next);
	}
	free_eviction(eviction);
}

/* On the calling thread as well it happens later: who moderates may be about to lose a connection. */
static void evict(struct server *server, struct room *room, const struct moderation *moderation)
{
	for (size_t i = 0; i < server->n_services; i++) {
		struct eviction *eviction = calloc(1, sizeof(*eviction));

		if (!eviction)
			return;
		eviction->task.run = run_eviction;
		eviction->by_address = !moderation->user;
		eviction->reason = actions[moderation->action].past;
		eviction->room = strdup(room_name(room));
		eviction->who = strdup(who(moderation));
		if (!eviction->room || !eviction->who) {
			free_eviction(eviction);
			return;
		}
		service_post(&server->services[i], &eviction->task);
	}
}

static struct ban ban_of(struct room *room, const struct moderation *moderation)
{
	return (struct ban){
		.kind = moderation->action == MODERATION_MUTE ||
					moderation->action == MODERATION_UNMUTE
				? BAN_SPEECH
				: BAN_ENTRY,
		.subject = moderation->user ? BAN_NAME : BAN_ADDRESS,
		.room = room_name(room),
		.who = who(moderation),
	};
}

/* What there is to do, but for the entry. */
static int enforce(struct server *server, struct room *room, const struct moderation *moderation)
{
	int64_t now = time(NULL);
	struct ban ban = ban_of(room, moderation);
	int r = 0;

	ban.until = now + moderation->seconds;

	switch (moderation->action) {
	case MODERATION_MUTE:
		return bans_set(server->bans, &ban, now);
	case MODERATION_BAN:
		r = bans_set(server->bans, &ban, now);
		if (!r)
			evict(server, room, moderation);
		return r;
	case MODERATION_KICK:
		evict(server, room, moderation);
		return 0;
	case MODERATION_UNMUTE:
	case MODERATION_UNBAN:
		return bans_lift(server->bans, &ban);
	default:
		return 0;
	}
}

/* In the largest unit that it is a whole number of. */
static void describe_seconds(char *text, size_t size, unsigned seconds)
{
	static const struct {
		unsigned seconds;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	size_t i = 0;

	while (seconds % units[i].seconds)
		i++;
	snprintf(text, size, " for %u %s%s", seconds / units[i].seconds, units[i].name,
		 seconds == units[i].seconds ? "" : "s");
}

static void add(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static char *compose(const struct moderation *moderation, size_t *size)
{
	bool is_deletion = moderation->action == MODERATION_DELETE;
	struct json_object *object = json_object_new_object();
	char words[1024], duration[40] = "";

	if (!object)
		return NULL;
	if (is_deletion) {
		add(object, "type", "delete");
		json_object_object_add(object, "deleted",
				       json_object_new_uint64(moderation->sequence));
	} else {
		add(object, "type", "moderation");
		add(object, "action", actions[moderation->action].word);
		if (moderation->user)
			add(object, "user", moderation->user);
	}
	if (moderation->seconds) {
		json_object_object_add(object, "seconds",
				       json_object_new_int64(moderation->seconds));
		describe_seconds(duration, sizeof(duration), moderation->seconds);
	}
	snprintf(words, sizeof(words), "%s %s %s%s", moderation->by,
		 actions[moderation->action].past,
		 is_deletion	    ? "a message"
		 : moderation->user ? moderation->user
				    : "an address",
		 duration);
	add(object, "by", moderation->by);
	add(object, "sender", MESSAGE_SERVER);
	add(object, "message", words);
	return message_payload_of_json(object, size);
}

/* What its entry says, and keeps. */
static int prepare(struct server *server, struct room *room, const struct moderation *moderation,
		   struct posting_text *text)
{
	struct ban ban = ban_of(room, moderation);

	text->payload = compose(moderation, &text->size);
	if (!text->payload)
		return -ENOMEM;
	if (moderation->action == MODERATION_DELETE || moderation->action == MODERATION_KICK)
		return 0;
	text->mark = bans_mark(server->bans, &ban);
	return text->mark ? 0 : -ENOMEM;
}

static void note(struct service *service, struct room *room, const struct moderation *moderation)
{
	metrics_server(service->metrics)->moderation_actions++;
	log_event(LOG_LEVEL_NOTICE, LOG_MODULE, actions[moderation->action].word, "room",
		  room_name(room), "by", moderation->by, "user", moderation->user, "address",
		  *moderation->address ? moderation->address : NULL, NULL);
}

int moderation_act(struct service *service, struct room *room, const struct moderation *moderation,
		   posting_done_fn done, void *user, struct posting **posting)
{
	struct journal_redaction redaction;
	struct posting_text text = {0};
	int r;

	*posting = NULL;
	r = prepare(service->server, room, moderation, &text);
	if (!r)
		r = enforce(service->server, room, moderation);
	if (r < 0) {
		free(text.payload);
		free(text.mark);
		return r;
	}
	note(service, room, moderation);
	if (moderation->action == MODERATION_DELETE) {
		message_redact(moderation->sequence, &redaction);
		text.redaction = &redaction;
	}
	*posting = posting_send(service, room, &text, done, user, &r);
	return r;
}
