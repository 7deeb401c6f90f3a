#include "unit.h"

#include "http-request.h"

#include <string.h>

/* A literal with its size, as it may hold NULs. */
#define B(literal) (literal), sizeof(literal) - 1

static const struct {
	const char *fragment;
	size_t size;
	bool good;
	const char *name;
	const char *value;
	size_t value_size;
} rows[] = {
	{B("username=ann"), true, "username", B("ann")},
	{B("a=b=c"), true, "a", B("b=c")},
	{B("a=="), true, "a", B("=")},
	{B("a="), true, "a", B("")},
	{B("a"), true, "a", B("")},
	{B("a=%00b"), true, "a", B("\0b")},
	{B("a=b%00"), true, "a", B("b\0")},
	{B("\xff=%fE"), true, "\xff", B("\xfe")},
	{B("a+b=c+d%2B"), true, "a b", B("c d+")},
	{B("a%3Db=c%26d"), true, "a=b", B("c&d")},
	{B("a;b=c;d=e"), true, "a;b", B("c;d=e")},
	{B("a=%"), true, "a", B("%")},
	{B("a=%4"), true, "a", B("%4")},
	{B("a=%4g%%41"), true, "a", B("%4g%A")},
	{B("%41%=%2541"), true, "A%", B("%41")},
	{B(""), false, "", B("")},
	{B("="), false, "", B("")},
	{B("=b"), false, "", B("b")},
	{B("a%00b=c"), false, "a", B("c")},
	{B("%00=c"), false, "", B("c")},
	{B("a%00"), false, "a", B("")},
};

static void splits_at_the_first_equals_sign(void **state)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct admission_field field;
		char fragment[32];

		memset(fragment, '#', sizeof(fragment));
		memcpy(fragment, rows[i].fragment, rows[i].size); /* its end is overwritten */
		assert_int_equal(http_query_split(fragment, rows[i].size, &field), rows[i].good);
		assert_string_equal(field.name, rows[i].name);
		assert_int_equal(field.size, rows[i].value_size);
		assert_memory_equal(field.value, rows[i].value, rows[i].value_size);
		assert_int_equal(field.value[field.size], '\0');
		assert_int_equal(fragment[rows[i].size + 1], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_at_the_first_equals_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
