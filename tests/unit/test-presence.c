#include "unit.h"

#include "flusher.h"
#include "presence.h"
#include "rooms.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE 2

/* A member that keeps what it is told, a line a frame. */
struct fake {
	struct member member;
	char lines[65536];
};

static ssize_t keep(struct reader *reader, const void *bytes, size_t size, uint64_t frames)
{
	struct fake *fake = (struct fake *)reader;
	const unsigned char *p = bytes;

	for (size_t at = 0; at < size; at = wire_frames_end(bytes, size, at + 1)) {
		size_t end = wire_frames_end(bytes, size, at + 1);
		size_t head = p[at + 1] < 126 ? 2 : 4;
		size_t used = strlen(fake->lines);

		snprintf(fake->lines + used, sizeof(fake->lines) - used, "%.*s\n",
			 (int)(end - at - head), (const char *)p + at + head);
	}
	return (ssize_t)size;
}

static void overrun(struct reader *reader)
{
	fail();
}

static const struct reader_sink sink = {.write = keep, .overrun = overrun};

static size_t encode(const struct journal_entry *entry, char *buffer, size_t size)
{
	return 0;
}

struct fixture {
	struct journal *journal;
	struct flushers *flushers;
	struct rooms *rooms;
	struct room *room;
	struct presence *presence;
	struct fake plain, rich, others[200];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (journal_create(&f->journal, "memory", 10) < 0 || flushers_create(&f->flushers, 1) < 0)
		return -1;
	flusher_enter(flushers_at(f->flushers, 0));
	if (rooms_create(&f->rooms, f->journal, f->flushers, encode, 65536) < 0 ||
	    presence_create(&f->presence, LARGE) < 0)
		return -1;
	return room_open(f->rooms, "den", &f->room);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	room_leave(&f->plain.member);
	room_leave(&f->rich.member);
	for (size_t i = 0; i < LENGTH(f->others); i++)
		room_leave(&f->others[i].member);
	presence_destroy(f->presence);
	presence_destroy(NULL);
	room_release(f->room);
	rooms_wait(f->rooms); /* what was not told holds none */
	rooms_destroy(f->rooms);
	flushers_destroy(f->flushers);
	journal_destroy(f->journal);
	free(f);
	return 0;
}

static void join(struct fixture *f, struct fake *fake, const char *name, enum room_kind kind)
{
	const struct room_joining how = {
		.flusher = flushers_at(f->flushers, 0), .sink = &sink, .name = name, .kind = kind};

	assert_true(room_join(f->room, &fake->member, &how) > 0);
}

static void flush(struct fixture *f)
{
	flusher_run(flushers_at(f->flushers, 0), 0);
}

static void tell(struct fixture *f, const char *name, bool joined)
{
	presence_tell(f->presence, f->room, name, joined);
	flush(f);
}

/* What it has been told since the last time. */
static void assert_told(struct fake *fake, const char *expected)
{
	assert_string_equal(fake->lines, expected);
	fake->lines[0] = '\0';
}

/* The same in words, of which the time is left out. */
static void assert_told_in_words(struct fake *fake, const char *expected)
{
	char words[65536] = "";
	char *line = fake->lines, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		struct json_object *notice;
		size_t used = strlen(words);

		*end = '\0';
		notice = json_tokener_parse(line);
		assert_string_equal(
			json_object_get_string(json_object_object_get(notice, "sender")),
			"__server");
		assert_non_null(json_object_object_get(notice, "time"));
		snprintf(words + used, sizeof(words) - used, "%s\n",
			 json_object_get_string(json_object_object_get(notice, "message")));
		json_object_put(notice);
	}
	assert_string_equal(words, expected);
	fake->lines[0] = '\0';
}

static void a_small_room_is_told_at_once(void **state)
{
	struct fixture *f = *state;

	join(f, &f->plain, "ann", ROOM_PLAIN);
	join(f, &f->rich, "bob", ROOM_RICH);
	tell(f, "bob", true);
	assert_told_in_words(&f->plain, "bob joined\n");
	assert_told(&f->rich,
		    "{\"type\":\"presence\",\"joined\":[\"bob\"],\"left\":[],\"people\":2}\n");
	tell(f, "cy \"the\" one", false);
	assert_told_in_words(&f->plain, "cy \"the\" one left\n");
	assert_told(&f->rich, "{\"type\":\"presence\",\"joined\":[],"
			      "\"left\":[\"cy \\\"the\\\" one\"],\"people\":2}\n");
	presence_flush(f->presence);
	flush(f);
	assert_told(&f->rich, "");
}

