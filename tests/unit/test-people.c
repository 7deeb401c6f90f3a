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

static void assert_listed(struct people *people, const char *expected)
{
	size_t size;
	const char *list = people_list(people, &size);

	assert_non_null(list);
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(list, expected, size);
}

static void lists_names_as_json(void **state)
{
	struct people *people = create();

	assert_listed(people, "");
	people_add(people, "ann");
	assert_listed(people, "\"ann\"");
	people_add(people, "a \"b\" \\/");
	assert_listed(people, "\"ann\",\"a \\\"b\\\" \\\\/\"");
	people_add(people, "ann");
	people_remove(people, "ann");
	people_add(people, "cy");
	assert_listed(people, "\"ann\",\"a \\\"b\\\" \\\\/\",\"cy\"");
	people_remove(people, "ann");
	people_remove(people, "cy");
	assert_listed(people, "\"a \\\"b\\\" \\\\/\"");
	people_remove(people, "a \"b\" \\/");
	assert_listed(people, "");
	people_destroy(people);
}

static void lists_the_first_ones(void **state)
{
	struct people *people = create();
	size_t size = 0;
	char name[8];

	for (unsigned i = 0; i <= PEOPLE_LISTED_MAX + 1; i++) {
		snprintf(name, sizeof(name), "%06u", i);
		people_add(people, name);
		if (!(i % 100))
			people_list(people, &size);
	}
	people_list(people, &size);
	assert_int_equal(size, 9 * PEOPLE_LISTED_MAX - 1);
	people_remove(people, "000000"); /* the next one gets in */
	assert_non_null(people_list(people, &size));
	assert_int_equal(size, 9 * PEOPLE_LISTED_MAX - 1);
	assert_non_null(memmem(people_list(people, &size), size, "001000", 6));
	assert_null(memmem(people_list(people, &size), size, "001001", 6));
	people_destroy(people);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_not_connections),
		cmocka_unit_test(in_the_order_in_which_they_came),
		cmocka_unit_test(lists_names_as_json),
		cmocka_unit_test(lists_the_first_ones),
		cmocka_unit_test(names_are_copied_and_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
