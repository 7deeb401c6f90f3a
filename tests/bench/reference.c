#include "reference.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"

#define RING_SIZE (1ULL << 26)
#define INDEX_SIZE (1ULL << 20)

struct reference_frame {
	uint64_t end; /* position */
	struct mark mark;
};

struct reference {
	char *ring;
	struct reference_frame *index;
	uint64_t head;
	uint64_t frame_count;
	uint64_t messages;
	struct frames frames;
	uint32_t expected[SENDERS_MAX];
};

static const char *read_number(const char *p, const char *end, uint32_t *number)
{
	*number = 0;
	while (p < end && *p >= '0' && *p <= '9')
		*number = *number * 10 + (uint32_t)(*p++ - '0');
	return p;
}

struct mark mark_read(const char *payload, size_t size)
{
	const char *p = size ? memchr(payload, '#', size) : NULL;
	const char *end = payload + size;
	uint32_t sender, number;

	if (!p)
		return (struct mark){.sender = -1};
	p = read_number(p + 1, end, &sender);
	if (p == end || *p != ':')
		die("a broken mark: %.*s", (int)size, payload);
	p = read_number(p + 1, end, &number);
	if (p == end || *p != ':')
		die("a broken mark: %.*s", (int)size, payload);
	return (struct mark){.sender = (int)sender, .number = number};
}

void mark_check(struct mark mark, uint32_t expected[SENDERS_MAX])
{
	if (mark.sender >= SENDERS_MAX)
		die("a mark of no sender: %d", mark.sender);
	if (mark.number != expected[mark.sender])
		die("message %u of sender %d came where %u was due", mark.number, mark.sender,
		    expected[mark.sender]);
	expected[mark.sender]++;
}

struct reference *reference_create(struct inflater *inflater)
{
	struct reference *reference = calloc(1, sizeof(*reference));

	if (!reference || !(reference->ring = malloc(RING_SIZE)) ||
	    !(reference->index = calloc(INDEX_SIZE, sizeof(*reference->index))))
		die("out of memory");
	reference->frames.inflater = inflater;
	return reference;
}

uint64_t reference_head(const struct reference *reference)
{
	return reference->head;
}

uint64_t reference_messages(const struct reference *reference)
{
	return reference->messages;
}

static void take(void *context, enum opcode opcode, const char *payload, size_t size)
{
	struct reference *reference = context;
	struct reference_frame *frame = &reference->index[reference->frame_count % INDEX_SIZE];

	if (opcode == OPCODE_CLOSE)
		die("the server closed a connection: %u", frame_close_code(payload, size));
	frame->end = reference->frames.taken;
	frame->mark.sender = -1;
	if (opcode == OPCODE_TEXT)
		frame->mark = mark_read(payload, size);
	if (frame->mark.sender >= 0) {
		mark_check(frame->mark, reference->expected);
		reference->messages++;
	}
	reference->frame_count++;
}

/* Sets *size to how much of it is contiguous. */
static char *ring_at(const struct reference *reference, uint64_t position, size_t *size)
{
	size_t start = position % RING_SIZE;

	if (*size > RING_SIZE - start)
		*size = RING_SIZE - start;
	return reference->ring + start;
}

void reference_append(struct reference *reference, const char *data, size_t size)
{
	for (size_t done = 0, part; done < size; done += part) {
		char *to;

		part = size - done;
		to = ring_at(reference, reference->head + done, &part);
		memcpy(to, data + done, part);
	}
	reference->head += size;
	frames_take(&reference->frames, data, size, take, reference);
}

bool reference_equals(const struct reference *reference, uint64_t position, const char *data,
		      size_t size)
{
	if (reference->head - position > RING_SIZE)
		die("a member is more than %llu bytes behind another", RING_SIZE);
	for (size_t done = 0, part; done < size; done += part) {
		const char *known;

		part = size - done;
		known = ring_at(reference, position + done, &part);
		if (memcmp(known, data + done, part) != 0)
			return false;
	}
	return true;
}

bool reference_next(const struct reference *reference, uint64_t *frame, uint64_t position,
		    struct mark *mark)
{
	const struct reference_frame *entry = &reference->index[*frame % INDEX_SIZE];

	if (*frame == reference->frame_count || entry->end > position)
		return false;
	if (reference->frame_count - *frame > INDEX_SIZE)
		die("a member is more than %llu messages behind another", INDEX_SIZE);
	*mark = entry->mark;
	++*frame;
	return true;
}

uint64_t reference_leave(const struct reference *reference, uint64_t position,
			 uint32_t expected[SENDERS_MAX], struct frames *frames)
{
	uint64_t frame = reference->frame_count;
	uint64_t oldest = frame > INDEX_SIZE ? frame - INDEX_SIZE : 0;
	uint64_t messages = reference->messages;
	uint64_t start = 0;

	memcpy(expected, reference->expected, sizeof(reference->expected));
	for (; frame > oldest; frame--) {
		const struct reference_frame *entry = &reference->index[(frame - 1) % INDEX_SIZE];

		start = entry->end;
		if (start <= position)
			break;
		if (entry->mark.sender >= 0) {
			expected[entry->mark.sender] = entry->mark.number;
			messages--;
		}
		start = 0;
	}
	if (reference->head - start > RING_SIZE)
		die("a member is more than %llu bytes behind another", RING_SIZE);
	for (size_t part; start < position; start += part) {
		const char *known;

		part = (size_t)(position - start);
		known = ring_at(reference, start, &part);
		frames_hold(frames, known, part);
	}
	return messages;
}
