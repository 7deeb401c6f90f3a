#include "unit.h"

#include "ticket.h"

#include <errno.h>
#include <pthread.h>
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

static void is_good_once(void **state)
{
	struct tickets *tickets = create(10);
	struct identity identity;
	char ticket[TICKET_SIZE];

	assert_int_equal(tickets_issue(tickets, &ann, NOW, ticket), 0);
	assert_int_equal(strlen(ticket), TICKET_SIZE - 1);
	assert_int_equal(tickets_redeem(tickets, ticket, NOW, &identity), 0);
	assert_string_equal(identity.name, "ann");
	assert_int_equal(identity.expires, ann.expires);
	assert_int_equal(identity.rights, RIGHT_READ);
	assert_string_equal(identity.rooms[0], "ann");
	identity_finish(&identity);
	assert_int_equal(tickets_redeem(tickets, ticket, NOW, &identity), -ENOENT);
	tickets_destroy(tickets);
}

static void what_was_never_issued(void **state)
{
	struct tickets *tickets = create(10);
	struct identity identity;
	char ticket[TICKET_SIZE], other[TICKET_SIZE + 1];

	assert_int_equal(tickets_redeem(tickets, "", NOW, &identity), -ENOENT);
	assert_int_equal(tickets_issue(tickets, &ann, NOW, ticket), 0);
	assert_int_equal(tickets_redeem(tickets, "", NOW, &identity), -ENOENT);
	for (size_t i = 0; i < TICKET_SIZE - 1; i++) {
		memcpy(other, ticket, sizeof(ticket));
		other[i] = other[i] == 'x' ? 'y' : 'x';
		assert_int_equal(tickets_redeem(tickets, other, NOW, &identity), -ENOENT);
		memcpy(other, ticket, sizeof(ticket));
		other[i] = '\0';
		assert_int_equal(tickets_redeem(tickets, other, NOW, &identity), -ENOENT);
	}
	snprintf(other, sizeof(other), "%sA", ticket);
	assert_int_equal(tickets_redeem(tickets, other, NOW, &identity), -ENOENT);
	assert_int_equal(tickets_redeem(tickets, ticket, NOW, &identity), 0);
	identity_finish(&identity);
	tickets_destroy(tickets);
	tickets_destroy(NULL);
}

static void is_good_for_its_time(void **state)
{
	struct tickets *tickets = create(10);
	struct identity identity, brief = ann;
	char ticket[TICKET_SIZE];

	assert_int_equal(tickets_issue(tickets, &ann, NOW, ticket), 0);
	assert_int_equal(tickets_redeem(tickets, ticket, NOW + 29, &identity), 0);
	identity_finish(&identity);
	assert_int_equal(tickets_issue(tickets, &ann, NOW, ticket), 0);
	assert_int_equal(tickets_redeem(tickets, ticket, NOW + 30, &identity), -ENOENT);
	assert_int_equal(tickets_redeem(tickets, ticket, NOW, &identity), -ENOENT);
	/* Not for longer than the token that it was given for. */
	brief.expires = NOW + 5;
	assert_int_equal(tickets_issue(tickets, &brief, NOW, ticket), 0);
	assert_int_equal(tickets_redeem(tickets, ticket, NOW + 5, &identity), -ENOENT);
	tickets_destroy(tickets);
}

static void only_so_many_are_out(void **state)
{
	struct tickets *tickets = create(3);
	struct identity identity;
	char ticket[TICKET_SIZE];

	for (int i = 0; i < 3; i++)
		assert_int_equal(tickets_issue(tickets, &ann, NOW + i, ticket), 0);
	assert_int_equal(tickets_issue(tickets, &ann, NOW + 29, (char[TICKET_SIZE]){0}), -ENOSPC);
	assert_int_equal(tickets_redeem(tickets, ticket, NOW + 29, &identity), 0);
	identity_finish(&identity);
	assert_int_equal(tickets_issue(tickets, &ann, NOW + 29, ticket), 0);
	/* The first is over now, and makes room for one more. */
	assert_int_equal(tickets_issue(tickets, &ann, NOW + 30, ticket), 0);
	assert_int_equal(tickets_issue(tickets, &ann, NOW + 30, ticket), -ENOSPC);
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
	struct identity identity;
	char ticket[TICKET_SIZE];

	for (int i = 0; i < ROUNDS; i++) {
		if (!tickets_redeem(race->tickets, race->texts[i], NOW, &identity)) {
			race->redeemed++;
			identity_finish(&identity);
		}
		if (!tickets_issue(race->tickets, &ann, NOW, ticket) &&
		    !tickets_redeem(race->tickets, ticket, NOW, &identity))
			identity_finish(&identity);
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

	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(tickets_issue(tickets, &ann, NOW, texts[i]), 0);
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
		cmocka_unit_test(only_so_many_are_out),
		cmocka_unit_test(two_threads_never_have_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
