#include "unit.h"

#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RING 4096

static int setup(void **state)
{
	return wire_create((struct wire **)state, RING);
}

static int teardown(void **state)
{
	wire_destroy(*state);
	return 0;
}

/* Appends a frame that takes exactly size bytes on the wire; its payload is one character. */
static void append(struct wire *wire, size_t size, char fill)
{
	size_t payload_size = size - (size < 128 ? 2 : 4);
	char *payload = malloc(payload_size + 1);

	memset(payload, fill, payload_size + 1);
	assert_int_equal(wire_frame_size(payload_size), size);
	assert_int_equal(wire_append_frame(wire, WIRE_TEXT, payload, payload_size), 0);
	free(payload);
}

static void size_is_a_power_of_two(void **state)
{
	static const struct {
		size_t wanted, size;
	} rows[] = {{0, 4096}, {1, 4096}, {4096, 4096}, {4097, 8192}, {200000, 262144}};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct wire *wire;

		assert_int_equal(wire_create(&wire, rows[i].wanted), 0);
		assert_int_equal(wire_size(wire), rows[i].size);
		wire_destroy(wire);
	}
}

static void begins_empty(void **state)
{
	struct wire *wire = *state;
	const void *data;

	assert_int_equal(wire_head(wire), 0);
	assert_int_equal(wire_read(wire, 0, &data), 0);
	wire_destroy(NULL);
}

