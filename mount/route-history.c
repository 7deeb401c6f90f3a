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

/* Of payload in a page, unless a single message has more. The text has a little more, and so much is charged for it. */
#define PAGE_BYTES ((size_t)256 * 1024)
#define PAGE_CHARGE (PAGE_BYTES + PAGE_MAX * (MESSAGE_ENCODE_EXTRA / 2))

#define TAG_SIZE 20

struct page {
	struct worker_job job;
	struct server *server;
	struct route_later *later;
	struct journal_range range;
	char *room;
	char *if_none_match; /* NULL: the request has none */
	bool is_head;
	/* What there is to answer. */
	int error;
	struct http_text text; /* of which only the tag is needed for HEAD */
	size_t capacity;
	uint64_t first, last;
	uint64_t tag;
	bool has_older, has_newer;
	bool known; /* the client has it */
};

static void page_destroy(struct page *page)
{
	free(page->room);
	free(page->if_none_match);
	http_text_finish(&page->text);
	free(page);
}

/* Sees to it that so many bytes more fit. */
static bool make_room(struct page *page, size_t size)
{
	size_t capacity = page->capacity ? page->capacity : 4096;
	char *bytes;

	if (page->text.size + size <= page->capacity)
		return true;
	while (capacity < page->text.size + size)
		capacity *= 2;
	bytes = realloc(page->text.bytes, capacity);
	if (!bytes)
		return false;
	page->text.bytes = bytes;
	page->capacity = capacity;
	return true;
}

static void put(struct page *page, const char *text)
{
	size_t size = strlen(text);

	if (!make_room(page, size)) {
		page->error = -ENOMEM;
		return;
	}
	memcpy(page->text.bytes + page->text.size, text, size);
	page->text.size += size;
}

static void note_message(void *user, const struct journal_entry *entry)
{
	struct page *page = user;

	if (!page->first)
		page->first = entry->sequence;
	page->last = entry->sequence;
	page->tag = message_tag(page->tag, entry);
}

static void put_message(void *user, const struct journal_entry *entry)
{
	struct page *page = user;
	size_t size = entry->size + MESSAGE_ENCODE_EXTRA;

	if (page->first)
		put(page, ",");
	note_message(page, entry);
	if (!make_room(page, size)) {
		page->error = -ENOMEM;
		return;
	}
	page->text.size += message_encode(entry, page->text.bytes + page->text.size, size);
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

static void put_string(struct page *page, const char *name, const char *value)
{
	struct json_object *string = json_object_new_string(value);

	put(page, name);
	put(page, json_object_to_json_string_ext(string, JSON_C_TO_STRING_PLAIN |
								 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(string);
}

static void put_head(struct page *page, struct room *room, uint64_t head)
{
	char number[64];

	put_string(page, "{\"room\":", room_name(room));
	put_string(page, ",\"epoch\":", room_epoch(room));
	snprintf(number, sizeof(number), ",\"seq\":%" PRIu64 ",\"messages\":[", head);
	put(page, number);
}

static void format_tag(const struct page *page, char text[TAG_SIZE])
{
	snprintf(text, TAG_SIZE, "\"%016" PRIx64 "\"", page->tag);
}

/* The tag tells one from another that begins and ends with the same messages. */
static void begin_tag(struct page *page, struct room *room)
{
	page->tag = 0;
	for (const char *p = room_epoch(room); *p; p++)
		page->tag = page->tag * 31 + (unsigned char)*p;
}

/* Only what must be: a message in the page costs about as much as it is long, and none where nobody wants to see it. */
static int put_page(struct page *page, struct room *room, bool with_text)
{
	uint64_t head = room_head(room);
	int r;

	begin_tag(page, room);
	page->error = 0;
	page->first = 0;
	page->text.size = 0;
	if (with_text)
		put_head(page, room, head);
	r = room_read(room, &page->range, with_text ? put_message : note_message, page);
	if (with_text)
		put(page, "]}");
	page->has_newer = page->first && page->last < head;
	if (r >= 0)
		r = look_for_older(page, room);
	return r < 0 ? r : page->error;
}

/* Whether a list of tags has the page's (RFC 9110 section 13.1.2); what is in a tag can't look like one. */
static bool is_known(const struct page *page)
{
	char tag[TAG_SIZE];

	if (!page->if_none_match)
		return false;
	format_tag(page, tag);
	return !strcmp(page->if_none_match, "*") || strstr(page->if_none_match, tag);
}

/* Returns 0 or -errno, and -EAGAIN where it has to be read from the disk and must not. */
static int read_page(struct page *page, struct room *room)
{
	int r = 0;

	page->known = false;
	if (page->is_head || page->if_none_match) {
		r = put_page(page, room, false);
		page->known = r >= 0 && is_known(page);
	}
	if (r < 0 || page->is_head || page->known)
		return r;
	if (!page->text.charged)
		r = http_text_charge(&page->text, &page->server->pending, PAGE_CHARGE);
	return r < 0 ? r : put_page(page, room, true);
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

static unsigned answer_page(struct page *page, struct json_object **body)
{
	char tag[TAG_SIZE];

	if (page->error == -ENOBUFS || page->error == -EBUSY)
		return route_busy(page->later, body);
	if (page->error == -ENOSPC)
		return route_problem(body, 503, "there are too many rooms");
	if (page->error < 0)
		return route_problem(body, 500, "the messages could not be read");
	/* Weak, as the room's newest sequence is in the answer, too, but not of the page. */
	format_tag(page, tag);
	route_add_header(page->later, "ETag: W/%s", tag);
	route_add_header(page->later, "Cache-Control: private, no-cache");
	if (page->has_older)
		add_link(page, "prev", "before", page->first);
	if (page->has_newer)
		add_link(page, "next", "after", page->last);
	if (page->known)
		return 304;
	http_text_settle(&page->text);
	route_give_text(page->later, &page->text);
	return 200;
}

static void work(struct worker_job *job)
{
	struct page *page = (struct page *)job;
	struct room *room;

	page->error = room_open(page->server->rooms, page->room, &room);
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
	struct room *room = rooms_find(page->server->rooms, page->room);
	int r = 0;

	if (!room && rooms_may_wait(page->server->rooms))
		return -EAGAIN;
	if (!room)
		r = room_open(page->server->rooms, page->room, &room);
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
	range->bytes = PAGE_BYTES;
	return NULL;
}

static struct page *create(const struct route_request *request, const struct journal_range *range)
{
	struct page *page = calloc(1, sizeof(*page));

	if (!page)
		return NULL;
	page->job.work = work;
	page->job.task.run = finish;
	page->server = request->server;
	page->later = request->later;
	page->is_head = route_is_head(request->later);
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
		int r = worker_post(request->server->worker, request->service, &page->job,
				    WORKER_PAGE, page->room);

		if (!r)
			return ROUTE_LATER; /* it is the worker's now */
		page->error = r;
	}
	status = answer_page(page, body);
	page_destroy(page);
	return status;
}
