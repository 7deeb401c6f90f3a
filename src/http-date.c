#include "http-date.h"

#include <stdio.h>
#include <string.h>

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
					"Thursday", "Friday", "Saturday"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Each of these moves *text behind what it takes. */

static bool take(const char **text, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*text, word, length))
		return false;
	*text += length;
	return true;
}

static bool take_name(const char **text, const char *const *names, int n, int *number)
{
	for (int i = 0; i < n; i++)
		if (take(text, names[i])) {
			if (number)
				*number = i;
			return true;
		}
	return false;
}

static bool take_number(const char **text, size_t digits, int max, int *number)
{
	*number = 0;
	for (; digits; digits--, ++*text) {
		if (**text < '0' || **text > '9')
			return false;
		*number = *number * 10 + (**text - '0');
	}
	return *number <= max;
}

static bool take_time(const char **text, struct tm *tm)
{
	return take_number(text, 2, 23, &tm->tm_hour) && take(text, ":") &&
	       take_number(text, 2, 59, &tm->tm_min) && take(text, ":") &&
	       take_number(text, 2, 60, &tm->tm_sec);
}

static bool take_month(const char **text, struct tm *tm)
{
	return take_name(text, months, 12, &tm->tm_mon);
}

static bool take_day(const char **text, struct tm *tm)
{
	return take_number(text, 2, 31, &tm->tm_mday) && tm->tm_mday;
}

static bool take_year(const char **text, struct tm *tm)
{
	if (!take_number(text, 4, 9999, &tm->tm_year))
		return false;
	tm->tm_year -= 1900;
	return true;
}

static bool take_short_year(const char **text, time_t now, struct tm *tm)
{
	struct tm today;

	if (!take_number(text, 2, 99, &tm->tm_year) || !gmtime_r(&now, &today))
		return false;
	tm->tm_year += today.tm_year / 100 * 100;
	if (tm->tm_year > today.tm_year + 50)
		tm->tm_year -= 100;
	else if (tm->tm_year + 100 <= today.tm_year + 50)
		tm->tm_year += 100;
	return true;
}

static bool is_fixdate(const char *text, struct tm *tm)
{
	return take_name(&text, days, 7, NULL) && take(&text, ", ") && take_day(&text, tm) &&
	       take(&text, " ") && take_month(&text, tm) && take(&text, " ") &&
	       take_year(&text, tm) && take(&text, " ") && take_time(&text, tm) &&
	       !strcmp(text, " GMT");
}

static bool is_rfc850_date(const char *text, time_t now, struct tm *tm)
{
	return take_name(&text, long_days, 7, NULL) && take(&text, ", ") && take_day(&text, tm) &&
	       take(&text, "-") && take_month(&text, tm) && take(&text, "-") &&
	       take_short_year(&text, now, tm) && take(&text, " ") && take_time(&text, tm) &&
	       !strcmp(text, " GMT");
}

static bool take_padded_day(const char **text, struct tm *tm)
{
	if (take(text, " "))
		return take_number(text, 1, 9, &tm->tm_mday) && tm->tm_mday;
	return take_day(text, tm);
}

static bool is_asctime_date(const char *text, struct tm *tm)
{
	return take_name(&text, days, 7, NULL) && take(&text, " ") && take_month(&text, tm) &&
	       take(&text, " ") && take_padded_day(&text, tm) && take(&text, " ") &&
	       take_time(&text, tm) && take(&text, " ") && take_year(&text, tm) && !*text;
}

bool http_date_parse(const char *text, time_t now, time_t *date)
{
	struct tm tm = {0};

	if (!is_fixdate(text, &tm) && !is_rfc850_date(text, now, &tm) &&
	    !is_asctime_date(text, &tm))
		return false;
	*date = timegm(&tm);
	return true;
}

void http_date_format(char out[HTTP_DATE_SIZE], time_t date)
{
	struct tm tm;

	*out = '\0';
	if (gmtime_r(&date, &tm) && tm.tm_year >= -1900 && tm.tm_year <= 9999 - 1900)
		snprintf(out, HTTP_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT",
			 days[tm.tm_wday], (unsigned)tm.tm_mday % 100, months[tm.tm_mon],
			 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
			 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}
