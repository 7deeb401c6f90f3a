#pragma once

#include <stdint.h>
#include <stdio.h>
#include <time.h>

/*
 * Counters and gauges, shown as Prometheus text (exposition format 0.0.4).
 *
 * What is counted often lies in a plain struct that its owner increments; what
 * is counted by a value that is only known then (a close code, a reason) goes
 * through a function that finds its row.
 */
struct metrics;

/* One for each WebSocket endpoint. */
struct endpoint_metrics {
	uint64_t connections; /* open now */
	uint64_t opened;
	uint64_t messages_in;
	uint64_t bytes_in;
	uint64_t messages_out;
	uint64_t bytes_out;
};

/* Everything that there is one of. */
struct server_metrics {
	uint64_t http_requests;
	uint64_t listeners; /* responses that are event streams, open now */
	uint64_t rooms;
	uint64_t overruns; /* members closed because they could not keep up */
	uint64_t tls_handshakes_1_2;
	uint64_t tls_handshakes_1_3;
	uint64_t tls_handshakes_failed;
	uint64_t tls_resumptions;
	uint64_t tls_reloads;
	uint64_t tls_reload_failures;
	double loop_lag; /* seconds by which the last timer was late */
	double loop_lag_max;
};

/* Returns 0 or -ENOMEM. */
int metrics_create(struct metrics **metricsp);
void metrics_destroy(struct metrics *metrics);

struct server_metrics *metrics_server(struct metrics *metrics);

/* The endpoint's counters, made where they aren't there yet; they last as long as metrics. NULL: out of memory. */
struct endpoint_metrics *metrics_endpoint(struct metrics *metrics, const char *endpoint);

/* Counts a refused handshake; reason is one of a fixed set of words that last forever. */
void metrics_count_rejection(struct metrics *metrics, const char *reason);

/* Counts a closed WebSocket connection by its close code (RFC 6455 section 7.4). */
void metrics_count_close(struct metrics *metrics, unsigned code);

/* Shows when a certificate expires; name lasts as long as metrics. */
void metrics_set_certificate(struct metrics *metrics, const char *name, time_t expires);

/* Writes everything as text/plain; version=0.0.4. */
void metrics_write(const struct metrics *metrics, FILE *out);
