#include "message.h"
#include "mount/routes.h"
#include "rooms.h"
#include "utf8.h"
#include "worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What was said in a room, page by page. What isn't in memory the worker reads
 * from the disk, and the answer comes later.
 */

#define PAGE_MAX 1000
#define PAGE_DEFAULT 100

struct page {
	struct worker_job job;
	struct rooms *rooms;
	struct route_later *later;
	struct journal_range range;
	char *room;
	char *if_none_match; /* NULL: the request has none */
	/* What there is to answer. */
	int error;
	char *text;
	size_t size;
	FILE *out; /* that makes the text */
	uint64_t first, last;
	uint64_t hash;
	bool has_older, has_newer;
};

static void page_destroy(struct page *page)
{
	free(page->room);
	free(page->if_none_match);
	free(page->text);
	free(page);
}

/* FNV-1a. */
static void add_to_hash(struct page *page, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		page->hash = (page->hash ^ (unsigned char)text[i]) * 0x100000001b3;
}

static void put_message(void *user, const struct journal_entry *entry)
{
	char text[64 * 1024];
	struct page *page = user;
	size_t size = message_encode(entry, text, sizeof(text));

	if (size > sizeof(text))
		return;
	if (page->first)
		fputc(',', page->out);
	else
		page->first = entry->sequence;
	page->last = entry->sequence;
	fwrite(text, 1, size, page->out);
	add_to_hash(page, text, size);
}

static void ignore(void *user, const struct journal_entry *entry)
{
	/* That it is there is all. */
}

/* Whether there are messages before the page's first. */
static int look_for_older(struct page *page, struct room *room)
{
	const struct journal_range older = {
		.before = page->first, .limit = 1, .newest = true, .at_hand = page->range.at_hand};
	int n = page->first > 1 ? room_read(room, &older, ignore, NULL) : 0;

	page->has_older = n > 0;
	return n;
}

