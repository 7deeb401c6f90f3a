#include "fuzz.h"

#include <lws-chunked.h>

/*
 * In whatever pieces a body comes, it is the same, ends in the same place, and takes
 * what it is given and no more.
 */

struct outcome {
	int result; /* -1: it is none, 0: more should come, 1: it has ended */
	size_t taken;
	size_t size;
	uint8_t *data;
};

static struct outcome feed(const uint8_t *body, size_t size, size_t piece)
{
	struct outcome outcome = {.data = malloc(size + 1)};
	struct lws_chunked chunked = {0};
	const unsigned char *data;
	size_t n;

	require(outcome.data);
	while (outcome.taken < size && !lws_chunked_is_done(&chunked)) {
		size_t left = size - outcome.taken;
		/* In memory of its own, so that nothing beyond it is read. */
		size_t given = left < piece ? left : piece;
		uint8_t *in = malloc(given);
		int taken;

		require(in);
		memcpy(in, body + outcome.taken, given);
		taken = lws_chunked_take(&chunked, in, given, &data, &n);
		if (taken < 0) {
			free(in);
			outcome.result = -1;
			return outcome;
		}
		require(taken && (size_t)taken <= given);
		require(data >= in && data + n <= in + taken);
		memcpy(outcome.data + outcome.size, data, n);
		outcome.size += n;
		outcome.taken += (size_t)taken;
		free(in);
	}
	outcome.result = lws_chunked_is_done(&chunked);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	if (size < 1)
		return -1;
	whole = feed(data + 1, size - 1, size);
	pieces = feed(data + 1, size - 1, data[0] % 16 + 1);
	require(whole.result == pieces.result);
	if (whole.result >= 0) {
		require(whole.taken == pieces.taken && whole.size == pieces.size);
		require(!memcmp(whole.data, pieces.data, whole.size));
	}
	free(whole.data);
	free(pieces.data);
	return 0;
}
