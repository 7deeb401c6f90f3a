#include "unit.h"

#include "metrics.h"

#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
	return metrics_create((struct metrics **)state);
}

static int teardown(void **state)
{
	metrics_destroy(*state);
	return 0;
}

static char *written(const struct metrics *metrics)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	metrics_write(metrics, out);
	fclose(out);
	return text;
}

static void assert_has_line(const struct metrics *metrics, const char *line)
{
	char *text = written(metrics);
	size_t length = strlen(line);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (!strncmp(p, line, length) && p[length] == '\n') {
			free(text);
			return;
		}
	}
	print_error("%s", text);
	free(text);
	fail_msg("no line %s", line);
}

static size_t count_lines(const struct metrics *metrics, const char *beginning)
{
	char *text = written(metrics);
	size_t count = 0;

	for (const char *p = text; *p; p = strchr(p, '\n') + 1)
		count += !strncmp(p, beginning, strlen(beginning));
	free(text);
	return count;
}

static const char small_case[] =
	"# HELP switchboard_connections WebSocket connections open now.\n"
	"# TYPE switchboard_connections gauge\n"
	"switchboard_connections{endpoint=\"/chat\"} 1\n"
	"# HELP switchboard_connections_opened_total WebSocket connections accepted.\n"
	"# TYPE switchboard_connections_opened_total counter\n"
	"switchboard_connections_opened_total{endpoint=\"/chat\"} 2\n"
	"# HELP switchboard_messages_received_total Messages received from clients.\n"
	"# TYPE switchboard_messages_received_total counter\n"
	"switchboard_messages_received_total{endpoint=\"/chat\"} 3\n"
	"# HELP switchboard_received_bytes_total Payload bytes of messages received.\n"
	"# TYPE switchboard_received_bytes_total counter\n"
	"switchboard_received_bytes_total{endpoint=\"/chat\"} 4\n"
	"# HELP switchboard_messages_sent_total Messages sent to clients, one for each receiver.\n"
	"# TYPE switchboard_messages_sent_total counter\n"
	"switchboard_messages_sent_total{endpoint=\"/chat\"} 5\n"
	"# HELP switchboard_sent_bytes_total Bytes of messages sent to clients.\n"
	"# TYPE switchboard_sent_bytes_total counter\n"
	"switchboard_sent_bytes_total{endpoint=\"/chat\"} 18446744073709551615\n"
	"# HELP switchboard_closes_total WebSocket connections closed, by close code.\n"
	"# TYPE switchboard_closes_total counter\n"
	"switchboard_closes_total{code=\"1000\"} 1\n"
	"# HELP switchboard_rejections_total Handshakes and API calls refused, by reason.\n"
	"# TYPE switchboard_rejections_total counter\n"
	"switchboard_rejections_total{reason=\"name\"} 1\n"
	"# HELP switchboard_http_requests_total HTTP requests answered.\n"
	"# TYPE switchboard_http_requests_total counter\n"
	"switchboard_http_requests_total 7\n"
	"# HELP switchboard_event_streams Event streams open now.\n"
	"# TYPE switchboard_event_streams gauge\n"
	"switchboard_event_streams 8\n"
	"# HELP switchboard_rooms Rooms with members.\n"
	"# TYPE switchboard_rooms gauge\n"
	"switchboard_rooms 9\n"
	"# HELP switchboard_threads Service threads.\n"
	"# TYPE switchboard_threads gauge\n"
	"switchboard_threads 2\n"
	"# HELP switchboard_sockets Connections of any kind open now.\n"
	"# TYPE switchboard_sockets gauge\n"
	"switchboard_sockets 31\n"
	"# HELP switchboard_sockets_max Descriptors that there are for connections and files that are sent.\n"
	"# TYPE switchboard_sockets_max gauge\n"
	"switchboard_sockets_max 32\n"
	"# HELP switchboard_sockets_refused_total Connections closed at once for want of a descriptor.\n"
	"# TYPE switchboard_sockets_refused_total counter\n"
	"switchboard_sockets_refused_total 33\n"
	"# HELP switchboard_proxy_headers_refused_total Connections closed for want of a header of the PROXY protocol.\n"
	"# TYPE switchboard_proxy_headers_refused_total counter\n"
	"switchboard_proxy_headers_refused_total 36\n"
	"# HELP switchboard_overruns_total Members closed because they could not keep up.\n"
	"# TYPE switchboard_overruns_total counter\n"
	"switchboard_overruns_total 10\n"
	"# HELP switchboard_rate_limited_total Messages refused for coming too fast.\n"
	"# TYPE switchboard_rate_limited_total counter\n"
	"switchboard_rate_limited_total 11\n"
	"# HELP switchboard_moderation_actions_total Messages deleted, people muted, kicked and "
	"banned.\n"
	"# TYPE switchboard_moderation_actions_total counter\n"
	"switchboard_moderation_actions_total 12\n"
	"# HELP switchboard_acks_total Messages acknowledged to their senders.\n"
	"# TYPE switchboard_acks_total counter\n"
	"switchboard_acks_total 13\n"
	"# HELP switchboard_resumes_total Joins that continued where they had been.\n"
	"# TYPE switchboard_resumes_total counter\n"
	"switchboard_resumes_total 14\n"
	"# HELP switchboard_resets_total Joins that could not: what they had missed was gone.\n"
	"# TYPE switchboard_resets_total counter\n"
	"switchboard_resets_total 15\n"
	"# HELP switchboard_pending_bytes Bytes of answers and pasts that clients have yet to take.\n"
	"# TYPE switchboard_pending_bytes gauge\n"
	"switchboard_pending_bytes 29\n"
	"# HELP switchboard_pending_bytes_max The limit for them.\n"
	"# TYPE switchboard_pending_bytes_max gauge\n"
	"switchboard_pending_bytes_max 30\n"
	"# HELP switchboard_journal_commits_total Transactions of the journal.\n"
	"# TYPE switchboard_journal_commits_total counter\n"
	"switchboard_journal_commits_total 16\n"
	"# HELP switchboard_journal_commit_seconds_total Time that they took.\n"
	"# TYPE switchboard_journal_commit_seconds_total counter\n"
	"switchboard_journal_commit_seconds_total 2.500000\n"
	"# HELP switchboard_journal_commit_seconds_max The longest of them.\n"
	"# TYPE switchboard_journal_commit_seconds_max gauge\n"
	"switchboard_journal_commit_seconds_max 0.125000\n"
	"# HELP switchboard_journal_queue Messages that wait to be kept.\n"
	"# TYPE switchboard_journal_queue gauge\n"
	"switchboard_journal_queue 17\n"
	"# HELP switchboard_journal_failures_total Messages that could not be kept.\n"
	"# TYPE switchboard_journal_failures_total counter\n"
	"switchboard_journal_failures_total 18\n"
	"# HELP switchboard_journal_ok Whether messages can be kept.\n"
	"# TYPE switchboard_journal_ok gauge\n"
	"switchboard_journal_ok 28\n"
	"# HELP switchboard_journal_reads_total Readings of the history, by source.\n"
	"# TYPE switchboard_journal_reads_total counter\n"
	"switchboard_journal_reads_total{source=\"memory\"} 19\n"
	"switchboard_journal_reads_total{source=\"disk\"} 20\n"
	"# HELP switchboard_journal_rooms Rooms that are kept on the disk.\n"
	"# TYPE switchboard_journal_rooms gauge\n"
	"switchboard_journal_rooms 24\n"
	"# HELP switchboard_journal_rooms_forgotten_total Rooms forgotten for being too many.\n"
	"# TYPE switchboard_journal_rooms_forgotten_total counter\n"
	"switchboard_journal_rooms_forgotten_total 25\n"
	"# HELP switchboard_journal_bytes Memory that the kept messages take.\n"
	"# TYPE switchboard_journal_bytes gauge\n"
	"switchboard_journal_bytes 26\n"
	"# HELP switchboard_journal_bytes_max And that they may take at most.\n"
	"# TYPE switchboard_journal_bytes_max gauge\n"
	"switchboard_journal_bytes_max 27\n"
	"# HELP switchboard_log_dropped_total Lines of the log that nobody took in time.\n"
	"# TYPE switchboard_log_dropped_total counter\n"
	"switchboard_log_dropped_total 29\n"
	"# HELP switchboard_loop_lag_seconds How late the event loop's last timer was.\n"
	"# TYPE switchboard_loop_lag_seconds gauge\n"
	"switchboard_loop_lag_seconds 0.000250\n"
	"# HELP switchboard_loop_lag_max_seconds The largest such lag since the start.\n"
	"# TYPE switchboard_loop_lag_max_seconds gauge\n"
	"switchboard_loop_lag_max_seconds 1.500000\n"
	"# HELP process_resident_memory_bytes Resident memory size in bytes.\n"
	"# TYPE process_resident_memory_bytes gauge\n"
	"process_resident_memory_bytes 4096\n";

