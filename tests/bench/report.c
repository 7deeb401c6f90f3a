#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static double seconds_on(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		die("the server's process has gone");
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t nanoseconds_on(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t now(void)
{
	return nanoseconds_on(CLOCK_MONOTONIC);
}

uint64_t wall(void)
{
	return nanoseconds_on(CLOCK_REALTIME);
}

void stopwatch_init(struct stopwatch *watch, const char *list)
{
	memset(watch, 0, sizeof(*watch));
	while (list && *list && watch->process_count < PROCESSES_MAX) {
		char *end;

		watch->processes[watch->process_count++] = (int)strtol(list, &end, 10);
		if (end == list)
			die("%s: expected process ids", list);
		list = *end ? end + 1 : end;
	}
}

static double server_cpu(const struct stopwatch *watch)
{
	double sum = 0;

	for (int i = 0; i < watch->process_count; i++) {
		clockid_t clock;

		errno = clock_getcpuclockid(watch->processes[i], &clock);
		if (errno)
			die("process %d: %s", watch->processes[i], strerror(errno));
		sum += seconds_on(clock);
	}
	return sum;
}

void stopwatch_start(struct stopwatch *watch)
{
	watch->client_cpu = seconds_on(CLOCK_PROCESS_CPUTIME_ID);
	watch->server_cpu = server_cpu(watch);
	watch->started = now();
}

void stopwatch_stop(struct stopwatch *watch)
{
	watch->seconds = (double)(now() - watch->started) / 1e9;
	watch->client_cpu = seconds_on(CLOCK_PROCESS_CPUTIME_ID) - watch->client_cpu;
	watch->server_cpu = server_cpu(watch) - watch->server_cpu;
}

void report_begin(const char *mode)
{
	printf("{\"mode\":\"%s\"", mode);
}

void report_integer(const char *name, uint64_t value)
{
	printf(",\"%s\":%llu", name, (unsigned long long)value);
}

void report_number(const char *name, double value)
{
	printf(",\"%s\":%.6g", name, value);
}

void report_latency(const struct histogram *latency)
{
	report_number("p50_us", (double)histogram_quantile(latency, 0.5) / 1e3);
	report_number("p99_us", (double)histogram_quantile(latency, 0.99) / 1e3);
	report_number("p99.9_us", (double)histogram_quantile(latency, 0.999) / 1e3);
	report_number("max_us", (double)latency->max / 1e3);
}

void report_end(const struct stopwatch *watch)
{
	report_number("seconds", watch->seconds);
	report_number("client_cpu", watch->client_cpu / watch->seconds);
	if (watch->process_count)
		report_number("server_cpu", watch->server_cpu / watch->seconds);
	puts("}");
	fflush(stdout);
}
