#include "unit.h"

#include "deflater.h"

#include <string.h>
#include <zlib.h>

static int setup(void **state)
{
	return deflater_create((struct deflater **)state);
}

static int teardown(void **state)
{
	deflater_destroy(*state);
	return 0;
}

/* As a client does it that has agreed on the window: each message by itself (RFC 7692 section 7.2.2). */
static size_t inflate_alone(const unsigned char *deflated, size_t size, char *out, size_t room)
{
	static const unsigned char tail[] = {0, 0, 0xff, 0xff};
	unsigned char input[2048];
	z_stream zlib = {0};
	size_t n;

	memcpy(input, deflated, size);
	memcpy(input + size, tail, sizeof(tail));
	assert_int_equal(inflateInit2(&zlib, -DEFLATER_WINDOW_BITS), Z_OK);
	zlib.next_in = input;
	zlib.avail_in = (uInt)size + 4;
	zlib.next_out = (unsigned char *)out;
	zlib.avail_out = (uInt)room;
	assert_int_equal(inflate(&zlib, Z_SYNC_FLUSH), Z_OK);
	assert_int_equal(zlib.avail_in, 0);
	n = room - zlib.avail_out;
	inflateEnd(&zlib);
	return n;
}

static void each_message_stands_by_itself(void **state)
{
	static const char text[] =
		"{\"sender\":\"ann\",\"message\":\"hello hello hello hello hello\",\"seq\":42}";
	unsigned char deflated[256];
	char out[256];

	for (int i = 0; i < 3; i++) {
		size_t n = deflater_run(*state, text, strlen(text), deflated, sizeof(deflated));

		assert_in_range(n, 1, strlen(text) - 1);
		assert_int_equal(inflate_alone(deflated, n, out, sizeof(out)), strlen(text));
		assert_memory_equal(out, text, strlen(text));
	}
}

static void what_would_not_be_shorter_is_left(void **state)
{
	unsigned char noise[500], deflated[500], again[64];
	uint32_t random = 1;
	static const char text[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

	for (size_t i = 0; i < sizeof(noise); i++) {
		random = random * 1103515245 + 12345;
		noise[i] = (unsigned char)(random >> 16);
	}
	assert_int_equal(deflater_run(*state, noise, sizeof(noise), deflated, sizeof(deflated)), 0);
	/* And the next one is none the worse for it. */
	assert_in_range(deflater_run(*state, text, strlen(text), again, sizeof(again)), 1, 20);
}

static void large_messages(void **state)
{
	static char text[100000], out[100000];
	static unsigned char deflated[2000];
	size_t n;

	memset(text, 'x', sizeof(text));
	n = deflater_run(*state, text, sizeof(text), deflated, sizeof(deflated));
	assert_in_range(n, 1, 1000);
	assert_int_equal(inflate_alone(deflated, n, out, sizeof(out)), sizeof(text));
	assert_memory_equal(out, text, sizeof(text));
	deflater_destroy(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_message_stands_by_itself),
		TEST(what_would_not_be_shorter_is_left),
		TEST(large_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