static void make_large(struct fixture *f)
{
	join(f, &f->plain, "ann", ROOM_PLAIN);
	join(f, &f->rich, "bob", ROOM_RICH);
	join(f, &f->others[0], "cy", ROOM_RICH);
}

static void a_large_room_is_told_in_one_go(void **state)
{
	struct fixture *f = *state;

	make_large(f);
	tell(f, "cy", true);
	tell(f, "dot", true);
	tell(f, "eve", false);
	assert_told(&f->rich, "");
	assert_told(&f->plain, "");
	presence_flush(f->presence);
	flush(f);
	assert_told_in_words(&f->plain, "cy joined\ndot joined\neve left\n");
	assert_told(&f->rich, "{\"type\":\"presence\",\"joined\":[\"cy\",\"dot\"],"
			      "\"left\":[\"eve\"],\"people\":3}\n");
	presence_flush(f->presence);
	flush(f);
	assert_told(&f->rich, "");
}

static void who_has_come_and_gone_is_not_mentioned(void **state)
{
	struct fixture *f = *state;

	make_large(f);
	tell(f, "dot", true);
	tell(f, "dot", false);
	tell(f, "bob", false);
	tell(f, "bob", true);
	presence_flush(f->presence);
	flush(f);
	assert_told(&f->rich, "");
	tell(f, "dot", true);
	tell(f, "dot", false);
	tell(f, "dot", true);
	presence_flush(f->presence);
	flush(f);
	assert_told_in_words(&f->plain, "dot joined\n");
}

/* What was put off isn't overtaken by what comes when the room is small again. */
static void a_room_that_becomes_small_keeps_to_the_order(void **state)
{
	struct fixture *f = *state;

	make_large(f);
	tell(f, "cy", true);
	room_leave(&f->others[0].member);
	tell(f, "dot", true);
	assert_told(&f->rich, "");
	presence_flush(f->presence);
	flush(f);
	assert_told(&f->rich, "{\"type\":\"presence\",\"joined\":[\"cy\",\"dot\"],"
			      "\"left\":[],\"people\":2}\n");
	tell(f, "eve", true); /* and then it is a small one */
	assert_told_in_words(&f->plain, "cy joined\ndot joined\neve joined\n");
}

/* How many names the frames so far have in that list, and in how many frames; none has more than 100 in all. */
static size_t count_names(const struct fake *fake, const char *list, size_t *frames)
{
	const char *line = fake->lines;
	size_t n = 0;

	for (*frames = 0; *line; line = strchr(line, '\n') + 1, ++*frames) {
		struct json_object *told = json_tokener_parse(line);
		size_t joined = json_object_array_length(json_object_object_get(told, "joined"));
		size_t left = json_object_array_length(json_object_object_get(told, "left"));

		assert_true(joined + left > 0 && joined + left <= 100);
		n += strcmp(list, "left") ? joined : left;
		json_object_put(told);
	}
	return n;
}

static void of_many_all_are_named(void **state)
{
	struct fixture *f = *state;
	char name[16];
	size_t frames;

	make_large(f);
	for (int i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		tell(f, name, i < 130);
	}
	presence_flush(f->presence);
	flush(f);
	assert_int_equal(count_names(&f->rich, "joined", &frames), 130);
	assert_int_equal(count_names(&f->rich, "left", &frames), 120);
	assert_int_equal(frames, 3);
	assert_non_null(strstr(f->rich.lines, "\"p249\""));
	f->rich.lines[0] = '\0';
	/* In words only some are. */
	assert_non_null(strstr(f->plain.lines, "p99 joined"));
	assert_null(strstr(f->plain.lines, "p100 joined"));
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "q%d", i);
		tell(f, name, true);
	}
	presence_flush(f->presence);
	flush(f);
	assert_int_equal(count_names(&f->rich, "joined", &frames), 100);
	assert_int_equal(frames, 1);
}

/* Nobody hears it, and the room is released nevertheless: see teardown(). */
static void what_was_not_told_never_is(void **state)
{
	struct fixture *f = *state;

	make_large(f);
	tell(f, "dot", true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_small_room_is_told_at_once),
		TEST(a_large_room_is_told_in_one_go),
		TEST(who_has_come_and_gone_is_not_mentioned),
		TEST(a_room_that_becomes_small_keeps_to_the_order),
		TEST(of_many_all_are_named),
		TEST(what_was_not_told_never_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
