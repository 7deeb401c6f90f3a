#include "unit.h"

#include "turn.h"

#include <stdbool.h>
#include <time.h>

struct connection {
	struct rester rester;
	int resumed;
	bool rests_again;
	struct turn *turn;
	struct ev_loop *loop;
};

static void on_resume(struct rester *rester)
{
	struct connection *connection = (struct connection *)rester;

	connection->resumed++;
	if (connection->rests_again)
		turn_rest(connection->turn, connection->loop, rester, on_resume);
}

static void pass(long nanoseconds)
{
	nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
}

static bool spend(struct turn *turn, const void *who, unsigned units)
{
	bool spent = false;

	while (units--)
		spent = turn_spend(turn, who, 1) || spent;
	return spent;
}

static void a_share_is_a_matter_of_time(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct turn turn;
	int ann, bob, cy;

	turn_init(&turn);
	turn_begin(&turn, loop);
	assert_false(spend(&turn, &ann, 16));
	pass(3000000);
	assert_true(spend(&turn, &ann, 16));
	assert_true(spend(&turn, &bob, 16)); /* the turn has been long */
	assert_false(spend(&turn, &cy, 15)); /* but not for who does little */
	turn_begin(&turn, loop);
	assert_false(spend(&turn, &ann, 16)); /* there is a new share in each turn */
	pass(1100000);
	assert_true(spend(&turn, &ann, 16));
	ev_loop_destroy(loop);
}

/* Who does little is never asked about the time. */
static void a_little_is_free(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct turn turn;
	int ann;

	turn_init(&turn);
	for (int i = 0; i < 10; i++) {
		turn_begin(&turn, loop);
		assert_false(spend(&turn, &ann, 8));
		pass(2000000);
		assert_false(spend(&turn, &ann, 7));
	}
	ev_loop_destroy(loop);
}

static void who_rests_goes_on_in_a_later_turn(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct turn turn;
	struct connection ann = {.turn = &turn, .loop = loop}, bob = ann, cy = ann;

	turn_init(&turn);
	bob.rests_again = true;
	turn_begin(&turn, loop);
	assert_false(ev_is_active(&turn.more));
	turn_rest(&turn, loop, &ann.rester, on_resume);
	turn_rest(&turn, loop, &ann.rester, on_resume);
	turn_rest(&turn, loop, &bob.rester, on_resume);
	turn_rest(&turn, loop, &cy.rester, on_resume);
	turn_forget(&turn, &cy.rester);
	turn_forget(&turn, &cy.rester);
	assert_true(ev_is_active(&turn.more));
	assert_int_equal(ann.resumed + bob.resumed, 0);
	turn_begin(&turn, loop);
	assert_int_equal(ann.resumed, 1);
	assert_int_equal(bob.resumed, 1);
	assert_int_equal(cy.resumed, 0);
	assert_true(ev_is_active(&turn.more));
	bob.rests_again = false;
	turn_begin(&turn, loop);
	assert_int_equal(ann.resumed, 1);
	assert_int_equal(bob.resumed, 2);
	assert_false(ev_is_active(&turn.more));
	ev_loop_destroy(loop);
}

/* Those who have rested longest come first, a few in each turn. */
static void many_who_rest_take_turns(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct turn turn;
	struct connection all[5];

	turn_init(&turn);
	for (size_t i = 0; i < LENGTH(all); i++) {
		all[i] = (struct connection){.turn = &turn, .loop = loop, .rests_again = !i};
		turn_rest(&turn, loop, &all[i].rester, on_resume);
	}
	turn_begin(&turn, loop);
	assert_int_equal(all[0].resumed + all[1].resumed, 2);
	assert_int_equal(all[2].resumed + all[3].resumed + all[4].resumed, 0);
	turn_forget(&turn, &all[2].rester);
	turn_begin(&turn, loop);
	assert_int_equal(all[3].resumed + all[4].resumed, 2);
	assert_int_equal(all[0].resumed, 1);
	all[0].rests_again = false;
	turn_begin(&turn, loop);
	assert_int_equal(all[0].resumed, 2);
	assert_false(ev_is_active(&turn.more));
	ev_loop_destroy(loop);
}

static void the_time_is_taken_once_a_turn(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct turn turn;
	uint64_t now;

	turn_init(&turn);
	now = turn_now(&turn);
	pass(1000000);
	assert_int_equal(turn_now(&turn), now);
	turn_begin(&turn, loop);
	assert_true(turn_now(&turn) > now);
	ev_loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_is_a_matter_of_time),
		cmocka_unit_test(a_little_is_free),
		cmocka_unit_test(who_rests_goes_on_in_a_later_turn),
		cmocka_unit_test(many_who_rest_take_turns),
		cmocka_unit_test(the_time_is_taken_once_a_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
