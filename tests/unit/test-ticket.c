#include "unit.h"

#include "ticket.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1000000

static char name[] = "ann";
static char *rooms[] = {name};
static const struct identity ann = {
	.name = name, .expires = NOW + 3600, .rights = RIGHT_READ, .rooms = rooms, .n_rooms = 1};

static struct tickets *create(size_t max)
{
	struct tickets *tickets;

	assert_int_equal(tickets_create(&tickets, max, 30), 0);
	return tickets;
}

static bool is_good(struct tickets *tickets, const char *ticket, int64_t now)
{
	const struct identity *identity = tickets_redeem(tickets, ticket, now, now);

	identity_unref(identity);
	return identity != NULL;
}

static void is_good_once(void **state)
{
	struct tickets *tickets = create(10);
	const struct identity *identity;
	char ticket[TICKET_SIZE];

	assert_int_equal(tickets_issue(tickets, &ann, NOW, ticket), 0);
	assert_int_equal(strlen(ticket), TICKET_SIZE - 1);
	identity = tickets_redeem(tickets, ticket, NOW, NOW);
	assert_non_null(identity);
	assert_true(identity_is_equal(identity, &ann));
	assert_ptr_not_equal(identity->name, name);
	assert_false(is_good(tickets, ticket, NOW));
	tickets_destroy(tickets);
	assert_string_equal(identity->rooms[0], "ann");
	identity_unref(identity);
}

static void what_was_never_issued(void **state)
{
	struct tickets *tickets = create(10);
	char ticket[TICKET_SIZE], other[TICKET_SIZE + 1];

	assert_false(is_good(tickets, "", NOW));
	assert_int_equal(tickets_issue(tickets, &ann, NOW, ticket), 0);
	assert_false(is_good(tickets, "", NOW));
	for (size_t i = 0; i < TICKET_SIZE - 1; i++) {
		memcpy(other, ticket, sizeof(ticket));
		other[i] = other[i] == 'x' ? 'y' : 'x';
		assert_false(is_good(tickets, other, NOW));
		memcpy(other, ticket, sizeof(ticket));
		other[i] = '\0';
		assert_false(is_good(tickets, other, NOW));
	}
	snprintf(other, sizeof(other), "%sA", ticket);
	assert_false(is_good(tickets, other, NOW));
	assert_true(is_good(tickets, ticket, NOW));
	tickets_destroy(tickets);
	tickets_destroy(NULL);
}

static void is_good_for_its_time(void **state)
{
	struct tickets *tickets = create(10);
	struct identity brief = ann;
	char ticket[TICKET_SIZE];

	assert_int_equal(tickets_issue(tickets, &ann, NOW, ticket), 0);
	assert_true(is_good(tickets, ticket, NOW + 29));
	assert_int_equal(tickets_issue(tickets, &ann, NOW, ticket), 0);
	assert_false(is_good(tickets, ticket, NOW + 30));
	assert_false(is_good(tickets, ticket, NOW));
	/* Not for longer than the token that it was given for. */
	brief.expires = NOW + 5;
	assert_int_equal(tickets_issue(tickets, &brief, NOW, ticket), 0);
	assert_false(is_good(tickets, ticket, NOW + 5));
	tickets_destroy(tickets);
}

/* Somebody else, with the same rights. */
static struct identity person(char text[16], unsigned n)
{
	struct identity identity = ann;

	snprintf(text, 16, "person-%u", n);
	identity.name = text;
	return identity;
}

/* One person can't take them from others. */
static void the_oldest_of_the_person_gives_way(void **state)
{
	static char texts[1000][TICKET_SIZE];
	struct tickets *tickets = create(100);
	char bobs[TICKET_SIZE], text[16];
	struct identity bob = person(text, 0);

	assert_int_equal(tickets_issue(tickets, &bob, NOW, bobs), 0);
	for (size_t i = 0; i < LENGTH(texts); i++)
		assert_int_equal(tickets_issue(tickets, &ann, NOW, texts[i]), 0);
	for (size_t i = 0; i < LENGTH(texts); i++)
		assert_int_equal(is_good(tickets, texts[i], NOW),
				 i >= LENGTH(texts) - TICKETS_OF_A_PERSON);
	assert_true(is_good(tickets, bobs, NOW));
	tickets_destroy(tickets);
}

static void the_oldest_of_all_gives_way(void **state)
{
	char texts[10][TICKET_SIZE], text[16];
	struct tickets *tickets = create(7);

	for (unsigned i = 0; i < LENGTH(texts); i++) {
		struct identity identity = person(text, i / 2);

		assert_int_equal(tickets_issue(tickets, &identity, NOW, texts[i]), 0);
	}
	for (size_t i = 0; i < LENGTH(texts); i++)
		assert_int_equal(is_good(tickets, texts[i], NOW), i >= 3);
	tickets_destroy(tickets);
}

/* However large the token, and in however many turns. */
static void tickets_for_the_same_share_it(void **state)
{
	struct tickets *tickets = create(100);
	struct identity later = ann;
	const struct identity *a, *b, *c;
	char first[TICKET_SIZE], second[TICKET_SIZE], third[TICKET_SIZE];

	later.expires++;
	assert_int_equal(tickets_issue(tickets, &ann, NOW, first), 0);
	assert_int_equal(tickets_issue(tickets, &ann, NOW, second), 0);
	assert_int_equal(tickets_issue(tickets, &later, NOW, third), 0);
	a = tickets_redeem(tickets, first, NOW, NOW);
	b = tickets_redeem(tickets, second, NOW, NOW);
	c = tickets_redeem(tickets, third, NOW, NOW);
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_int_equal(c->expires, later.expires);
	identity_unref(a);
	identity_unref(b);
	identity_unref(c);
	tickets_destroy(tickets);
}

#define THREADS 4
#define ROUNDS 500

/* All threads try all tickets: each is somebody's, and nobody else's. */
struct race {
	struct tickets *tickets;
	char (*texts)[TICKET_SIZE];
	int redeemed;
};

static void *redeem_all(void *user)
{
	struct race *race = user;
	char ticket[TICKET_SIZE];

	for (int i = 0; i < ROUNDS; i++) {
		race->redeemed += is_good(race->tickets, race->texts[i], NOW);
		if (!tickets_issue(race->tickets, &ann, NOW, ticket))
			is_good(race->tickets, ticket, NOW);
	}
	return NULL;
}

static void two_threads_never_have_the_same(void **state)
{
	static char texts[ROUNDS][TICKET_SIZE];
	struct tickets *tickets = create(ROUNDS + THREADS);
	struct race races[THREADS];
	pthread_t threads[THREADS];
	int redeemed = 0;

	for (int i = 0; i < ROUNDS; i++) {
		char text[16];
		struct identity identity = person(text, (unsigned)i);

		assert_int_equal(tickets_issue(tickets, &identity, NOW, texts[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		races[i] = (struct race){.tickets = tickets, .texts = texts};
		pthread_create(&threads[i], NULL, redeem_all, &races[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		redeemed += races[i].redeemed;
	}
	assert_int_equal(redeemed, ROUNDS);
	tickets_destroy(tickets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_good_once),
		cmocka_unit_test(what_was_never_issued),
		cmocka_unit_test(is_good_for_its_time),
		cmocka_unit_test(the_oldest_of_the_person_gives_way),
		cmocka_unit_test(the_oldest_of_all_gives_way),
		cmocka_unit_test(tickets_for_the_same_share_it),
		cmocka_unit_test(two_threads_never_have_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
