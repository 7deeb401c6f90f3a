#include "address.h"
#include "auth.h"
#include "bans.h"
#include "limiter.h"
#include "moderation.h"
#include "mount/routes.h"
#include "opening.h"
#include "utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Moderation over HTTP: see moderation.h. */

/* One action, until its entry is kept. */
struct deed {
	struct service *service;
	struct route_later *later;
	struct moderation moderation; /* with strings of its own */
	char *room;
};

static void deed_destroy(struct deed *deed)
{
	if (!deed)
		return;
	free((char *)(uintptr_t)deed->moderation.by);
	free((char *)(uintptr_t)deed->moderation.user);
	free(deed->room);
	free(deed);
}

static unsigned describe(int error, struct json_object **body)
{
	switch (error) {
	case -ENOENT:
		return route_problem(body, 404, "there is nothing like that here");
	case -EBUSY:
		return route_problem(body, 503, "the journal is busy");
	case -ENOSPC:
		return route_problem(body, 507, "it could not be kept");
	case -EMFILE:
		return route_problem(body, 503, "there are too many rooms");
	default:
		return route_problem(body, 500, "it could not be done");
	}
}

static void answer(struct deed *deed, const struct journal_publication *publication)
{
	struct json_object *body;
	unsigned status = 201;

	if (publication->result < 0) {
		status = describe(publication->result, &body);
	} else {
		body = json_object_new_object();
		json_object_object_add(body, "room", json_object_new_string(deed->room));
		json_object_object_add(body, "seq", json_object_new_uint64(publication->sequence));
	}
	route_answer(deed->later, status, body);
	deed_destroy(deed);
}

static void on_posted(void *user, const struct journal_publication *publication)
{
	answer(user, publication);
}

static void on_opened(void *user, struct room *room, int error)
{
	struct deed *deed = user;
	struct posting *posting;

	if (room)
		error = moderation_act(deed->service, room, &deed->moderation, on_posted, deed,
				       &posting);
	else if (error == -ENOSPC)
		error = -EMFILE; /* no room for it, but on the disk there may be some */
	if (error < 0)
		answer(deed, &(struct journal_publication){.result = error});
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static unsigned act(const struct route_request *request, const struct moderation *moderation,
		    const struct identity *identity, struct json_object **body)
{
	struct deed *deed = calloc(1, sizeof(*deed));

	if (deed) {
		deed->service = request->service;
		deed->later = request->later;
		deed->moderation = *moderation;
		deed->moderation.by = copy(identity->name);
		deed->moderation.user = copy(moderation->user);
		deed->room = copy(request->parameters[0]);
	}
	if (!deed || !deed->room || !deed->moderation.by ||
	    !deed->moderation.user != !moderation->user) {
		deed_destroy(deed);
		return route_problem(body, 500, "out of memory");
	}
	opening_begin(request->service, deed->room, on_opened, deed);
	return ROUTE_LATER;
}

/* A room that nobody may be in doesn't exist. */
static unsigned permit(const struct route_request *request, struct identity *identity,
		       struct json_object **body)
{
	unsigned status =
		route_permit(request, request->parameters[0], RIGHT_MODERATE, identity, body);

	if (!status && !auth_publisher(request->server->auth, request->authorization) &&
	    !limiter_take(request->server->limiter, LIMIT_MODERATION, identity->name,
			  turn_now(&request->service->turn))) {
		identity_finish(identity);
		status = route_refuse_rate(request, LIMIT_MODERATION, body);
	}
	if (!status && !utf8_is_name(request->parameters[0], strlen(request->parameters[0]))) {
		identity_finish(identity);
		status = route_problem(body, 404, "no such room");
	}
	return status;
}

static unsigned act_as_told(const struct route_request *request, enum moderation_action action,
			    struct json_object **body)
{
	struct moderation moderation;
	struct identity identity;
	const char *problem;
	unsigned status = permit(request, &identity, body);

	if (status)
		return status;
	problem = moderation_read(request->body, action, &moderation);
	status = problem ? route_problem(body, 422, problem)
			 : act(request, &moderation, &identity, body);
	identity_finish(&identity);
	return status;
}

unsigned route_room_mute(const struct route_request *request, struct json_object **body)
{
	return act_as_told(request, MODERATION_MUTE, body);
}

unsigned route_room_kick(const struct route_request *request, struct json_object **body)
{
	return act_as_told(request, MODERATION_KICK, body);
}

unsigned route_room_ban(const struct route_request *request, struct json_object **body)
{
	return act_as_told(request, MODERATION_BAN, body);
}

unsigned route_room_delete_message(const struct route_request *request, struct json_object **body)
{
	struct moderation moderation = {.action = MODERATION_DELETE};
	struct identity identity;
	const char *text = request->parameters[1];
	char *end;
	unsigned status = permit(request, &identity, body);

	if (status)
		return status;
	moderation.sequence = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || !moderation.sequence ||
	    moderation.sequence > INT64_MAX)
		status = route_problem(body, 404, "no such message");
	else
		status = act(request, &moderation, &identity, body);
	identity_finish(&identity);
	return status;
}

