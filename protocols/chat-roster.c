#include "protocols/chat-roster.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name as it stands in a list, with its quotes. */
struct name {
	const char *text;
	size_t size;
};

struct names {
	struct name *first;
	size_t n;
};

static size_t string_size(const char *text)
{
	const char *p = text + 1;

	while (*p && *p != '"')
		p += *p == '\\' && p[1] ? 2 : 1;
	return (size_t)(p + (*p == '"') - text);
}

static int compare(const void *a, const void *b)
{
	const struct name *one = a, *other = b;
	size_t shorter = one->size < other->size ? one->size : other->size;
	int r = memcmp(one->text, other->text, shorter);

	return r ? r : (one->size > other->size) - (one->size < other->size);
}

static bool read_names(const char *list, struct names *names)
{
	size_t most = 1;

	for (const char *p = list; *p; p++)
		most += *p == ',';
	names->n = 0;
	names->first = calloc(most, sizeof(*names->first));
	if (!names->first)
		return false;
	while (*list) {
		struct name name = {list, string_size(list)};

		names->first[names->n++] = name;
		list += name.size + (list[name.size] == ',');
	}
	qsort(names->first, names->n, sizeof(*names->first), compare);
	return true;
}

/* Those of one list that the other one doesn't have. Returns how many. */
static size_t put_missing(FILE *out, const struct names *of, const struct names *in)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < of->n; i++) {
		const struct name *name = &of->first[i];

		while (k < in->n && compare(&in->first[k], name) < 0)
			k++;
		if (k < in->n && !compare(&in->first[k], name))
			continue;
		fprintf(out, "%s%.*s", n++ ? "," : "", (int)name->size, name->text);
	}
	return n;
}

static size_t put_changes(FILE *out, const struct names *before, const struct names *now,
			  size_t people)
{
	size_t n;

	fputs("{\"type\":\"presence\",\"joined\":[", out);
	n = put_missing(out, now, before);
	fputs("],\"left\":[", out);
	n += put_missing(out, before, now);
	fprintf(out, "],\"people\":%zu}", people);
	return n;
}

char *chat_roster_changes(const char *before, const char *now, size_t people, size_t *size)
{
	struct names old = {0}, new = {0};
	char *text = NULL;
	size_t n = 0;
	FILE *out;

	if (!strcmp(before, now))
		return NULL;
	out = open_memstream(&text, size);
	if (out && read_names(before, &old) && read_names(now, &new))
		n = put_changes(out, &old, &new, people);
	free(old.first);
	free(new.first);
	if (out && fclose(out))
		n = 0;
	if (n)
		return text;
	free(text);
	return NULL;
}
