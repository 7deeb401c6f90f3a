#include "fuzz.h"

#include "wire.h"

#include <errno.h>
#include <stdbool.h>

/*
 * The input is a sequence of operations, three bytes each: what to do and a
 * number. They are done to a wire log and to a plain array of all bytes ever
 * appended, and both must agree.
 */

#define RING 8192
#define MODEL_SIZE (256 * 1024)
#define READERS 4

static struct model {
	struct wire *wire;
	uint8_t bytes[MODEL_SIZE];
	bool is_end[MODEL_SIZE + 1];
	bool only_frames;
	size_t size;
	uint64_t readers[READERS];
} model;

static void remember(const uint8_t *bytes, size_t size)
{
	memcpy(model.bytes + model.size, bytes, size);
	model.size += size;
	model.is_end[model.size] = true;
}

static void append_frame(const uint8_t *payload, size_t size)
{
	uint8_t frame[4 + 0xffff] = {0x82};
	size_t header = size < 126 ? 2 : 4;

	require(wire_frame_size(size) == header + size);
	if (header == 2) {
		frame[1] = (uint8_t)size;
	} else {
		frame[1] = 126;
		frame[2] = (uint8_t)(size >> 8);
		frame[3] = (uint8_t)size;
	}
	memcpy(frame + header, payload, size);
	if (header + size > RING) {
		require(wire_append_frame(model.wire, WIRE_BINARY, payload, size) == -EMSGSIZE);
	} else {
		require(!wire_append_frame(model.wire, WIRE_BINARY, payload, size));
		remember(frame, header + size);
	}
}

static void append_raw(const uint8_t *bytes, size_t size)
{
	if (size > RING) {
		require(wire_append_raw(model.wire, bytes, size) == -EMSGSIZE);
	} else {
		require(!wire_append_raw(model.wire, bytes, size));
		remember(bytes, size);
		model.only_frames = false;
	}
}

/* A reader that was overrun begins again at the head; where all are frames, it stops at the end of one. */
static void read_some(uint64_t *position, size_t n)
{
	const void *data;
	size_t size;

	if (wire_head(model.wire) - *position > RING)
		*position = wire_head(model.wire);
	size = wire_read(model.wire, *position, &data);
	require(*position + size == model.size);
	require(!memcmp(data, model.bytes + *position, size));
	if (n < size && model.only_frames) {
		size = wire_frames_end(data, size, n);
		require(size >= n && model.is_end[*position + size]);
	}
	*position += size;
}

static void operate(uint8_t what, size_t number)
{
	static uint8_t payload[0x10000];

	memset(payload, what, number);
	if (what & 0x80)
		read_some(&model.readers[what % READERS], number + 1);
	else if (what & 0x40)
		append_raw(payload, number);
	else
		append_frame(payload, number);
	require(wire_head(model.wire) == model.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	require(!wire_create(&model.wire, RING));
	require(wire_size(model.wire) == RING);
	memset(model.is_end, 0, sizeof(model.is_end));
	memset(model.readers, 0, sizeof(model.readers));
	model.size = 0;
	model.is_end[0] = true;
	model.only_frames = true;
	for (; size >= 3 && model.size + RING <= MODEL_SIZE; data += 3, size -= 3)
		operate(data[0], (size_t)data[1] << 8 | data[2]);
	wire_destroy(model.wire);
	return 0;
}
