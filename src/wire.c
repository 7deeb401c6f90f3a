#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* How far apart the marks are that let a slice end at a frame without walking all of them. */
#define MARK_SPACING 4096

struct wire {
	uint8_t *ring; /* size bytes, mapped a second time right behind */
	size_t size;
	uint64_t head;
	uint64_t *marks; /* of each stretch of MARK_SPACING bytes, where its last frame ends */
};

static size_t ring_size(size_t wanted)
{
	size_t size = MARK_SPACING;

	while (size < wanted || size < (size_t)sysconf(_SC_PAGESIZE))
		size *= 2;
	return size;
}

/* Reserves twice the size, then puts the same pages into both halves. */
static uint8_t *map_twice(size_t size)
{
	int fd = memfd_create("wire", MFD_CLOEXEC);
	uint8_t *ring;

	if (fd < 0)
		return NULL;
	ring = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ring == MAP_FAILED) {
		close(fd);
		return NULL;
	}
	if (ftruncate(fd, (off_t)size) < 0 ||
	    mmap(ring, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ||
	    mmap(ring + size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
		    MAP_FAILED) {
		munmap(ring, 2 * size);
		ring = NULL;
	}
	close(fd);
	return ring;
}

int wire_create(struct wire **wirep, size_t size)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	int saved_errno;

	if (!wire)
		return -ENOMEM;
	wire->size = ring_size(size);
	wire->marks = calloc(wire->size / MARK_SPACING, sizeof(*wire->marks));
	wire->ring = map_twice(wire->size);
	if (!wire->ring || !wire->marks) {
		saved_errno = errno ? errno : ENOMEM;
		wire_destroy(wire);
		return -saved_errno;
	}
	*wirep = wire;
	return 0;
}

void wire_destroy(struct wire *wire)
{
	if (!wire)
		return;
	if (wire->ring)
		munmap(wire->ring, 2 * wire->size);
	free(wire->marks);
	free(wire);
}

size_t wire_size(const struct wire *wire)
{
	return wire->size;
}

uint64_t wire_head(const struct wire *wire)
{
	return wire->head;
}

uint64_t wire_tail(const struct wire *wire)
{
	return wire->head > wire->size ? wire->head - wire->size : 0;
}

size_t wire_frame_size(size_t payload_size)
{
	return payload_size + (payload_size < 126 ? 2 : payload_size < 65536 ? 4 : 10);
}

static uint8_t *at(const struct wire *wire, uint64_t position)
{
	return wire->ring + (position & (wire->size - 1));
}

static uint64_t *mark_of(const struct wire *wire, uint64_t position)
{
	return &wire->marks[(position & (wire->size - 1)) / MARK_SPACING];
}

static void advance(struct wire *wire, size_t size)
{
	wire->head += size;
	*mark_of(wire, wire->head - 1) = wire->head;
}

int wire_append_frame(struct wire *wire, enum wire_opcode opcode, const void *payload, size_t size)
{
	uint8_t *p = at(wire, wire->head);

	if (wire_frame_size(size) > wire->size)
		return -EMSGSIZE;
	*p++ = (uint8_t)(0x80 | opcode);
	if (size < 126) {
		*p++ = (uint8_t)size;
	} else if (size < 65536) {
		*p++ = 126;
		*p++ = (uint8_t)(size >> 8);
		*p++ = (uint8_t)size;
	} else {
		*p++ = 127;
		for (int shift = 56; shift >= 0; shift -= 8)
			*p++ = (uint8_t)((uint64_t)size >> shift);
	}
	memcpy(p, payload, size);
	advance(wire, wire_frame_size(size));
	return 0;
}

int wire_append_raw(struct wire *wire, const void *bytes, size_t size)
{
	if (size > wire->size)
		return -EMSGSIZE;
	if (!size)
		return 0;
	memcpy(at(wire, wire->head), bytes, size);
	advance(wire, size);
	return 0;
}

/* The last end of a frame in the stretch that begins there; 0: none, or the ring has come round over it. */
static uint64_t end_in_stretch(const struct wire *wire, uint64_t stretch)
{
	uint64_t end = *mark_of(wire, stretch);

	return end > stretch && end <= stretch + MARK_SPACING ? end : 0;
}

/*
 * The last end of a frame in (position, limit], found by going back from limit
 * one stretch at a time; 0 where there is none.
 */
static uint64_t last_end(const struct wire *wire, uint64_t position, uint64_t limit)
{
	uint64_t stretch = (limit - 1) / MARK_SPACING * MARK_SPACING;

	for (;; stretch -= MARK_SPACING) {
		uint64_t end = end_in_stretch(wire, stretch);

		if (end > position && end <= limit)
			return end;
		if (stretch <= position)
			return 0;
	}
}

/* The first mark of an end past limit: there is one, since the head is one. */
static uint64_t next_end(const struct wire *wire, uint64_t limit)
{
	for (uint64_t stretch = limit / MARK_SPACING * MARK_SPACING; stretch < wire->head;
	     stretch += MARK_SPACING) {
		uint64_t end = end_in_stretch(wire, stretch);

		if (end > limit)
			return end;
	}
	return wire->head;
}

size_t wire_slice(const struct wire *wire, uint64_t position, size_t max, const void **data)
{
	uint64_t end = wire->head;

	assert(max && position >= wire_tail(wire) && position <= wire->head);
	*data = at(wire, position);
	if (end - position <= max)
		return (size_t)(end - position);
	end = last_end(wire, position, position + max);
	if (!end)
		end = next_end(wire, position + max);
	return (size_t)(end - position);
}
