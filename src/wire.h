#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The wire log: a room's bytes exactly as they go to every member, one frame
 * after another in one ring.
 *
 * Positions in it count every byte ever appended, from 0, so they never wrap;
 * a reader is nothing but such a position. The ring's memory is mapped twice,
 * side by side, so whatever stretch it still holds is contiguous and leaves in
 * one write. Frames are never split between two slices: a reader is always at
 * the start of a frame, where a control frame may come in between (RFC 6455
 * section 5.4).
 */
struct wire;

enum wire_opcode {
	WIRE_TEXT = 0x1,
	WIRE_BINARY = 0x2,
};

/* size is rounded up to a power of two of at least a page. Returns 0 or -errno. */
int wire_create(struct wire **wirep, size_t size);
void wire_destroy(struct wire *wire);

/* Bytes that the ring holds, and the most that one frame may take. */
size_t wire_size(const struct wire *wire);

/* Where the next frame will begin, and the oldest position that is still held. */
uint64_t wire_head(const struct wire *wire);
uint64_t wire_tail(const struct wire *wire);

/* Bytes of an unmasked frame with that payload (RFC 6455 section 5.2). */
size_t wire_frame_size(size_t payload_size);

/* Appends a message as one unmasked, final frame. Returns 0, or -EMSGSIZE if it can't fit the ring. */
int wire_append_frame(struct wire *wire, enum wire_opcode opcode, const void *payload, size_t size);

/* Appends bytes that need no frame, such as a server-sent event: they count as one. As above. */
int wire_append_raw(struct wire *wire, const void *bytes, size_t size);

/*
 * Sets *data to what stands at position and returns its size; 0 at the head.
 * All that there is where that is at most max bytes, which are more than 0; else
 * whole frames, at least one, that end near there: no more than a few KiB and
 * one frame past max. The memory is good until the next append. position must
 * lie between tail and head, on the start of a frame.
 */
size_t wire_slice(const struct wire *wire, uint64_t position, size_t max, const void **data);
