/* What is said to a room, and all its members receive. */
#include "modes.h"

#include <sys/prctl.h>
#include <time.h>

#define LOW_WATER (32 * 1024)
#define SECOND ((uint64_t)1000000000)

static void enter(struct load *load)
{
	const struct options *o = &load->options;

	if (o->publishers > o->members || o->publishers > SENDERS_MAX || o->publishers < 1)
		die("1 to %d publishers, and no more than members", SENDERS_MAX);
	client_allocate(load, o->members);
	client_open(load, o->at_once);
	client_settle(load);
	client_compare(load);
	for (int i = 0; i < o->publishers; i++)
		load->connections[i].sender = i;
}

static void report_room(const struct load *load)
{
	uint64_t deliveries = client_deliveries(load);

	report_integer("members", (uint64_t)load->options.members);
	report_integer("size", (uint64_t)load->options.size);
	report_integer("messages", load->sent);
	report_integer("deliveries", deliveries);
	report_number("deliveries_per_second", (double)deliveries / load->watch.seconds);
	report_number("bytes_per_delivery", (double)load->bytes / (double)deliveries);
	report_integer("compared", load->comparing);
	if (load->inflater)
		report_number("compressed", inflater_share(load->inflater));
	if (load->latency.count)
		report_latency(&load->latency);
	report_end(&load->watch);
}

/* What a message too many would bring must have time to come. */
static void leave(struct load *load, const char *mode)
{
	stopwatch_stop(&load->watch);
	load->received = NULL;
	client_settle(load);
	if (!client_is_done(load))
		die("more came than was sent");
	report_begin(mode);
	report_room(load);
	if (load->options.clean)
		client_close(load, load->options.at_once);
}

static bool is_over(const struct load *load)
{
	double limit = load->options.seconds;

	return limit > 0 && (double)(load->read_at - load->watch.started) / 1e9 > limit;
}

/* As many as may be on their way, of the publisher's own. */
static void fill(struct load *load, struct connection *publisher)
{
	const struct options *o = &load->options;
	int count = o->in_flight - (int)(publisher->sent - publisher->returned);

	if (o->messages && count > o->messages - (int)publisher->sent)
		count = o->messages - (int)publisher->sent;
	if (count > 0 && !is_over(load))
		client_send(load, publisher, count);
}

static void fill_if_publisher(struct load *load, struct connection *connection)
{
	if (connection->sender >= 0)
		fill(load, connection);
}

static void wait_for_all(struct load *load)
{
	while (!client_is_done(load))
		client_expect(load, "a message");
}

/*
 * Bursts: each publisher has so many messages in flight until all are through, or
 * the time is. What it costs to wake the client up is not to be what is measured,
 * so who only listens lets some bytes come together first.
 */
void mode_fanout(struct load *load)
{
	if (!load->options.messages && load->options.seconds <= 0)
		load->options.messages = 1000;
	enter(load);
	client_set_low_water(load, LOW_WATER);
	load->received = fill_if_publisher;
	stopwatch_start(&load->watch);
	load->read_at = load->watch.started;
	for (int i = 0; i < load->options.publishers; i++)
		fill(load, &load->connections[i]);
	while (load->returned < load->sent)
		client_expect(load, "a message");
	client_set_low_water(load, 1);
	wait_for_all(load);
	leave(load, "fanout");
}

/* The time until the last member had it. */
static uint64_t send_one(struct load *load, struct connection *publisher)
{
	client_send(load, publisher, 1);
	wait_for_all(load);
	return load->read_at - publisher->sent_at;
}

/*
 * The same until its bytes had come to the last member's socket, by the kernel's
 * stamps. The client sleeps meanwhile, so all cores are the server's.
 */
static uint64_t send_one_asleep(struct load *load, struct connection *publisher)
{
	struct timespec nap = {.tv_nsec = load->options.asleep * 1000000L};
	uint64_t sent_at = wall();

	client_send(load, publisher, 1);
	nanosleep(&nap, NULL);
	wait_for_all(load);
	return load->stamped_at - sent_at;
}

/* One message at a time: each is sent when every member has had the one before. */
void mode_single(struct load *load)
{
	const struct options *o = &load->options;
	uint64_t messages = (uint64_t)o->messages * (uint64_t)o->publishers;

	if (!messages && o->seconds <= 0)
		messages = 1000;
	enter(load);
	stopwatch_start(&load->watch);
	load->read_at = load->watch.started;
	while ((!messages || load->sent < messages) && !is_over(load)) {
		struct connection *publisher =
			&load->connections[load->sent % (uint64_t)o->publishers];

		histogram_add(&load->latency, o->asleep ? send_one_asleep(load, publisher)
							: send_one(load, publisher));
	}
	leave(load, "single");
}

/* When message number i of all is to be sent. */
static uint64_t due(const struct load *load, uint64_t i)
{
	return load->watch.started + i * SECOND / (uint64_t)load->options.rate;
}

static void hear_steady(struct load *load, struct connection *connection, struct mark mark)
{
	uint64_t i =
		(uint64_t)mark.number * (unsigned)load->options.publishers + (unsigned)mark.sender;

	histogram_add(&load->latency, load->read_at - due(load, i));
}

/*
 * Open loop: messages are sent at their time, whether or not those before are
 * through, and a delivery's time counts from when its message was due. So a
 * server that stands still pays for all that had to wait.
 */
void mode_steady(struct load *load)
{
	struct options *o = &load->options;
	uint64_t messages;

	if (o->seconds <= 0)
		o->seconds = 5;
	if (o->rate < 1)
		die("a rate of at least 1");
	messages = (uint64_t)((double)o->rate * o->seconds);
	prctl(PR_SET_TIMERSLACK, 1);
	enter(load);
	load->each = true;
	load->heard = hear_steady;
	stopwatch_start(&load->watch);
	while (load->sent < messages || !client_is_done(load)) {
		uint64_t at = due(load, load->sent), time = now();

		if (load->sent == messages)
			client_expect(load, "a message");
		else if (time < at)
			client_turn(load, at - time);
		else
			client_send(load, &load->connections[load->sent % (uint64_t)o->publishers],
				    1);
	}
	leave(load, "steady");
}