static void whole_text(void **state)
{
	struct metrics *metrics = *state;
	char *text;

	*metrics_endpoint(metrics, "/chat") = (struct endpoint_metrics){
		.connections = 1,
		.opened = 2,
		.messages_in = 3,
		.bytes_in = 4,
		.messages_out = 5,
		.bytes_out = UINT64_MAX,
	};
	*metrics_server(metrics) = (struct server_metrics){
		.http_requests = 7,
		.listeners = 8,
		.rooms = 9,
		.threads = 2,
		.sockets = 31,
		.sockets_max = 32,
		.sockets_refused = 33,
		.proxy_headers_refused = 36,
		.overruns = 10,
		.rate_limited = 11,
		.moderation_actions = 12,
		.acks = 13,
		.resumes = 14,
		.resets = 15,
		.journal_commits = 16,
		.journal_commit_seconds = 2.5,
		.journal_commit_seconds_max = 0.125,
		.journal_queue = 17,
		.journal_failures = 18,
		.journal_cache_reads = 19,
		.journal_disk_reads = 20,
		.journal_ok = 28,
		.log_dropped = 29,
		.journal_rooms = 24,
		.journal_rooms_forgotten = 25,
		.journal_bytes = 26,
		.journal_bytes_max = 27,
		.pending_bytes = 29,
		.pending_bytes_max = 30,
		.resident_bytes = 4096,
		.loop_lag = 0.00025,
		.loop_lag_max = 1.5,
	};
	metrics_count_close(metrics, 1000);
	metrics_count_rejection(metrics, "name");
	text = written(metrics);
	assert_string_equal(text, small_case);
	free(text);
}

