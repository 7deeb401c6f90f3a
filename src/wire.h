#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The wire log: bytes exactly as they go to every member, one frame after
 * another in one ring.
 *
 * Positions in it count every byte ever appended, from 0, so they never wrap;
 * a reader is nothing but such a position. The ring's memory is mapped twice,
 * side by side, so whatever stretch it still holds is contiguous and leaves in
 * one write.
 *
 * One thread appends at a time; any number may read beside it without a lock,
 * as long as nothing is appended that would overwrite what they read.
 */
struct wire;

/* The first bits of a frame (RFC 6455 section 5.2). */
enum wire_opcode {
	WIRE_TEXT = 0x1,
	WIRE_BINARY = 0x2,
	WIRE_COMPRESSED_TEXT =
		0x41, /* with RSV1, as permessage-deflate has it (RFC 7692 section 6) */
};

/* size is rounded up to a power of two of at least a page. Returns 0 or -errno. */
int wire_create(struct wire **wirep, size_t size);
void wire_destroy(struct wire *wire);

/* Bytes that the ring holds, and the most that one frame may take. */
size_t wire_size(const struct wire *wire);

/* Where the next frame will begin. */
uint64_t wire_head(const struct wire *wire);

/* Bytes of an unmasked frame with that payload (RFC 6455 section 5.2). */
size_t wire_frame_size(size_t payload_size);

/* Writes its header to out. Returns how long that is. */
#define WIRE_HEADER_MAX 10
size_t wire_put_header(uint8_t *out, enum wire_opcode opcode, size_t payload_size);

/* Appends a message as one unmasked, final frame. Returns 0, or -EMSGSIZE if it can't fit the ring. */
int wire_append_frame(struct wire *wire, enum wire_opcode opcode, const void *payload, size_t size);

/* Appends bytes that need no frame, such as a server-sent event. As above. */
int wire_append_raw(struct wire *wire, const void *bytes, size_t size);

/*
 * Sets *data to what stands at position and returns how much there is up to
 * the head. It stays good until as much is appended as the ring holds. position
 * must not lie further behind the head than that.
 */
size_t wire_read(const struct wire *wire, uint64_t position, const void **data);

/*
 * bytes are frames from the first on: how many of them end at or right behind
 * the first n bytes, which are more than 0. It is there that a control frame
 * may come in between (RFC 6455 section 5.4).
 */
size_t wire_frames_end(const void *bytes, size_t size, size_t n);
