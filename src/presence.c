#include "presence.h"

#include "message.h"
#include "people.h"
#include "rooms.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Names in a frame; more than that joining, or leaving, at a time are not told in words. */
#define NAMES_MAX 100

struct change {
	struct change *next;
	struct room *room; /* held */
	struct people *joined;
	struct people *left;
};

struct presence {
	size_t large;
	pthread_mutex_t lock;
	struct change *changes; /* that wait, one for each room */
};

int presence_create(struct presence **presencep, size_t large)
{
	struct presence *presence = calloc(1, sizeof(*presence));

	if (!presence)
		return -ENOMEM;
	presence->large = large;
	pthread_mutex_init(&presence->lock, NULL);
	*presencep = presence;
	return 0;
}

static void destroy_change(struct change *change)
{
	people_destroy(change->joined);
	people_destroy(change->left);
	room_release(change->room);
	free(change);
}

static void destroy_all(struct change *changes)
{
	while (changes) {
		struct change *next = changes->next;

		destroy_change(changes);
		changes = next;
	}
}

void presence_destroy(struct presence *presence)
{
	if (!presence)
		return;
	destroy_all(presence->changes);
	pthread_mutex_destroy(&presence->lock);
	free(presence);
}

static struct change *create_change(struct room *room)
{
	struct change *change = calloc(1, sizeof(*change));

	if (!change)
		return NULL;
	room_hold(room);
	change->room = room;
	if (people_create(&change->joined) < 0 || people_create(&change->left) < 0) {
		destroy_change(change);
		return NULL;
	}
	return change;
}

/* A frame for rich members, as it is put together. */
struct frame {
	struct room *room;
	size_t people;
	struct json_object *joined;
	struct json_object *left;
};

static void begin_frame(struct frame *frame)
{
	frame->joined = json_object_new_array();
	frame->left = json_object_new_array();
}

static size_t count_names(const struct frame *frame)
{
	return json_object_array_length(frame->joined) + json_object_array_length(frame->left);
}

static void end_frame(struct frame *frame)
{
	struct json_object *object = json_object_new_object();
	size_t size;
	char *text;

	json_object_object_add(object, "type", json_object_new_string("presence"));
	json_object_object_add(object, "joined", frame->joined);
	json_object_object_add(object, "left", frame->left);
	json_object_object_add(object, "people", json_object_new_uint64(frame->people));
	text = message_of_json(object, &size);
	if (text)
		room_announce(frame->room, ROOM_RICH, text, size);
	free(text);
}

static void make_room(struct frame *frame)
{
	if (count_names(frame) < NAMES_MAX)
		return;
	end_frame(frame);
	begin_frame(frame);
}

static bool add_joined(void *user, const char *name)
{
	struct frame *frame = user;

	make_room(frame);
	json_object_array_add(frame->joined, json_object_new_string(name));
	return true;
}

static bool add_left(void *user, const char *name)
{
	struct frame *frame = user;

	make_room(frame);
	json_object_array_add(frame->left, json_object_new_string(name));
	return true;
}

/* All of them, in as many frames as it takes: who keeps a list would have a wrong one else. */
static void tell_rich(const struct change *change)
{
	struct frame frame = {.room = change->room, .people = room_people(change->room)};

	begin_frame(&frame);
	people_each(change->joined, add_joined, &frame);
	people_each(change->left, add_left, &frame);
	end_frame(&frame);
}

struct notice {
	struct room *room;
	const char *what;
	unsigned n;
};

static bool tell_plain(void *user, const char *name)
{
	struct notice *notice = user;
	char words[512];
	size_t size;
	char *text;

	snprintf(words, sizeof(words), "%s %s", name, notice->what);
	text = message_notice(words, &size);
	if (text)
		room_announce(notice->room, ROOM_PLAIN, text, size);
	free(text);
	return ++notice->n < NAMES_MAX;
}

/* Whoever publishes or announces must not hold a lock that a flush may need: none of ours is held here. */
static void tell(const struct change *change)
{
	struct notice joined = {.room = change->room, .what = "joined"};
	struct notice left = {.room = change->room, .what = "left"};

	if (!people_count(change->joined) && !people_count(change->left))
		return;
	people_each(change->joined, tell_plain, &joined);
	people_each(change->left, tell_plain, &left);
	tell_rich(change);
}

static void note(struct change *change, const char *name, bool joined)
{
	struct people *here = joined ? change->joined : change->left;
	struct people *there = joined ? change->left : change->joined;

	if (people_has(there, name))
		people_remove(there, name);
	else
		people_add(here, name);
}

/* Whether it is put off. */
static bool put_off(struct presence *presence, struct room *room, const char *name, bool joined)
{
	bool is_large = room_people(room) > presence->large;
	struct change *change;

	pthread_mutex_lock(&presence->lock);
	change = presence->changes;
	while (change && change->room != room)
		change = change->next;
	if (!change && is_large) {
		change = create_change(room);
		if (change) {
			change->next = presence->changes;
			presence->changes = change;
		}
	}
	if (change)
		note(change, name, joined);
	pthread_mutex_unlock(&presence->lock);
	return change != NULL;
}

void presence_tell(struct presence *presence, struct room *room, const char *name, bool joined)
{
	struct change *change;

	if (put_off(presence, room, name, joined))
		return;
	change = create_change(room);
	if (!change)
		return;
	note(change, name, joined);
	tell(change);
	destroy_change(change);
}

void presence_flush(struct presence *presence)
{
	struct change *changes;

	pthread_mutex_lock(&presence->lock);
	changes = presence->changes;
	presence->changes = NULL;
	pthread_mutex_unlock(&presence->lock);
	for (struct change *change = changes; change; change = change->next)
		tell(change);
	destroy_all(changes);
}
