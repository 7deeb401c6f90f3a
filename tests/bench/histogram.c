#include "histogram.h"

/* Each power of two has so many buckets. */
#define STEP_BITS 7
#define STEPS (1U << STEP_BITS)

static unsigned bucket_of(uint64_t value)
{
	unsigned shift;

	if (value < STEPS)
		return (unsigned)value;
	shift = 63 - (unsigned)__builtin_clzll(value) - STEP_BITS;
	return (shift << STEP_BITS) + (unsigned)(value >> shift);
}

/* The middle of a bucket. */
static uint64_t value_of(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * STEPS)
		return bucket;
	shift = (bucket >> STEP_BITS) - 1;
	return ((uint64_t)(bucket - (shift << STEP_BITS)) << shift) + (1ULL << shift) / 2;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->buckets[bucket_of(value)]++;
	histogram->count++;
	if (value > histogram->max)
		histogram->max = value;
}

uint64_t histogram_quantile(const struct histogram *histogram, double q)
{
	uint64_t rank = (uint64_t)(q * (double)histogram->count);
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen > rank)
			return value_of(i) < histogram->max ? value_of(i) : histogram->max;
	}
	return histogram->max;
}