static void sums_up_threads(void **state)
{
	struct metrics *total = *state;
	struct metrics *parts[2];

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(metrics_create(&parts[i]), 0);
		metrics_endpoint(parts[i], "/chat")->messages_in = i + 1;
		metrics_server(parts[i])->http_requests = 10 * (i + 1);
		metrics_server(parts[i])->loop_lag_max = 2 - i;
		metrics_count_close(parts[i], 1000);
		metrics_count_close(parts[i], 4000 + i);
		metrics_count_rejection(parts[i], "name");
	}
	metrics_endpoint(parts[1], "/echo")->messages_in = 7;
	for (unsigned code = 3000; code < 3040; code++)
		metrics_count_close(parts[1], code);
	for (unsigned i = 0; i < 2; i++) {
		metrics_add(total, parts[i]);
		metrics_destroy(parts[i]);
	}
	assert_has_line(total, "switchboard_messages_received_total{endpoint=\"/chat\"} 3");
	assert_has_line(total, "switchboard_messages_received_total{endpoint=\"/echo\"} 7");
	assert_has_line(total, "switchboard_http_requests_total 30");
	assert_has_line(total, "switchboard_loop_lag_max_seconds 2.000000");
	assert_has_line(total, "switchboard_closes_total{code=\"1000\"} 2");
	assert_has_line(total, "switchboard_closes_total{code=\"4001\"} 1");
	assert_has_line(total, "switchboard_closes_total{code=\"other\"} 11");
	assert_has_line(total, "switchboard_rejections_total{reason=\"name\"} 2");
}

static void an_endpoint_has_one_row(void **state)
{
	struct metrics *metrics = *state;
	struct endpoint_metrics *chat = metrics_endpoint(metrics, "/chat");
	struct endpoint_metrics *echo = metrics_endpoint(metrics, "/echo");
	char same_name[] = "/chat";

	assert_ptr_equal(metrics_endpoint(metrics, same_name), chat);
	assert_ptr_not_equal(chat, echo);
	chat->messages_in = 1;
	echo->messages_in = 2;
	assert_has_line(metrics, "switchboard_messages_received_total{endpoint=\"/chat\"} 1");
	assert_has_line(metrics, "switchboard_messages_received_total{endpoint=\"/echo\"} 2");
	assert_int_equal(count_lines(metrics, "switchboard_messages_received_total{"), 2);
}

