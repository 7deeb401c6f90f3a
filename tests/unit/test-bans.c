#include "unit.h"

#include "bans-journal.h"
#include "unit-journal.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW 1000

static struct bans *create(size_t max)
{
	struct bans *bans;

	assert_int_equal(bans_create(&bans, max), 0);
	return bans;
}

static void set(struct bans *bans, enum ban_kind kind, enum ban_subject subject, const char *room,
		const char *who, int64_t until)
{
	const struct ban ban = {
		.kind = kind, .subject = subject, .room = room, .who = who, .until = until};

	assert_int_equal(bans_set(bans, &ban, NOW), 0);
}

static void who_where_and_what(void **state)
{
	static const struct {
		enum ban_kind kind;
		const char *room, *name, *address;
		int64_t until;
	} rows[] = {
		{BAN_ENTRY, "lobby", "ann", "192.0.2.1", 1010},
		{BAN_ENTRY, "lobby", "ann", NULL, 1010},
		{BAN_ENTRY, "other", "ann", "192.0.2.1", 0},
		{BAN_ENTRY, NULL, "ann", "192.0.2.1", 0},
		{BAN_SPEECH, "lobby", "ann", "192.0.2.1", 0},
		{BAN_SPEECH, "lobby", "bob", "192.0.2.1", 1020},
		{BAN_SPEECH, "other", "bob", NULL, 1020},
		{BAN_SPEECH, NULL, "bob", NULL, 1020},
		{BAN_ENTRY, "lobby", "bob", "192.0.2.1", 0},
		{BAN_ENTRY, "lobby", "cy", "192.0.2.9", 1030},
		{BAN_ENTRY, "lobby", NULL, "192.0.2.9", 1030},
		{BAN_ENTRY, "other", "cy", "192.0.2.9", INT64_MAX}, /* the latest */
		{BAN_ENTRY, "lobby", "192.0.2.9", NULL, 0},
		{BAN_ENTRY, "lobby", NULL, "ann", 0},
		{BAN_ENTRY, "lobby", "Ann", "192.0.2.1", 0},
		{BAN_ENTRY, "lobby", "", "", 0},
		{BAN_ENTRY, "lobby", NULL, NULL, 0},
	};
	struct bans *bans = create(10);

	set(bans, BAN_ENTRY, BAN_NAME, "lobby", "ann", 1010);
	set(bans, BAN_SPEECH, BAN_NAME, NULL, "bob", 1020);
	set(bans, BAN_ENTRY, BAN_ADDRESS, NULL, "192.0.2.9", 1030);
	set(bans, BAN_ENTRY, BAN_NAME, "other", "cy", INT64_MAX);
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(bans_until(bans, rows[i].kind, rows[i].room, rows[i].name,
					    rows[i].address, NOW),
				 rows[i].until);
	bans_destroy(bans);
	bans_destroy(NULL);
}

static void is_over_in_time(void **state)
{
	struct bans *bans = create(10);

	set(bans, BAN_ENTRY, BAN_NAME, "lobby", "ann", 1010);
	assert_int_equal(bans_until(bans, BAN_ENTRY, "lobby", "ann", NULL, 1009), 1010);
	assert_int_equal(bans_until(bans, BAN_ENTRY, "lobby", "ann", NULL, 1010), 0);
	set(bans, BAN_ENTRY, BAN_NAME, "lobby", "ann", INT64_MAX);
	assert_int_equal(bans_until(bans, BAN_ENTRY, "lobby", "ann", NULL, INT64_MAX - 1),
			 INT64_MAX);
	bans_destroy(bans);
}

static void setting_it_again_moves_its_end(void **state)
{
	struct bans *bans = create(1);

	set(bans, BAN_ENTRY, BAN_NAME, "lobby", "ann", 1010);
	set(bans, BAN_ENTRY, BAN_NAME, "lobby", "ann", 1005);
	assert_int_equal(bans_until(bans, BAN_ENTRY, "lobby", "ann", NULL, NOW), 1005);
	bans_destroy(bans);
}

static void lifting(void **state)
{
	struct ban ban = {.kind = BAN_ENTRY, .subject = BAN_NAME, .who = "ann", .until = 1010};
	struct bans *bans = create(10);

	assert_int_equal(bans_lift(bans, &ban), -ENOENT);
	assert_int_equal(bans_set(bans, &ban, NOW), 0);
	ban.room = "lobby";
	assert_int_equal(bans_lift(bans, &ban), -ENOENT);
	ban.room = NULL;
	ban.until = 0;
	assert_int_equal(bans_lift(bans, &ban), 0);
	assert_int_equal(bans_until(bans, BAN_ENTRY, "lobby", "ann", NULL, NOW), 0);
	assert_int_equal(bans_lift(bans, &ban), -ENOENT);
	bans_destroy(bans);
}