static void put_string(FILE *out, const char *name, const char *value)
{
	struct json_object *string = json_object_new_string(value);

	fprintf(out, "\"%s\":%s,", name,
		json_object_to_json_string_ext(string, JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(string);
}

static int put_page(struct page *page, struct room *room)
{
	uint64_t head = room_head(room);
	int r;

	fputc('{', page->out);
	put_string(page->out, "room", room_name(room));
	put_string(page->out, "epoch", room_epoch(room));
	fprintf(page->out, "\"seq\":%" PRIu64 ",\"messages\":[", head);
	page->hash = 0xcbf29ce484222325;
	add_to_hash(page, room_epoch(room), strlen(room_epoch(room)));
	r = room_read(room, &page->range, put_message, page);
	fputs("]}", page->out);
	page->has_newer = page->first && page->last < head;
	return r < 0 ? r : look_for_older(page, room);
}

/* Returns 0 or -errno, and -EAGAIN where it has to be read from the disk and must not. */
static int read_page(struct page *page, struct room *room)
{
	int r;

	page->first = 0;
	page->out = open_memstream(&page->text, &page->size);
	if (!page->out)
		return -ENOMEM;
	r = put_page(page, room);
	if (fclose(page->out) && r >= 0)
		r = -ENOMEM;
	if (r < 0) {
		free(page->text);
		page->text = NULL;
		return r;
	}
	return 0;
}

static void add_link(const struct page *page, const char *relation, const char *parameter,
		     uint64_t sequence)
{
	char room[1024];

	http_encode(room, sizeof(room), page->room, strlen(page->room));
	route_add_header(page->later,
			 "Link: </api/rooms/%s/messages?%s=%" PRIu64 "&limit=%u>; rel=\"%s\"", room,
			 parameter, sequence, page->range.limit, relation);
}

/* Whether a list of tags has that one (RFC 9110 section 13.1.2); what is in a tag can't look like one. */
static bool is_known(const char *if_none_match, const char *tag)
{
	return if_none_match && (!strcmp(if_none_match, "*") || strstr(if_none_match, tag));
}

static unsigned answer_page(struct page *page, struct json_object **body)
{
	char tag[32];

	if (page->error < 0)
		return route_problem(body, 500, "the messages could not be read");
	/* Weak, as the room's newest sequence is in the answer, too, but not of the page. */
	snprintf(tag, sizeof(tag), "\"%016" PRIx64 "\"", page->hash);
	route_add_header(page->later, "ETag: W/%s", tag);
	route_add_header(page->later, "Cache-Control: private, no-cache");
	if (page->has_older)
		add_link(page, "prev", "before", page->first);
	if (page->has_newer)
		add_link(page, "next", "after", page->last);
	if (is_known(page->if_none_match, tag))
		return 304;
	*body = json_object_new_string_len(page->text, (int)page->size);
	return 200;
}

static void work(struct worker_job *job)
{
	struct page *page = (struct page *)job;
	struct room *room;

	page->error = room_open(page->rooms, page->room, &room);
	if (page->error < 0)
		return;
	page->range.at_hand = false;
	page->error = read_page(page, room);
	room_release(room);
}

static void finish(struct service_task *task, struct service *service)
{
	struct page *page = (struct page *)task;
	struct json_object *body = NULL;
	unsigned status = answer_page(page, &body);

	route_answer(page->later, status, body);
	page_destroy(page);
}

/* Returns -EAGAIN where it has to wait. */
static int read_at_hand(struct page *page)
{
	struct room *room = rooms_find(page->rooms, page->room);
	int r = 0;

	if (!room && rooms_may_wait(page->rooms))
		return -EAGAIN;
	if (!room)
		r = room_open(page->rooms, page->room, &room);
	if (r < 0)
		return r;
	page->range.at_hand = true;
	r = read_page(page, room);
	room_release(room);
	return r;
}

/* A whole number from the query, or the fallback where it isn't given; false: it is none. */
static bool read_number(const struct http_query *query, const char *name, uint64_t fallback,
			uint64_t max, uint64_t *number)
{
	*number = fallback;
	for (size_t i = 0; i < query->n; i++) {
		const char *value = query->fields[i].value;
		char *end;

		if (strcmp(query->fields[i].name, name))
			continue;
		if (*value < '0' || *value > '9')
			return false;
		*number = strtoull(value, &end, 10);
		return !*end && *number <= max;
	}
	return true;
}

/* Returns NULL, or what is wrong. */
static const char *read_range(const struct http_query *query, struct journal_range *range)
{
	uint64_t after, limit;

	if (!read_number(query, "limit", PAGE_DEFAULT, PAGE_MAX, &limit))
		return "limit: expected a whole number from 0 to 1000";
	if (!read_number(query, "after", UINT64_MAX, INT64_MAX, &after))
		return "after: expected a sequence number";
	if (!read_number(query, "before", UINT64_MAX, INT64_MAX, &range->before) || !range->before)
		return "before: expected a sequence number";
	if (range->before == UINT64_MAX)
		range->before = 0;
	range->newest = after == UINT64_MAX;
	range->after = range->newest ? 0 : after;
	range->limit = (unsigned)limit;
	return NULL;
}

static struct page *create(const struct route_request *request, const struct journal_range *range)
{
	struct page *page = calloc(1, sizeof(*page));

	if (!page)
		return NULL;
	page->job.work = work;
	page->job.task.run = finish;
	page->rooms = request->server->rooms;
	page->later = request->later;
	page->range = *range;
	page->room = strdup(request->parameters[0]);
	if (request->if_none_match)
		page->if_none_match = strdup(request->if_none_match);
	if (page->room)
		return page;
	page_destroy(page);
	return NULL;
}

unsigned route_room_messages(const struct route_request *request, struct json_object **body)
{
	struct journal_range range = {0};
	const char *problem = read_range(request->query, &range);
	struct identity identity;
	struct page *page;
	unsigned status =
		route_permit(request, request->parameters[0], RIGHT_READ, &identity, body);

	identity_finish(&identity);
	if (status)
		return status;
	if (problem)
		return route_problem(body, 400, problem);
	page = create(request, &range);
	if (!page)
		return route_problem(body, 500, "out of memory");
	page->error = read_at_hand(page);
	if (page->error == -EAGAIN) {
		worker_post(request->server->worker, request->service, &page->job);
		return ROUTE_LATER;
	}
	status = answer_page(page, body);
	page_destroy(page);
	return status;
}
