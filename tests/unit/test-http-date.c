#include "unit.h"

#include "http-date.h"

#define NOW 1800000000 /* 2027-01-15 */
#define THEN 784111777 /* 1994-11-06 08:49:37 */

static const struct {
	const char *text;
	time_t date; /* -1: it is none */
} rows[] = {
	{"Sun, 06 Nov 1994 08:49:37 GMT", THEN},
	{"Sunday, 06-Nov-94 08:49:37 GMT", THEN},
	{"Sun Nov  6 08:49:37 1994", THEN},
	{"Sun Nov 06 08:49:37 1994", THEN},
	{"Wed, 16 Nov 1994 08:49:37 GMT", THEN + 10 * 86400},
	{"Wed Nov 16 08:49:37 1994", THEN + 10 * 86400},
	{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
	{"Tue, 29 Feb 2000 23:59:60 GMT", 951868800},
	/* Years of two digits are at most 50 years ahead. */
	{"Thursday, 01-Jan-70 00:00:00 GMT", 3155760000},
	{"Friday, 01-Jan-77 00:00:00 GMT", 3376684800},
	{"Saturday, 01-Jan-78 00:00:00 GMT", 252460800},
	{"Friday, 15-Jan-27 08:00:00 GMT", NOW},
	{"", -1},
	{"Sun", -1},
	{"yesterday", -1},
	{"Sun, 06 Nov 1994 08:49:37", -1},
	{"Sun, 06 Nov 1994 08:49:37 CET", -1},
	{"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
	{"Sun, 6 Nov 1994 08:49:37 GMT", -1},
	{"sun, 06 nov 1994 08:49:37 gmt", -1},
	{"Son, 06 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 00 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 32 Nov 1994 08:49:37 GMT", -1},
	{"Sun, 06 Nov 1994 24:49:37 GMT", -1},
	{"Sun, 06 Nov 1994 08:60:37 GMT", -1},
	{"Sun, 06-Nov-94 08:49:37 GMT", -1},
	{"Sunday, 06-Nov-1994 08:49:37 GMT", -1},
	{"Sun Nov 6 08:49:37 1994", -1},
	{"Sun Nov  0 08:49:37 1994", -1},
	{"Sun Nov  6 08:49:37 1994 GMT", -1},
};

static void takes_three_forms(void **state)
{
	for (size_t i = 0; i < LENGTH(rows); i++) {
		time_t date = -1;

		if (http_date_parse(rows[i].text, NOW, &date) != (rows[i].date != -1) ||
		    date != rows[i].date)
			fail_msg("%s: found %lld, expected %lld", rows[i].text, (long long)date,
				 (long long)rows[i].date);
	}
}

static void gives_the_first(void **state)
{
	static const time_t dates[] = {0, THEN, NOW, 951782400, 4102444800};
	char text[HTTP_DATE_SIZE];
	time_t date;

	http_date_format(text, THEN);
	assert_string_equal(text, rows[0].text);
	for (size_t i = 0; i < LENGTH(dates); i++) {
		http_date_format(text, dates[i]);
		assert_true(http_date_parse(text, NOW, &date));
		assert_int_equal(date, dates[i]);
	}
	http_date_format(text, (time_t)1 << 60);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_three_forms),
		cmocka_unit_test(gives_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
