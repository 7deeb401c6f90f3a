#pragma once

#include <stdint.h>
#include <stdio.h>
#include <time.h>

/*
 * Counters and gauges, shown as Prometheus text (exposition format 0.0.4).
 *
 * Each service thread has its own, which only it changes; what is shown is the
 * sum of all, see metrics_add(). What is counted often lies in a plain struct
 * that its owner increments; what is counted by a value that is only known then
 * (a close code, a reason) goes through a function that finds its row.
 */
struct metrics;

/* One for each WebSocket endpoint. */
struct endpoint_metrics {
	_Atomic uint64_t connections; /* open now */
	_Atomic uint64_t opened;
	_Atomic uint64_t messages_in;
	_Atomic uint64_t bytes_in;
	_Atomic uint64_t messages_out;
	_Atomic uint64_t bytes_out;
};

/* Everything that there is one of. */
struct server_metrics {
	_Atomic uint64_t http_requests;
	_Atomic uint64_t listeners; /* responses that are event streams, open now */
	_Atomic uint64_t rooms;
	_Atomic uint64_t threads;
	_Atomic uint64_t overruns; /* members closed because they could not keep up */
	_Atomic uint64_t moderation_actions;
	_Atomic uint64_t rate_limited; /* messages that came too fast */
	_Atomic uint64_t acks;
	_Atomic uint64_t resumes; /* that got what they had missed */
	_Atomic uint64_t resets;  /* and those that could not */
	_Atomic uint64_t tls_handshakes_1_2;
	_Atomic uint64_t tls_handshakes_1_3;
	_Atomic uint64_t tls_handshakes_failed;
	_Atomic uint64_t tls_resumptions;
	_Atomic uint64_t tls_reloads;
	_Atomic uint64_t tls_reload_failures;
	_Atomic uint64_t journal_commits;
	_Atomic uint64_t journal_failures;
	_Atomic uint64_t journal_ok; /* 1: the last that it wrote is kept */
	_Atomic uint64_t journal_queue;
	_Atomic uint64_t journal_cache_reads;
	_Atomic uint64_t journal_disk_reads;
	_Atomic uint64_t sockets; /* connections of any kind, open now */
	_Atomic uint64_t sockets_max;
	_Atomic uint64_t sockets_refused;
	_Atomic uint64_t proxy_headers_refused;
	_Atomic uint64_t journal_rooms; /* that SQLite keeps */
	_Atomic uint64_t journal_rooms_forgotten;
	_Atomic uint64_t journal_bytes;
	_Atomic uint64_t journal_bytes_max;    /* 0: it has no such limit */
	_Atomic uint64_t log_dropped;	       /* lines */
	_Atomic uint64_t pending_bytes;	       /* asked for, and not taken yet */
	_Atomic uint64_t pending_bytes_max;    /* the limit */
	_Atomic uint64_t resident_bytes;       /* of the process */
	_Atomic double journal_commit_seconds; /* in all */
	_Atomic double journal_commit_seconds_max;
	_Atomic double loop_lag; /* seconds by which the last timer was late */
	_Atomic double loop_lag_max;
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

/* Adds what a thread's metrics count to total; lags are the largest of all. On any thread. */
void metrics_add(struct metrics *total, struct metrics *part);

/* Writes everything as text/plain; version=0.0.4. On the thread that they belong to. */
void metrics_write(const struct metrics *metrics, FILE *out);
