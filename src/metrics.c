#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Clients choose close codes, so only so many get a row of their own; the rest share the last one, code "other". */
#define CLOSE_CODES_MAX 32
#define REJECTION_REASONS_MAX 64

struct endpoint_row {
	struct endpoint_row *next;
	const char *endpoint;
	struct endpoint_metrics counters;
};

struct close_row {
	unsigned code;
	uint64_t count;
};

struct rejection_row {
	const char *reason;
	uint64_t count;
};

struct certificate_row {
	struct certificate_row *next;
	const char *name;
	time_t expires;
};

struct metrics {
	struct server_metrics server;
	pthread_mutex_t lock; /* of the rows, whose counters need none */
	struct certificate_row *certificates;
	struct endpoint_row *endpoints;
	struct close_row closes[CLOSE_CODES_MAX];
	size_t n_closes;
	uint64_t other_closes;
	struct rejection_row rejections[REJECTION_REASONS_MAX];
	size_t n_rejections;
};

int metrics_create(struct metrics **metricsp)
{
	*metricsp = calloc(1, sizeof(**metricsp));
	if (!*metricsp)
		return -ENOMEM;
	pthread_mutex_init(&(*metricsp)->lock, NULL);
	return 0;
}

void metrics_destroy(struct metrics *metrics)
{
	if (!metrics)
		return;
	while (metrics->endpoints) {
		struct endpoint_row *row = metrics->endpoints;

		metrics->endpoints = row->next;
		free(row);
	}
	while (metrics->certificates) {
		struct certificate_row *row = metrics->certificates;

		metrics->certificates = row->next;
		free(row);
	}
	pthread_mutex_destroy(&metrics->lock);
	free(metrics);
}

struct server_metrics *metrics_server(struct metrics *metrics)
{
	return &metrics->server;
}

static struct endpoint_metrics *find_endpoint(struct metrics *metrics, const char *endpoint)
{
	struct endpoint_row **link = &metrics->endpoints;

	for (; *link; link = &(*link)->next)
		if (!strcmp((*link)->endpoint, endpoint))
			return &(*link)->counters;
	*link = calloc(1, sizeof(**link));
	if (!*link)
		return NULL;
	(*link)->endpoint = endpoint;
	return &(*link)->counters;
}

struct endpoint_metrics *metrics_endpoint(struct metrics *metrics, const char *endpoint)
{
	struct endpoint_metrics *counters;

	pthread_mutex_lock(&metrics->lock);
	counters = find_endpoint(metrics, endpoint);
	pthread_mutex_unlock(&metrics->lock);
	return counters;
}

static void add_rejections(struct metrics *metrics, const char *reason, uint64_t n)
{
	size_t i = 0;

	while (i < metrics->n_rejections && strcmp(metrics->rejections[i].reason, reason))
		i++;
	if (i == REJECTION_REASONS_MAX)
		return;
	if (i == metrics->n_rejections)
		metrics->rejections[metrics->n_rejections++].reason = reason;
	metrics->rejections[i].count += n;
}

void metrics_count_rejection(struct metrics *metrics, const char *reason)
{
	pthread_mutex_lock(&metrics->lock);
	add_rejections(metrics, reason, 1);
	pthread_mutex_unlock(&metrics->lock);
}

static void add_closes(struct metrics *metrics, unsigned code, uint64_t n)
{
	size_t i = 0;

	while (i < metrics->n_closes && metrics->closes[i].code != code)
		i++;
	if (i == CLOSE_CODES_MAX) {
		metrics->other_closes += n;
		return;
	}
	if (i == metrics->n_closes)
		metrics->closes[metrics->n_closes++].code = code;
	metrics->closes[i].count += n;
}

void metrics_count_close(struct metrics *metrics, unsigned code)
{
	pthread_mutex_lock(&metrics->lock);
	add_closes(metrics, code, 1);
	pthread_mutex_unlock(&metrics->lock);
}

static void set_certificate(struct metrics *metrics, const char *name, time_t expires)
{
	struct certificate_row **link = &metrics->certificates;

	while (*link && strcmp((*link)->name, name))
		link = &(*link)->next;
	if (!*link) {
		*link = calloc(1, sizeof(**link));
		if (!*link)
			return;
		(*link)->name = name;
	}
	(*link)->expires = expires;
}

