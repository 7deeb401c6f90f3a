#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct wire {
	uint8_t *ring; /* size bytes, mapped a second time right behind */
	size_t size;
	_Atomic uint64_t head;
};

static size_t ring_size(size_t wanted)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);

	while (size < wanted)
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
	wire->ring = map_twice(wire->size);
	if (!wire->ring) {
		saved_errno = errno;
		free(wire);
		return -saved_errno;
	}
	*wirep = wire;
	return 0;
}

void wire_destroy(struct wire *wire)
{
	if (!wire)
		return;
	munmap(wire->ring, 2 * wire->size);
	free(wire);
}

size_t wire_size(const struct wire *wire)
{
	return wire->size;
}

uint64_t wire_head(const struct wire *wire)
{
	return atomic_load_explicit(&wire->head, memory_order_acquire);
}

size_t wire_frame_size(size_t payload_size)
{
	return payload_size + (payload_size < 126 ? 2 : payload_size < 65536 ? 4 : 10);
}

static uint8_t *at(const struct wire *wire, uint64_t position)
{
	return wire->ring + (position & (wire->size - 1));
}

/* Only who appends changes the head, and whoever reads it then sees what was appended. */
static void advance(struct wire *wire, size_t size)
{
	uint64_t head = atomic_load_explicit(&wire->head, memory_order_relaxed);

	atomic_store_explicit(&wire->head, head + size, memory_order_release);
}

size_t wire_put_header(uint8_t *out, enum wire_opcode opcode, size_t size)
{
	uint8_t *p = out;

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
	return (size_t)(p - out);
}

int wire_append_frame(struct wire *wire, enum wire_opcode opcode, const void *payload, size_t size)
{
	uint8_t *p = at(wire, wire_head(wire));

	if (wire_frame_size(size) > wire->size)
		return -EMSGSIZE;
	memcpy(p + wire_put_header(p, opcode, size), payload, size);
	advance(wire, wire_frame_size(size));
	return 0;
}

int wire_append_raw(struct wire *wire, const void *bytes, size_t size)
{
	if (size > wire->size)
		return -EMSGSIZE;
	memcpy(at(wire, wire_head(wire)), bytes, size);
	advance(wire, size);
	return 0;
}

size_t wire_read(const struct wire *wire, uint64_t position, const void **data)
{
	uint64_t head = wire_head(wire);

	assert(position <= head && head - position <= wire->size);
	*data = at(wire, position);
	return (size_t)(head - position);
}

static size_t frame_at(const uint8_t *p)
{
	uint64_t payload = p[1] & 0x7f;

	if (payload == 126) {
		payload = (uint64_t)p[2] << 8 | p[3];
	} else if (payload == 127) {
		payload = 0;
		for (int i = 2; i < 10; i++)
			payload = payload << 8 | p[i];
	}
	return wire_frame_size((size_t)payload);
}

size_t wire_frames_end(const void *bytes, size_t size, size_t n)
{
	const uint8_t *p = bytes;
	size_t end = 0;

	while (end < n)
		end += frame_at(p + end);
	assert(end <= size);
	return end;
}
