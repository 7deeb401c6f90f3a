#include "unit-journal.h"
#include "unit-service.h"

#include "flusher.h"
#include "posting.h"
#include "rooms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the journal does at once, and what it does later, on a thread of its own. */

static size_t encode(const struct journal_entry *entry, char *buffer, size_t size)
{
	return 0;
}

struct fixture {
	char directory[32];
	struct journal *journal;
	struct flushers *flushers;
	struct rooms *rooms;
	struct room *room;
	struct service service;
	/* The outcome. */
	unsigned done;
	int result;
	uint64_t sequence;
	bool repeated;
};

static int setup_on(void **state, bool sqlite)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char specification[64] = "memory";

	*state = f;
	strcpy(f->directory, "/tmp/test-posting-XXXXXX");
	if (!mkdtemp(f->directory))
		return -1;
	if (sqlite)
		snprintf(specification, sizeof(specification), "sqlite:%s/chat.db", f->directory);
	unit_service_init(&f->service);
	if (journal_create(&f->journal, specification, 10) < 0 ||
	    flushers_create(&f->flushers, 1) < 0)
		return -1;
	flusher_enter(flushers_at(f->flushers, 0));
	if (rooms_create(&f->rooms, f->journal, f->flushers, encode, 65536) < 0)
		return -1;
	return room_open(f->rooms, "den", &f->room);
}

static int setup_memory(void **state)
{
	return setup_on(state, false);
}

static int setup_sqlite(void **state)
{
	return setup_on(state, true);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	room_release(f->room);
	rooms_wait(f->rooms); /* no posting has it any more */
	rooms_destroy(f->rooms);
	flushers_destroy(f->flushers);
	journal_destroy(f->journal);
	unit_service_finish(&f->service);
	journal_remove_directory(f->directory);
	free(f);
	return 0;
}

static void on_done(void *user, const struct journal_publication *publication)
{
	struct fixture *f = user;

	f->done++;
	f->result = publication->result;
	f->sequence = publication->sequence;
	f->repeated = publication->repeated;
}

static struct posting *send_text(struct fixture *f, struct posting_text text, const char *payload)
{
	struct posting *posting;
	int error = 1;

	text.payload = strdup(payload);
	text.size = strlen(payload);
	posting = posting_send(&f->service, f->room, &text, on_done, f, &error);
	assert_int_equal(error, 0);
	return posting;
}

/* Whatever the journal, until it is done. */
static void post(struct fixture *f, struct posting_text text, const char *payload)
{
	unsigned before = f->done;

	if (send_text(f, text, payload))
		unit_service_run(&f->service, 1);
	assert_int_equal(f->done, before + 1);
}

static void in_memory_it_is_done_at_once(void **state)
{
	struct fixture *f = *state;

	assert_null(send_text(f, (struct posting_text){0}, "x"));
	assert_int_equal(f->done, 1);
	assert_int_equal(f->result, 0);
	assert_int_equal(f->sequence, 1);
}

static void on_a_disk_it_is_done_later_on_the_service_thread(void **state)
{
	struct fixture *f = *state;

	assert_non_null(send_text(f, (struct posting_text){0}, "x"));
	assert_int_equal(f->done, 0); /* though it may have been kept */
	unit_service_run(&f->service, 1);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->result, 0);
	assert_int_equal(f->sequence, 1);
}

static void who_is_gone_hears_of_nothing(void **state)
{
	struct fixture *f = *state;

	posting_forget(send_text(f, (struct posting_text){0}, "x"));
	posting_forget(NULL);
	unit_service_run(&f->service, 1);
	assert_int_equal(f->done, 0);
	assert_int_equal(room_head(f->room), 1); /* but it was said */
}

/* Who sent it may leave the room meanwhile, as its last one. */
static void the_room_lasts_until_it_is_kept(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 100; i++)
		assert_non_null(send_text(f, (struct posting_text){0}, "x"));
	room_release(f->room);
	f->room = NULL;
	unit_service_run(&f->service, 100);
	assert_int_equal(f->done, 100);
	assert_int_equal(f->result, 0);
	assert_int_equal(f->sequence, 100);
}

static void the_key_is_copied(void **state)
{
	struct fixture *f = *state;
	char key[] = "ann 1";

	post(f, (struct posting_text){.key = key, .key_size = 5}, "x");
	assert_false(f->repeated);
	key[4] = '2';
	post(f, (struct posting_text){.key = key, .key_size = 5}, "y");
	assert_false(f->repeated);
	assert_int_equal(f->sequence, 2);
	post(f, (struct posting_text){.key = "ann 1", .key_size = 5}, "x");
	assert_true(f->repeated);
	assert_int_equal(f->sequence, 1);
}

static void what_is_redacted_and_what_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct journal_redaction redaction = {
		.sequence = 1, .prefix = "s", .prefix_size = 1, .payload = "-", .size = 1};

	post(f, (struct posting_text){0}, "secret");
	post(f, (struct posting_text){.redaction = &redaction}, "gone");
	assert_int_equal(f->result, 0);
	assert_int_equal(f->sequence, 2);
	post(f, (struct posting_text){.redaction = &redaction}, "gone");
	assert_int_equal(f->result, -ENOENT);
	assert_int_equal(room_head(f->room), 2);
}

#define MEMORY(name) cmocka_unit_test_setup_teardown(name, setup_memory, teardown)
#define SQLITE(name) cmocka_unit_test_setup_teardown(name, setup_sqlite, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MEMORY(in_memory_it_is_done_at_once),
		MEMORY(the_key_is_copied),
		MEMORY(what_is_redacted_and_what_is_not_there),
		SQLITE(on_a_disk_it_is_done_later_on_the_service_thread),
		SQLITE(who_is_gone_hears_of_nothing),
		SQLITE(the_room_lasts_until_it_is_kept),
		SQLITE(the_key_is_copied),
		SQLITE(what_is_redacted_and_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
