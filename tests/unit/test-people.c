#include "unit.h"

#include "people.h"

#include <stdio.h>
#include <string.h>

static struct people *create(void)
{
	struct people *people;

	assert_int_equal(people_create(&people), 0);
	return people;
}

static bool note(void *user, const char *name)
{
	char *text = user;
	size_t used = strlen(text);

	snprintf(text + used, 100 - used, "%s ", name);
	return strcmp(name, "stop") != 0;
}

static void assert_there(const struct people *people, const char *expected)
{
	char text[100] = "";

	people_each(people, note, text);
	assert_string_equal(text, expected);
}

static void people_not_connections(void **state)
{
	struct people *people = create();

	assert_int_equal(people_count(people), 0);
	assert_int_equal(people_add(people, "ann"), 1);
	assert_int_equal(people_add(people, "bob"), 1);
	assert_int_equal(people_add(people, "ann"), 2);
	assert_int_equal(people_count(people), 2);
	assert_int_equal(people_remove(people, "ann"), 1);
	assert_true(people_has(people, "ann"));
	assert_int_equal(people_remove(people, "ann"), 0);
	assert_false(people_has(people, "ann"));
	assert_int_equal(people_remove(people, "ann"), 0); /* who isn't there */
	assert_int_equal(people_count(people), 1);
	assert_there(people, "bob ");
	people_destroy(people);
	people_destroy(NULL);
}

static void in_the_order_in_which_they_came(void **state)
{
	struct people *people = create();

	people_add(people, "cy");
	people_add(people, "ann");
	people_add(people, "stop");
	people_add(people, "bob");
	people_add(people, "cy");
	assert_there(people, "cy ann stop "); /* as far as they are asked for */
	people_remove(people, "stop");
	assert_there(people, "cy ann bob ");
	people_remove(people, "cy");
	people_remove(people, "cy");
	people_add(people, "cy"); /* again, and so the last */
	assert_there(people, "ann bob cy ");
	people_destroy(people);
}

static void names_are_copied_and_exact(void **state)
{
	struct people *people = create();
	char name[] = "ann";

	people_add(people, name);
	name[0] = 'A';
	assert_true(people_has(people, "ann"));
	assert_false(people_has(people, name));
	assert_int_equal(people_add(people, name), 1);
	for (int i = 0; i < 1000; i++) { /* the table grows */
		char other[16];

		snprintf(other, sizeof(other), "p%d", i);
		assert_int_equal(people_add(people, other), 1);
	}
	assert_int_equal(people_count(people), 1002);
	assert_true(people_has(people, "p0") && people_has(people, "p999"));
	people_destroy(people);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_not_connections),
		cmocka_unit_test(in_the_order_in_which_they_came),
		cmocka_unit_test(names_are_copied_and_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
