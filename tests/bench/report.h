#pragma once

#include <stdint.h>

#include "histogram.h"

#define PROCESSES_MAX 16

/* Ends the client: figures of a run in which something was wrong are no figures. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Nanoseconds since some time in the past. */
uint64_t now(void);

/* The same by the clock of the kernel's stamps, which somebody may set. */
uint64_t wall(void);

/* The time that is measured, and the CPU time that the client and the server used up in it. */
struct stopwatch {
	int processes[PROCESSES_MAX]; /* the server's */
	int process_count;
	uint64_t started;
	double seconds;
	double client_cpu; /* seconds */
	double server_cpu;
};

/* list: process ids with commas between them. */
void stopwatch_init(struct stopwatch *watch, const char *list);
void stopwatch_start(struct stopwatch *watch);
void stopwatch_stop(struct stopwatch *watch);

/* A run's result: one JSON object on a line of stdout. */
void report_begin(const char *mode);
void report_integer(const char *name, uint64_t value);
void report_number(const char *name, double value);

/* p50, p99, p99.9 and the highest of nanoseconds, in microseconds. */
void report_latency(const struct histogram *latency);
void report_end(const struct stopwatch *watch);
