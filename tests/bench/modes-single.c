/* What concerns one connection at a time. */
#include "modes.h"

#include <stdio.h>

static void hear_echo(struct load *load, struct connection *connection, struct mark mark)
{
	histogram_add(&load->latency, load->read_at - connection->sent_at);
	client_send(load, connection, 1);
}

/* Each connection from first on has one message on its way. */
static void measure_echo(struct load *load, int first)
{
	const struct options *o = &load->options;
	uint64_t end;

	load->heard = hear_echo;
	stopwatch_start(&load->watch);
	end = load->watch.started + (uint64_t)((o->seconds > 0 ? o->seconds : 5) * 1e9);
	for (int i = first; i < load->n; i++) {
		load->connections[i].sender = i;
		client_send(load, &load->connections[i], 1);
	}
	while (load->read_at < end)
		client_expect(load, "an echo");
	stopwatch_stop(&load->watch);
}

static void report_echo(const struct load *load)
{
	report_integer("size", (uint64_t)load->options.size);
	report_number("messages_per_second", (double)load->latency.count / load->watch.seconds);
	if (load->inflater)
		report_number("compressed", inflater_share(load->inflater));
	report_latency(&load->latency);
}

void mode_echo(struct load *load)
{
	load->echo = true;
	client_allocate(load, load->options.members);
	client_open(load, load->options.at_once);
	client_settle(load);
	measure_echo(load, 0);
	report_begin("echo");
	report_integer("connections", (uint64_t)load->n);
	report_echo(load);
	report_end(&load->watch);
}

/* Holds connections open, and says when they are, until its input ends. */
void mode_idle(struct load *load)
{
	const struct options *o = &load->options;

	load->echo = true;
	client_allocate(load, o->members + o->echo_beside);
	stopwatch_start(&load->watch);
	client_open(load, o->at_once);
	client_settle(load);
	stopwatch_stop(&load->watch);
	if (o->echo_beside)
		measure_echo(load, o->members);
	report_begin("idle");
	report_integer("connections", (uint64_t)o->members);
	if (o->echo_beside)
		report_echo(load);
	report_end(&load->watch);
	while (getchar() != EOF)
		;
	if (o->clean) {
		load->heard = NULL;
		client_settle(load);
		client_close(load, o->at_once);
	}
}

static void open_next(struct load *load, struct connection *connection)
{
	const struct options *o = &load->options;
	double seconds = (double)(load->read_at - load->watch.started) / 1e9;

	if (o->seconds > 0 ? seconds < o->seconds : load->begun < o->members)
		client_begin(load, connection);
}

/* Opens and closes connections, as many as members or for some seconds, so many at once. */
void mode_connect(struct load *load)
{
	const struct options *o = &load->options;

	client_allocate(load, o->at_once);
	load->on_open = o->clean ? client_close_one : client_drop;
	load->on_gone = open_next;
	stopwatch_start(&load->watch);
	load->read_at = load->watch.started;
	for (int i = 0; i < load->n; i++)
		open_next(load, &load->connections[i]);
	while (load->gone < load->begun)
		client_expect(load, "a connection");
	stopwatch_stop(&load->watch);
	report_begin("connect");
	report_integer("connections", (uint64_t)load->gone);
	report_number("connections_per_second", (double)load->gone / load->watch.seconds);
	report_end(&load->watch);
}