/* RFC 6455 section 5.2: the shortest of the three forms of a length. */
static void frame_headers(void **state)
{
	static const struct {
		size_t size;
		size_t n;
		uint8_t header[10];
	} rows[] = {
		{0, 2, {0x81, 0}},
		{1, 2, {0x81, 1}},
		{125, 2, {0x81, 125}},
		{126, 4, {0x81, 126, 0, 126}},
		{127, 4, {0x81, 126, 0, 127}},
		{65535, 4, {0x81, 126, 0xff, 0xff}},
		{65536, 10, {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
		{0x12345, 10, {0x81, 127, 0, 0, 0, 0, 0, 1, 0x23, 0x45}},
	};
	char *payload = malloc(0x12345);
	struct wire *wire;
	const void *data;

	memset(payload, 'x', 0x12345);
	assert_int_equal(wire_create(&wire, 1 << 18), 0);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint64_t position = wire_head(wire);

		assert_int_equal(wire_frame_size(rows[i].size), rows[i].n + rows[i].size);
		assert_int_equal(wire_append_frame(wire, WIRE_TEXT, payload, rows[i].size), 0);
		assert_int_equal(wire_read(wire, position, &data), rows[i].n + rows[i].size);
		assert_int_equal(wire_frames_end(data, rows[i].n + rows[i].size, 1),
				 rows[i].n + rows[i].size);
		assert_memory_equal(data, rows[i].header, rows[i].n);
		assert_memory_equal((const char *)data + rows[i].n, payload, rows[i].size);
	}
	wire_destroy(wire);
	free(payload);
}

static void binary_frames(void **state)
{
	const void *data;

	wire_append_frame(*state, WIRE_BINARY, "\0\xff", 2);
	assert_int_equal(wire_read(*state, 0, &data), 4);
	assert_memory_equal(data, "\x82\x02\0\xff", 4);
}

static void raw_bytes_stand_as_they_are(void **state)
{
	const void *data;

	assert_int_equal(wire_append_raw(*state, "data: 1\n\n", 9), 0);
	assert_int_equal(wire_append_raw(*state, "", 0), 0);
	assert_int_equal(wire_append_raw(*state, "data: 2\n\n", 9), 0);
	assert_int_equal(wire_read(*state, 0, &data), 18);
	assert_memory_equal(data, "data: 1\n\ndata: 2\n\n", 18);
	assert_int_equal(wire_read(*state, 9, &data), 9);
	assert_memory_equal(data, "data: 2\n\n", 9);
}

static void a_frame_as_big_as_the_ring(void **state)
{
	struct wire *wire = *state;
	const void *data;

	append(wire, 100, 'a');
	append(wire, RING, 'b');
	assert_int_equal(wire_read(wire, 100, &data), RING);
	assert_memory_equal(data, "\x81\x7e\x0f\xfc", 4);
	assert_int_equal(((const char *)data)[RING - 1], 'b');
}

static void what_is_larger_than_the_ring_is_refused(void **state)
{
	struct wire *wire = *state;
	static char payload[RING + 1];

	assert_int_equal(wire_append_frame(wire, WIRE_TEXT, payload, RING - 3), -EMSGSIZE);
	assert_int_equal(wire_append_raw(wire, payload, RING + 1), -EMSGSIZE);
	assert_int_equal(wire_head(wire), 0);
	assert_int_equal(wire_append_frame(wire, WIRE_TEXT, payload, RING - 4), 0);
	assert_int_equal(wire_append_raw(wire, payload, RING), 0);
	assert_int_equal(wire_head(wire), 2 * RING);
}

static void a_frame_across_the_end_of_the_ring_is_contiguous(void **state)
{
	struct wire *wire = *state;
	const void *data;

	append(wire, RING - 10, 'a');
	append(wire, 100, 'b');
	assert_int_equal(wire_read(wire, RING - 10, &data), 100);
	assert_memory_equal(data, "\x81\x62", 2);
	for (size_t i = 2; i < 100; i++)
		assert_int_equal(((const char *)data)[i], 'b');
}

static void readers_at_different_positions(void **state)
{
	struct wire *wire = *state;
	const void *a, *b, *c;

	append(wire, 10, 'a');
	append(wire, 20, 'b');
	append(wire, 30, 'c');
	assert_int_equal(wire_read(wire, 0, &a), 60);
	assert_int_equal(wire_read(wire, 10, &b), 50);
	assert_int_equal(wire_read(wire, 30, &c), 30);
	assert_int_equal(wire_read(wire, 60, &c), 0);
	assert_memory_equal((const char *)a + 10, b, 50);
}

static void compressed_frames(void **state)
{
	const void *data;

	wire_append_frame(*state, WIRE_COMPRESSED_TEXT, "x", 1);
	assert_int_equal(wire_read(*state, 0, &data), 3);
	assert_memory_equal(data, "\xc1\x01x", 3);
}

static void whole_frames_end_at_or_behind_a_byte(void **state)
{
	static const size_t rows[][2] = {{1, 10},    {9, 10},	   {10, 10},	 {11, 1011},
					 {12, 1011}, {1011, 1011}, {1012, 1013}, {1013, 1013}};
	struct wire *wire = *state;
	const void *data;
	size_t size;

	append(wire, 10, 'a');
	append(wire, 1001, 'b');
	append(wire, 2, 'c');
	size = wire_read(wire, 0, &data);
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(wire_frames_end(data, size, rows[i][0]), rows[i][1]);
}

/*
 * The model: all bytes ever appended in one plain array, and a byte for each
 * position that says whether a frame ends there.
 */
#define MODEL_SIZE (1 << 20)
#define READERS 8

struct model {
	struct wire *wire;
	uint8_t *bytes;
	size_t size;
	uint64_t readers[READERS];
	uint32_t random;
};

/* xorshift32 with a fixed seed: the same run every time. */
static uint32_t next_random(struct model *model, uint32_t below)
{
	model->random ^= model->random << 13;
	model->random ^= model->random >> 17;
	model->random ^= model->random << 5;
	return model->random % below;
}

static void append_random(struct model *model)
{
	static const uint32_t sizes[] = {2, 100, 130, 1000, 20000, 70000};
	uint8_t *p = model->bytes + model->size;
	uint32_t size = next_random(model, sizes[next_random(model, LENGTH(sizes))]) + 1;
	size_t frame = wire_frame_size(size);
	size_t header = frame - size;

	for (uint32_t i = 0; i < size; i++)
		p[header + i] = (uint8_t)next_random(model, 256);
	if (next_random(model, 4)) {
		assert_int_equal(wire_append_frame(model->wire, WIRE_BINARY, p + header, size), 0);
		p[0] = 0x82;
		if (header == 2) {
			p[1] = (uint8_t)size;
		} else {
			p[1] = header == 4 ? 126 : 127;
			for (size_t i = 2; i < header; i++)
				p[i] = (uint8_t)((uint64_t)size >> 8 * (header - 1 - i));
		}
		model->size += frame;
	} else {
		memmove(p, p + header, size);
		assert_int_equal(wire_append_raw(model->wire, p, size), 0);
		model->size += size;
	}
}

/* A reader that was overrun begins again at the head. */
static void read_random(struct model *model)
{
	uint64_t *position = &model->readers[next_random(model, READERS)];
	uint64_t head = wire_head(model->wire);
	const void *data;
	size_t size;

	if (head - *position > wire_size(model->wire))
		*position = head;
	size = wire_read(model->wire, *position, &data);
	assert_int_equal(*position + size, model->size);
	assert_memory_equal(data, model->bytes + *position, size);
	if (size)
		*position += next_random(model, (uint32_t)size) + 1;
}

static void behaves_like_a_plain_array(void **state)
{
	struct model model = {.random = 0x5eed};

	model.bytes = malloc(MODEL_SIZE + 100000);
	assert_int_equal(wire_create(&model.wire, 1 << 17), 0);
	while (model.size < MODEL_SIZE) {
		append_random(&model);
		assert_int_equal(wire_head(model.wire), model.size);
		for (int i = 0; i < READERS; i++)
			read_random(&model);
	}
	wire_destroy(model.wire);
	free(model.bytes);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size_is_a_power_of_two),
		TEST(begins_empty),
		cmocka_unit_test(frame_headers),
		TEST(binary_frames),
		TEST(raw_bytes_stand_as_they_are),
		TEST(a_frame_as_big_as_the_ring),
		TEST(what_is_larger_than_the_ring_is_refused),
		TEST(a_frame_across_the_end_of_the_ring_is_contiguous),
		TEST(readers_at_different_positions),
		TEST(compressed_frames),
		TEST(whole_frames_end_at_or_behind_a_byte),
		cmocka_unit_test(behaves_like_a_plain_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
