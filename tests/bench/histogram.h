#pragma once

#include <stdint.h>

#define HISTOGRAM_BUCKETS (60 << 7)

/*
 * Counts of values in buckets that are narrow where the values are small: a
 * quantile is off by less than one part in a hundred. Begins as all zeroes.
 */
struct histogram {
	uint64_t count;
	uint64_t max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* The value that a share of q, from 0 to 1, doesn't exceed; 0 when there is none. */
uint64_t histogram_quantile(const struct histogram *histogram, double q);