void metrics_set_certificate(struct metrics *metrics, const char *name, time_t expires)
{
	pthread_mutex_lock(&metrics->lock);
	set_certificate(metrics, name, expires);
	pthread_mutex_unlock(&metrics->lock);
}

static void add_endpoint(struct metrics *total, const struct endpoint_row *row)
{
	struct endpoint_metrics *sum = find_endpoint(total, row->endpoint);

	if (!sum)
		return;
	sum->connections += row->counters.connections;
	sum->opened += row->counters.opened;
	sum->messages_in += row->counters.messages_in;
	sum->bytes_in += row->counters.bytes_in;
	sum->messages_out += row->counters.messages_out;
	sum->bytes_out += row->counters.bytes_out;
}

static void add_server(struct server_metrics *sum, const struct server_metrics *part)
{
	sum->http_requests += part->http_requests;
	sum->listeners += part->listeners;
	sum->rooms += part->rooms;
	sum->threads += part->threads;
	sum->sockets += part->sockets;
	sum->sockets_max += part->sockets_max;
	sum->sockets_refused += part->sockets_refused;
	sum->proxy_headers_refused += part->proxy_headers_refused;
	sum->overruns += part->overruns;
	sum->moderation_actions += part->moderation_actions;
	sum->rate_limited += part->rate_limited;
	sum->acks += part->acks;
	sum->resumes += part->resumes;
	sum->resets += part->resets;
	sum->tls_handshakes_1_2 += part->tls_handshakes_1_2;
	sum->tls_handshakes_1_3 += part->tls_handshakes_1_3;
	sum->tls_handshakes_failed += part->tls_handshakes_failed;
	sum->tls_resumptions += part->tls_resumptions;
	sum->tls_reloads += part->tls_reloads;
	sum->tls_reload_failures += part->tls_reload_failures;
	if (part->loop_lag > sum->loop_lag)
		sum->loop_lag = part->loop_lag;
	if (part->loop_lag_max > sum->loop_lag_max)
		sum->loop_lag_max = part->loop_lag_max;
}

void metrics_add(struct metrics *total, struct metrics *part)
{
	pthread_mutex_lock(&part->lock);
	add_server(&total->server, &part->server);
	for (const struct endpoint_row *row = part->endpoints; row; row = row->next)
		add_endpoint(total, row);
	for (size_t i = 0; i < part->n_closes; i++)
		add_closes(total, part->closes[i].code, part->closes[i].count);
	total->other_closes += part->other_closes;
	for (size_t i = 0; i < part->n_rejections; i++)
		add_rejections(total, part->rejections[i].reason, part->rejections[i].count);
	for (const struct certificate_row *row = part->certificates; row; row = row->next)
		set_certificate(total, row->name, row->expires);
	pthread_mutex_unlock(&part->lock);
}

static void write_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP switchboard_%s %s\n# TYPE switchboard_%s %s\n", name, help, name,
		type);
}

static void write_number(FILE *out, const char *name, const char *type, const char *help,
			 uint64_t value)
{
	write_head(out, name, type, help);
	fprintf(out, "switchboard_%s %" PRIu64 "\n", name, value);
}

static void write_seconds(FILE *out, const char *name, const char *help, double value)
{
	write_head(out, name, "gauge", help);
	fprintf(out, "switchboard_%s %.6f\n", name, value);
}

/* One family, a sample for each endpoint; offset is the counter's place in struct endpoint_metrics. */
static void write_family(const struct metrics *metrics, FILE *out, const char *name,
			 const char *type, const char *help, size_t offset)
{
	write_head(out, name, type, help);
	for (const struct endpoint_row *row = metrics->endpoints; row; row = row->next) {
		uint64_t value;

		memcpy(&value, (const char *)&row->counters + offset, sizeof(value));
		fprintf(out, "switchboard_%s{endpoint=\"%s\"} %" PRIu64 "\n", name, row->endpoint,
			value);
	}
}