/* Names may look like addresses: who is listed by name is meant first. */
static void read_who(const struct route_request *request, enum ban_kind kind,
		     struct moderation *moderation)
{
	const char *who = request->parameters[1];

	if (bans_until(request->server->bans, kind, request->parameters[0], who, NULL,
		       time(NULL)) ||
	    address_network(who, moderation->address) < 0)
		moderation->user = who;
}

static unsigned lift(const struct route_request *request, enum moderation_action action,
		     enum ban_kind kind, struct json_object **body)
{
	struct moderation moderation = {.action = action};
	struct identity identity;
	unsigned status = permit(request, &identity, body);

	if (status)
		return status;
	read_who(request, kind, &moderation);
	status = act(request, &moderation, &identity, body);
	identity_finish(&identity);
	return status;
}

unsigned route_room_unmute(const struct route_request *request, struct json_object **body)
{
	return lift(request, MODERATION_UNMUTE, BAN_SPEECH, body);
}

unsigned route_room_unban(const struct route_request *request, struct json_object **body)
{
	return lift(request, MODERATION_UNBAN, BAN_ENTRY, body);
}

struct listing {
	struct json_object *list;
	const char *room;
	enum ban_kind kind;
	int64_t now;
};

static int add_ban(void *user, const struct ban *ban)
{
	struct listing *listing = user;
	struct json_object *item;

	if (ban->kind != listing->kind || !ban->room || strcmp(ban->room, listing->room))
		return 0;
	item = json_object_new_object();
	json_object_object_add(item, ban->subject == BAN_NAME ? "user" : "address",
			       json_object_new_string(ban->who));
	json_object_object_add(item, "seconds", json_object_new_int64(ban->until - listing->now));
	json_object_array_add(listing->list, item);
	return 0;
}

/* Whom it strikes, and for how long still. */
static unsigned list(const struct route_request *request, enum ban_kind kind, const char *name,
		     struct json_object **body)
{
	struct listing listing = {.room = request->parameters[0], .kind = kind, .now = time(NULL)};
	struct identity identity;
	unsigned status = permit(request, &identity, body);

	if (status)
		return status;
	identity_finish(&identity);
	listing.list = json_object_new_array();
	bans_each(request->server->bans, listing.now, add_ban, &listing);
	*body = json_object_new_object();
	json_object_object_add(*body, "room", json_object_new_string(listing.room));
	json_object_object_add(*body, name, listing.list);
	return 200;
}

unsigned route_room_bans(const struct route_request *request, struct json_object **body)
{
	return list(request, BAN_ENTRY, "bans", body);
}

unsigned route_room_mutes(const struct route_request *request, struct json_object **body)
{
	return list(request, BAN_SPEECH, "mutes", body);
}
