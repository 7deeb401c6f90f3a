#include "people.h"

#include <errno.h>
#include <json-c/json.h>
#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

struct people {
	struct lh_table *by_name;
	/* The names as JSON. */
	char *list;
	size_t list_size;
	size_t list_capacity;
	size_t listed; /* names */
	bool is_listed;
};

struct person {
	int connections;
	const char *json; /* the name as a string of JSON, behind it */
	size_t json_size;
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
	free(people->list);
	free(people);
}

static bool make_room(struct people *people, size_t size)
{
	size_t capacity = people->list_capacity ? people->list_capacity : 256;
	char *list;

	while (capacity < people->list_size + size)
		capacity *= 2;
	if (capacity <= people->list_capacity)
		return true;
	list = realloc(people->list, capacity);
	if (!list)
		return false;
	people->list = list;
	people->list_capacity = capacity;
	return true;
}

/* Returns whether there may be another one. */
static bool list_one(struct people *people, const struct person *person)
{
	char *end;

	if (people->listed == PEOPLE_LISTED_MAX)
		return false;
	people->is_listed = make_room(people, person->json_size + 1);
	if (!people->is_listed)
		return false;
	end = people->list + people->list_size;
	if (people->listed++)
		*end++ = ',';
	end = mempcpy(end, person->json, person->json_size);
	people->list_size = (size_t)(end - people->list);
	return true;
}

const char *people_list(struct people *people, size_t *size)
{
	struct lh_entry *entry;

	if (!people->is_listed) {
		people->listed = 0;
		people->list_size = 0;
		people->is_listed = make_room(people, 1);
		lh_foreach(people->by_name, entry)
			if (!list_one(people, lh_entry_v(entry)))
				break;
	}
	*size = people->list_size;
	return people->is_listed ? people->list : NULL;
}

static struct person *create_person(const char *name)
{
	struct json_object *string = json_object_new_string(name);
	size_t size = strlen(name) + 1, json_size;
	const char *json = json_object_to_json_string_length(
		string, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &json_size);
	struct person *person = json ? malloc(sizeof(*person) + size + json_size) : NULL;

	if (person) {
		*person = (struct person){
			.connections = 1, .json = person->name + size, .json_size = json_size};
		memcpy(person->name, name, size);
		memcpy(person->name + size, json, json_size);
	}
	json_object_put(string);
	return person;
}

static struct lh_entry *find(const struct people *people, const char *name)
{
	return lh_table_lookup_entry(people->by_name, name);
}

int people_add(struct people *people, const char *name)
{
	struct lh_entry *entry = find(people, name);
	struct person *person;

	if (entry)
		return ++((struct person *)lh_entry_v(entry))->connections;
	person = create_person(name);
	if (!person)
		return -ENOMEM;
	if (lh_table_insert(people->by_name, person->name, person)) {
		free(person);
		return -ENOMEM;
	}
	if (people->is_listed)
		list_one(people, person);
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
	people->is_listed = false;
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
