#include "journal.h"
#include "limiter.h"
#include "log.h"
#include "metrics.h"
#include "metrics-access.h"
#include "mount/routes.h"
#include "rooms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note_journal(struct server_metrics *total, const struct server *server)
{
	const struct journal_metrics *journal = journal_metrics(server->journal);

	total->journal_commits = journal->commits;
	total->journal_commit_seconds = (double)journal->commit_nanoseconds / 1e9;
	total->journal_commit_seconds_max = (double)journal->commit_nanoseconds_max / 1e9;
	total->journal_failures = journal->failures;
	total->journal_ok = journal_keeps(server->journal);
	total->journal_queue = journal->queue;
	total->journal_cache_reads = journal->cache_reads;
	total->journal_disk_reads = journal->disk_reads;
	total->journal_rooms = journal->rooms;
	total->journal_rooms_forgotten = journal->rooms_forgotten;
	total->journal_bytes = journal->bytes;
	total->journal_bytes_max = journal_bytes_max(server->journal);
}

/* The second number of the file, in pages; 0 where the system doesn't tell. */
static uint64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	char line[128];
	char *pages = NULL;

	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file))
		pages = strchr(line, ' ');
	fclose(file);
	return pages ? strtoull(pages, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static struct metrics *sum(struct server *server)
{
	struct metrics *total;

	if (metrics_create(&total) < 0)
		return NULL;
	metrics_add(total, server->metrics);
	for (size_t i = 0; i < server->n_services; i++)
		metrics_add(total, server->services[i].metrics);
	metrics_server(total)->rooms = rooms_count(server->rooms);
	note_journal(metrics_server(total), server);
	metrics_server(total)->log_dropped = log_dropped();
	metrics_server(total)->pending_bytes = server->pending.used;
	metrics_server(total)->pending_bytes_max = server->pending.max;
	metrics_server(total)->resident_bytes = resident_bytes();
	return total;
}

static bool may_read(const struct route_request *request)
{
	char peer[HTTP_PEER_SIZE];
	const struct metrics_reader reader = {
		.peer = peer,
		.authorization = request->authorization,
		.is_forwarded = route_is_forwarded(request->later),
	};

	route_peer(request->later, peer);
	return metrics_may_be_read(&request->server->config->metrics, &reader);
}

unsigned route_metrics(const struct route_request *request, struct json_object **body)
{
	struct http_text text = {0};
	struct metrics *total;
	FILE *out;

	if (!may_read(request))
		return route_problem(
			body, 403,
			"only from the addresses, or with the secret, that the config names");
	total = sum(request->server);
	out = total ? open_memstream(&text.bytes, &text.size) : NULL;
	if (!out) {
		metrics_destroy(total);
		return route_problem(body, 500, "out of memory");
	}
	metrics_write(total, out);
	limiter_write(request->server->limiter, out);
	metrics_destroy(total);
	fclose(out);
	route_give_text(request->later, &text);
	return 200;
}