static void write_endpoints(const struct metrics *metrics, FILE *out)
{
	static const struct {
		const char *name, *type, *help;
		size_t offset;
	} families[] = {
		{"connections", "gauge", "WebSocket connections open now.",
		 offsetof(struct endpoint_metrics, connections)},
		{"connections_opened_total", "counter", "WebSocket connections accepted.",
		 offsetof(struct endpoint_metrics, opened)},
		{"messages_received_total", "counter", "Messages received from clients.",
		 offsetof(struct endpoint_metrics, messages_in)},
		{"received_bytes_total", "counter", "Payload bytes of messages received.",
		 offsetof(struct endpoint_metrics, bytes_in)},
		{"messages_sent_total", "counter",
		 "Messages sent to clients, one for each receiver.",
		 offsetof(struct endpoint_metrics, messages_out)},
		{"sent_bytes_total", "counter", "Bytes of messages sent to clients.",
		 offsetof(struct endpoint_metrics, bytes_out)},
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		write_family(metrics, out, families[i].name, families[i].type, families[i].help,
			     families[i].offset);
}

static void write_closes(const struct metrics *metrics, FILE *out)
{
	write_head(out, "closes_total", "counter", "WebSocket connections closed, by close code.");
	for (size_t i = 0; i < metrics->n_closes; i++)
		fprintf(out, "switchboard_closes_total{code=\"%u\"} %" PRIu64 "\n",
			metrics->closes[i].code, metrics->closes[i].count);
	if (metrics->other_closes)
		fprintf(out, "switchboard_closes_total{code=\"other\"} %" PRIu64 "\n",
			metrics->other_closes);
}

static void write_rejections(const struct metrics *metrics, FILE *out)
{
	write_head(out, "rejections_total", "counter",
		   "Handshakes and API calls refused, by reason.");
	for (size_t i = 0; i < metrics->n_rejections; i++)
		fprintf(out, "switchboard_rejections_total{reason=\"%s\"} %" PRIu64 "\n",
			metrics->rejections[i].reason, metrics->rejections[i].count);
}

static void write_journal(const struct server_metrics *server, FILE *out)
{
	write_number(out, "journal_commits_total", "counter", "Transactions of the journal.",
		     server->journal_commits);
	write_head(out, "journal_commit_seconds_total", "counter", "Time that they took.");
	fprintf(out, "switchboard_journal_commit_seconds_total %.6f\n",
		server->journal_commit_seconds);
	write_seconds(out, "journal_commit_seconds_max", "The longest of them.",
		      server->journal_commit_seconds_max);
	write_number(out, "journal_queue", "gauge", "Messages that wait to be kept.",
		     server->journal_queue);
	write_number(out, "journal_failures_total", "counter", "Messages that could not be kept.",
		     server->journal_failures);
	write_number(out, "journal_ok", "gauge", "Whether messages can be kept.",
		     server->journal_ok);
	write_head(out, "journal_reads_total", "counter", "Readings of the history, by source.");
	fprintf(out,
		"switchboard_journal_reads_total{source=\"memory\"} %" PRIu64 "\n"
		"switchboard_journal_reads_total{source=\"disk\"} %" PRIu64 "\n",
		server->journal_cache_reads, server->journal_disk_reads);
	write_number(out, "journal_rooms", "gauge", "Rooms that are kept on the disk.",
		     server->journal_rooms);
	write_number(out, "journal_rooms_forgotten_total", "counter",
		     "Rooms forgotten for being too many.", server->journal_rooms_forgotten);
	if (!server->journal_bytes_max)
		return;
	write_number(out, "journal_bytes", "gauge", "Memory that the kept messages take.",
		     server->journal_bytes);
	write_number(out, "journal_bytes_max", "gauge", "And that they may take at most.",
		     server->journal_bytes_max);
}

/* The name that all Prometheus clients give it. */
static void write_process(const struct server_metrics *server, FILE *out)
{
	fprintf(out,
		"# HELP process_resident_memory_bytes Resident memory size in bytes.\n"
		"# TYPE process_resident_memory_bytes gauge\n"
		"process_resident_memory_bytes %" PRIu64 "\n",
		server->resident_bytes);
}

/* The last parts of a path, so many of them. */
static const char *end_of_path(const char *path, unsigned parts)
{
	const char *p = path + strlen(path);

	while (p > path && (p[-1] != '/' || --parts))
		p--;
	return p;
}

/* The file's name; where several have the same one, such as fullchain.pem, the folder's before it. */
static const char *label_of(const struct metrics *metrics, const struct certificate_row *of)
{
	const char *name = end_of_path(of->name, 1);

	for (const struct certificate_row *row = metrics->certificates; row; row = row->next)
		if (row != of && !strcmp(end_of_path(row->name, 1), name))
			return end_of_path(of->name, 2);
	return name;
}

/* Only where TLS is spoken: there is a certificate then. */
static void write_tls(const struct metrics *metrics, FILE *out)
{
	const struct server_metrics *server = &metrics->server;

	if (!metrics->certificates)
		return;
	write_head(out, "tls_handshakes_total", "counter",
		   "TLS handshakes, by version and result.");
	fprintf(out,
		"switchboard_tls_handshakes_total{version=\"1.2\",result=\"ok\"} %" PRIu64 "\n"
		"switchboard_tls_handshakes_total{version=\"1.3\",result=\"ok\"} %" PRIu64 "\n"
		"switchboard_tls_handshakes_total{version=\"none\",result=\"failed\"} %" PRIu64
		"\n",
		server->tls_handshakes_1_2, server->tls_handshakes_1_3,
		server->tls_handshakes_failed);
	write_number(out, "tls_resumptions_total", "counter", "TLS sessions resumed by a ticket.",
		     server->tls_resumptions);
	write_head(out, "tls_reloads_total", "counter", "Certificates loaded anew, by result.");
	fprintf(out,
		"switchboard_tls_reloads_total{result=\"ok\"} %" PRIu64 "\n"
		"switchboard_tls_reloads_total{result=\"failed\"} %" PRIu64 "\n",
		server->tls_reloads, server->tls_reload_failures);
	write_head(out, "tls_certificate_expiry_seconds", "gauge",
		   "Seconds until a certificate expires.");
	for (const struct certificate_row *row = metrics->certificates; row; row = row->next)
		fprintf(out,
			"switchboard_tls_certificate_expiry_seconds{certificate=\"%s\"} %lld\n",
			label_of(metrics, row), (long long)(row->expires - time(NULL)));
}

void metrics_write(const struct metrics *metrics, FILE *out)
{
	const struct server_metrics *server = &metrics->server;

	write_endpoints(metrics, out);
	write_closes(metrics, out);
	write_rejections(metrics, out);
	write_number(out, "http_requests_total", "counter", "HTTP requests answered.",
		     server->http_requests);
	write_number(out, "event_streams", "gauge", "Event streams open now.", server->listeners);
	write_number(out, "rooms", "gauge", "Rooms with members.", server->rooms);
	write_number(out, "threads", "gauge", "Service threads.", server->threads);
	write_number(out, "sockets", "gauge", "Connections of any kind open now.", server->sockets);
	write_number(out, "sockets_max", "gauge",
		     "Descriptors that there are for connections and files that are sent.",
		     server->sockets_max);
	write_number(out, "sockets_refused_total", "counter",
		     "Connections closed at once for want of a descriptor.",
		     server->sockets_refused);
	write_number(out, "proxy_headers_refused_total", "counter",
		     "Connections closed for want of a header of the PROXY protocol.",
		     server->proxy_headers_refused);
	write_number(out, "overruns_total", "counter",
		     "Members closed because they could not keep up.", server->overruns);
	write_number(out, "rate_limited_total", "counter", "Messages refused for coming too fast.",
		     server->rate_limited);
	write_number(out, "moderation_actions_total", "counter",
		     "Messages deleted, people muted, kicked and banned.",
		     server->moderation_actions);
	write_number(out, "acks_total", "counter", "Messages acknowledged to their senders.",
		     server->acks);
	write_number(out, "resumes_total", "counter", "Joins that continued where they had been.",
		     server->resumes);
	write_number(out, "resets_total", "counter",
		     "Joins that could not: what they had missed was gone.", server->resets);
	write_number(out, "pending_bytes", "gauge",
		     "Bytes of answers and pasts that clients have yet to take.",
		     server->pending_bytes);
	write_number(out, "pending_bytes_max", "gauge", "The limit for them.",
		     server->pending_bytes_max);
	write_journal(server, out);
	write_tls(metrics, out);
	write_number(out, "log_dropped_total", "counter",
		     "Lines of the log that nobody took in time.", server->log_dropped);
	write_seconds(out, "loop_lag_seconds", "How late the event loop's last timer was.",
		      server->loop_lag);
	write_seconds(out, "loop_lag_max_seconds", "The largest such lag since the start.",
		      server->loop_lag_max);
	write_process(server, out);
}