static void counts_rejections_by_reason(void **state)
{
	struct metrics *metrics = *state;
	char same_reason[] = "query";

	metrics_count_rejection(metrics, "query");
	metrics_count_rejection(metrics, "origin");
	metrics_count_rejection(metrics, same_reason);
	assert_has_line(metrics, "switchboard_rejections_total{reason=\"query\"} 2");
	assert_has_line(metrics, "switchboard_rejections_total{reason=\"origin\"} 1");
	assert_int_equal(count_lines(metrics, "switchboard_rejections_total{"), 2);
}

static void counts_closes_by_code(void **state)
{
	struct metrics *metrics = *state;

	metrics_count_close(metrics, 1000);
	metrics_count_close(metrics, 1013);
	metrics_count_close(metrics, 1000);
	assert_has_line(metrics, "switchboard_closes_total{code=\"1000\"} 2");
	assert_has_line(metrics, "switchboard_closes_total{code=\"1013\"} 1");
	assert_int_equal(count_lines(metrics, "switchboard_closes_total{"), 2);
}

/* Clients choose the code, so its rows are limited; those that have one keep counting. */
static void close_codes_beyond_the_table_share_a_row(void **state)
{
	struct metrics *metrics = *state;

	for (unsigned code = 4000; code < 4040; code++)
		metrics_count_close(metrics, code);
	metrics_count_close(metrics, 4000);
	metrics_count_close(metrics, 4039);
	assert_has_line(metrics, "switchboard_closes_total{code=\"4000\"} 2");
	assert_has_line(metrics, "switchboard_closes_total{code=\"4031\"} 1");
	assert_has_line(metrics, "switchboard_closes_total{code=\"other\"} 9");
	assert_int_equal(count_lines(metrics, "switchboard_closes_total{"), 33);
}

/* Reasons are a fixed set of words, far fewer: more than fit do no harm. */
static void reasons_beyond_the_table_are_left_out(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char more[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0";
	struct metrics *metrics = *state;

	for (size_t i = 0; letters[i]; i++) {
		metrics_count_rejection(metrics, letters + i);
		metrics_count_rejection(metrics, more + i);
	}
	assert_int_equal(count_lines(metrics, "switchboard_rejections_total{"), 64);
}

static void destroys_nothing(void **state)
{
	metrics_destroy(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* Where a file is, is nobody's business. */
static void certificates_have_the_names_of_their_files(void **state)
{
	struct metrics *metrics;
	char *text = NULL;
	size_t size;
	FILE *out;

	assert_int_equal(metrics_create(&metrics), 0);
	metrics_set_certificate(metrics, "/etc/ssl/a.pem", 0);
	metrics_set_certificate(metrics, "development", 0);
	metrics_set_certificate(metrics, "/etc/live/one.example/fullchain.pem", 0);
	metrics_set_certificate(metrics, "/etc/live/two.example/fullchain.pem", 0);
	out = open_memstream(&text, &size);
	metrics_write(metrics, out);
	fclose(out);
	assert_non_null(strstr(text, "{certificate=\"a.pem\"}"));
	assert_non_null(strstr(text, "{certificate=\"development\"}"));
	assert_non_null(strstr(text, "{certificate=\"one.example/fullchain.pem\"}"));
	assert_non_null(strstr(text, "{certificate=\"two.example/fullchain.pem\"}"));
	assert_null(strstr(text, "/etc/"));
	free(text);
	metrics_destroy(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole_text),
		TEST(sums_up_threads),
		TEST(an_endpoint_has_one_row),
		TEST(counts_rejections_by_reason),
		TEST(counts_closes_by_code),
		TEST(close_codes_beyond_the_table_share_a_row),
		TEST(reasons_beyond_the_table_are_left_out),
		cmocka_unit_test(destroys_nothing),
		cmocka_unit_test(certificates_have_the_names_of_their_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
