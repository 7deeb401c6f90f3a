#include "people.h"

#include <errno.h>
#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

struct people {
	struct lh_table *by_name;
};

struct person {
	int connections;
	char name[];
};

static void free_person(struct lh_entry *entry)
{
	free(lh_entry_v(entry));
}

int people_create(struct people **peoplep)
{
	struct people *people = calloc(1, sizeof(*people));

	if (!people)
		return -ENOMEM;
	people->by_name = lh_kchar_table_new(8, free_person);
	if (!people->by_name) {
		free(people);
		return -ENOMEM;
	}
	*peoplep = people;
	return 0;
}

void people_destroy(struct people *people)
{
	if (!people)
		return;
	lh_table_free(people->by_name);
	free(people);
}

static struct lh_entry *find(const struct people *people, const char *name)
{
	return lh_table_lookup_entry(people->by_name, name);
}

int people_add(struct people *people, const char *name)
{
	struct lh_entry *entry = find(people, name);
	size_t size = strlen(name) + 1;
	struct person *person;

	if (entry)
		return ++((struct person *)lh_entry_v(entry))->connections;
	person = malloc(sizeof(*person) + size);
	if (!person)
		return -ENOMEM;
	person->connections = 1;
	memcpy(person->name, name, size);
	if (lh_table_insert(people->by_name, person->name, person)) {
		free(person);
		return -ENOMEM;
	}
	return 1;
}

int people_remove(struct people *people, const char *name)
{
	struct lh_entry *entry = find(people, name);
	struct person *person;

	if (!entry)
		return 0;
	person = lh_entry_v(entry);
	if (--person->connections)
		return person->connections;
	lh_table_delete_entry(people->by_name, entry);
	return 0;
}

size_t people_count(const struct people *people)
{
	return (size_t)lh_table_length(people->by_name);
}

bool people_has(const struct people *people, const char *name)
{
	return find(people, name) != NULL;
}

void people_each(const struct people *people, bool (*each)(void *user, const char *name),
		 void *user)
{
	struct lh_entry *entry;

	lh_foreach(people->by_name, entry)
		if (!each(user, ((const struct person *)lh_entry_v(entry))->name))
			return;
}