static void strings_are_copied(void **state)
{
	struct bans *bans = create(10);
	char who[] = "ann", room[] = "lobby";

	set(bans, BAN_ENTRY, BAN_NAME, room, who, 1010);
	memset(who, 'x', 3);
	memset(room, 'x', 5);
	assert_int_equal(bans_until(bans, BAN_ENTRY, "lobby", "ann", NULL, NOW), 1010);
	bans_destroy(bans);
}

static void only_so_many_at_a_time(void **state)
{
	struct ban more = {.kind = BAN_ENTRY, .subject = BAN_NAME, .who = "more", .until = 9999};
	struct bans *bans = create(2);

	set(bans, BAN_ENTRY, BAN_NAME, NULL, "ann", 1010);
	set(bans, BAN_ENTRY, BAN_NAME, NULL, "bob", 1020);
	assert_int_equal(bans_set(bans, &more, 1009), -ENOSPC);
	assert_int_equal(bans_until(bans, BAN_ENTRY, NULL, "ann", NULL, 1009), 1010);
	assert_int_equal(bans_set(bans, &more, 1010), 0); /* ann's is over */
	assert_int_equal(bans_until(bans, BAN_ENTRY, NULL, "more", NULL, 1010), 9999);
	assert_int_equal(bans_until(bans, BAN_ENTRY, NULL, "bob", NULL, 1010), 1020);
	bans_destroy(bans);
}

static int list(void *user, const struct ban *ban)
{
	char *text = user;
	size_t used = strlen(text);

	snprintf(text + used, 200 - used, "%d %d %s %s %lld\n", ban->kind, ban->subject,
		 ban->room ? ban->room : "*", ban->who, (long long)ban->until);
	return !strcmp(ban->who, "stop") ? -7 : 0;
}

static void lists_those_that_are_not_over(void **state)
{
	struct bans *bans = create(10);
	char text[200] = "";

	assert_int_equal(bans_each(bans, NOW, list, text), 0);
	set(bans, BAN_ENTRY, BAN_NAME, "lobby", "ann", 1010);
	set(bans, BAN_SPEECH, BAN_ADDRESS, NULL, "::1", 1020);
	set(bans, BAN_ENTRY, BAN_NAME, NULL, "stop", 1030);
	set(bans, BAN_ENTRY, BAN_NAME, NULL, "cy", 1030);
	assert_int_equal(bans_each(bans, 1010, list, text), -7);
	assert_string_equal(text, "1 1 * ::1 1020\n0 0 * stop 1030\n");
	bans_destroy(bans);
}

static void says_when_that_very_one_is_over(void **state)
{
	struct ban ban = {.kind = BAN_ENTRY, .subject = BAN_NAME, .room = "lobby", .who = "ann"};
	struct bans *bans = create(10);

	set(bans, BAN_ENTRY, BAN_NAME, NULL, "ann", 1010);
	assert_int_equal(bans_end(bans, &ban), 0);
	set(bans, BAN_ENTRY, BAN_NAME, "lobby", "ann", 1020);
	assert_int_equal(bans_end(bans, &ban), 1020);
	assert_int_equal(bans_lift(bans, &ban), 0);
	assert_int_equal(bans_end(bans, &ban), 0);
	bans_destroy(bans);
}

/* Publishes what is the matter with a ban. */
static void keep(struct journal_stream *stream, struct bans *bans, const struct ban *ban)
{
	struct journal_mark *mark = bans_mark(bans, ban);
	struct journal_publication publication = {.payload = "x", .size = 1, .mark = mark};

	assert_non_null(mark);
	assert_int_equal(publish_with(stream, &publication).result, 0);
	free(mark);
}

static const struct ban kept[] = {
	{BAN_ENTRY, BAN_NAME, "lobby", "ann", INT64_MAX},
	{BAN_ENTRY, BAN_ADDRESS, "lobby", "ann", INT64_MAX - 1},
	{BAN_SPEECH, BAN_NAME, "lobby", "ban name ann", INT64_MAX - 2},
	{BAN_SPEECH, BAN_ADDRESS, "lobby", "192.0.2.1", INT64_MAX - 3},
	{BAN_ENTRY, BAN_NAME, "lobby", "over", NOW + 1}, /* long ago */
	{BAN_ENTRY, BAN_NAME, "lobby", "lifted", INT64_MAX},
};

#define N_HOLDING 4

/* Sets them all, lifts the last one, and keeps what there is to keep of it. */
static void keep_all(struct journal *journal)
{
	struct record record = {0};
	struct journal_stream *stream = open_stream(journal, "lobby", &record);
	struct bans *bans = create(10);

	for (size_t i = 0; i < LENGTH(kept); i++) {
		assert_int_equal(bans_set(bans, &kept[i], NOW), 0);
		keep(stream, bans, &kept[i]);
	}
	assert_int_equal(bans_lift(bans, &kept[LENGTH(kept) - 1]), 0);
	keep(stream, bans, &kept[LENGTH(kept) - 1]);
	journal_close(stream);
	bans_destroy(bans);
}

static void are_restored_from_a_journal_that_outlives_a_restart(void **state)
{
	char directory[] = "/tmp/test-bans-XXXXXX", specification[64];
	struct journal *journal;
	struct bans *bans = create(10), *few = create(3);

	assert_non_null(mkdtemp(directory));
	snprintf(specification, sizeof(specification), "sqlite:%s/chat.db", directory);
	assert_int_equal(journal_create(&journal, specification, 10), 0);
	keep_all(journal);
	journal_destroy(journal);
	assert_int_equal(journal_create(&journal, specification, 10), 0);
	assert_int_equal(bans_restore(bans, journal), 0);
	for (size_t i = 0; i < LENGTH(kept); i++)
		assert_int_equal(bans_end(bans, &kept[i]), i < N_HOLDING ? kept[i].until : 0);
	assert_int_equal(bans_restore(few, journal), 0); /* too many are no reason not to start */
	journal_destroy(journal);
	bans_destroy(bans);
	bans_destroy(few);
	assert_int_equal(journal_remove_directory(directory), 0);
}

static void are_gone_with_a_journal_in_memory(void **state)
{
	struct bans *bans = create(10);
	struct journal *journal;

	assert_int_equal(journal_create(&journal, "memory", 10), 0);
	keep_all(journal);
	assert_int_equal(bans_restore(bans, journal), 0);
	assert_int_equal(bans_end(bans, &kept[0]), 0);
	journal_destroy(journal);
	bans_destroy(bans);
}

/* Two moderators at once: whatever is written last is what holds. */
static void what_is_kept_is_what_holds_as_it_is_written(void **state)
{
	const struct ban ban = {BAN_ENTRY, BAN_NAME, "lobby", "ann", INT64_MAX};
	struct bans *bans = create(10);
	struct journal_mark *set_mark, *lift_mark;

	assert_int_equal(bans_set(bans, &ban, NOW), 0);
	set_mark = bans_mark(bans, &ban);
	lift_mark = bans_mark(bans, &ban);
	assert_int_equal(set_mark->until(set_mark), INT64_MAX);
	assert_int_equal(bans_lift(bans, &ban), 0);
	assert_int_equal(lift_mark->until(lift_mark), 0);
	assert_int_equal(set_mark->until(set_mark), 0);
	free(set_mark);
	free(lift_mark);
	bans_destroy(bans);
}

static void *ban_and_lift(void *user)
{
	for (int i = 0; i < 3000; i++) {
		char who[16];
		const struct ban ban = {
			.kind = BAN_ENTRY, .subject = BAN_NAME, .who = who, .until = NOW + i % 3};

		snprintf(who, sizeof(who), "%d", i % 20);
		bans_set(user, &ban, NOW);
		bans_until(user, BAN_ENTRY, "lobby", who, "::1", NOW + 1);
		if (i % 5 == 0)
			bans_lift(user, &ban);
	}
	return NULL;
}

static void threads_share_a_list(void **state)
{
	struct bans *bans = create(10);
	pthread_t threads[4];

	for (size_t i = 0; i < LENGTH(threads); i++)
		pthread_create(&threads[i], NULL, ban_and_lift, bans);
	for (size_t i = 0; i < LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(bans_each(bans, NOW + 2, list, (char[200]){0}), 0); /* all are over */
	set(bans, BAN_ENTRY, BAN_NAME, NULL, "1", NOW + 100);
	assert_int_equal(bans_until(bans, BAN_ENTRY, NULL, "1", NULL, NOW), NOW + 100);
	bans_destroy(bans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_where_and_what),
		cmocka_unit_test(is_over_in_time),
		cmocka_unit_test(setting_it_again_moves_its_end),
		cmocka_unit_test(lifting),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(only_so_many_at_a_time),
		cmocka_unit_test(lists_those_that_are_not_over),
		cmocka_unit_test(says_when_that_very_one_is_over),
		cmocka_unit_test(are_restored_from_a_journal_that_outlives_a_restart),
		cmocka_unit_test(are_gone_with_a_journal_in_memory),
		cmocka_unit_test(what_is_kept_is_what_holds_as_it_is_written),
		cmocka_unit_test(threads_share_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
