#include "client.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "handshake.h"

#define BUFFER_SIZE (256 * 1024)
#define OUTPUT_SIZE (64 * 1024)
#define ANSWER_MAX 4096
#define EVENTS 256
#define SECOND ((uint64_t)1000000000)
#define QUIET (SECOND * 3 / 10)

void client_init(struct load *load, const struct options *options)
{
	memset(load, 0, sizeof(*load));
	load->options = *options;
	load->buffer = malloc(BUFFER_SIZE);
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (options->deflate)
		load->inflater = inflater_create();
	stopwatch_init(&load->watch, options->server_pid);
	if (!load->buffer || load->epoll < 0)
		die("out of memory");
}

void client_allocate(struct load *load, int n)
{
	size_t room;

	load->messages = messages_create((size_t)load->options.size, !load->echo);
	room = messages_room(load->messages);
	load->output = malloc(OUTPUT_SIZE + room);
	load->n = n;
	load->connections = calloc((size_t)n + 1, sizeof(struct connection));
	if (!load->connections || !load->output)
		die("out of memory");
	for (int i = 0; i < n; i++) {
		load->connections[i].state = CONNECTION_GONE;
		load->connections[i].sender = -1;
	}
}

void client_begin(struct load *load, struct connection *connection)
{
	int i = (int)(connection - load->connections);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = (uint32_t)i};

	load->begun++;
	connection->fd = handshake_connect(&load->options);
	if (load->options.asleep)
		handshake_stamp(connection->fd);
	connection->state = CONNECTION_HANDSHAKE;
	memset(&connection->frames, 0, sizeof(connection->frames));
	connection->frames.inflater = load->inflater;
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
		die("epoll_ctl: %s", strerror(errno));
	handshake_ask(&load->options, connection->fd, i);
}

void client_drop(struct load *load, struct connection *connection)
{
	close(connection->fd);
	frames_finish(&connection->frames);
	connection->state = CONNECTION_GONE;
	load->gone++;
	if (load->on_gone)
		load->on_gone(load, connection);
}

void client_close_one(struct load *load, struct connection *connection)
{
	char frame[FRAME_HEADER_MAX + 2];
	size_t header = frame_put_header(frame, OPCODE_CLOSE, 2);

	frame[header] = (char)(1000 >> 8);
	frame[header + 1] = (char)(1000 & 0xff);
	connection->state = CONNECTION_CLOSING;
	socket_send(connection->fd, frame, header + 2);
}

struct receiver {
	struct load *load;
	struct connection *connection;
};

static void hear(struct load *load, struct connection *connection, struct mark mark)
{
	if (mark.sender == connection->sender) {
		connection->returned++;
		load->returned++;
	}
	if (load->heard)
		load->heard(load, connection, mark);
}

static void take_message(struct load *load, struct connection *connection, const char *payload,
			 size_t size)
{
	struct mark mark = mark_read(payload, size);

	if (mark.sender < 0)
		return; /* a notice */
	if (!load->echo)
		mark_check(mark, connection->expected);
	else if (mark.sender != connection->sender || mark.number != connection->returned ||
		 !messages_equal(load->messages, mark, payload, size))
		die("an echo of something else: %.*s", (int)size, payload);
	load->parsed++;
	hear(load, connection, mark);
}

static void answer_ping(const struct connection *connection, const char *payload, size_t size)
{
	char frame[FRAME_HEADER_MAX + 125];
	size_t header = frame_put_header(frame, OPCODE_PONG, size);

	if (size > 125)
		die("a long ping");
	memcpy(frame + header, payload, size);
	socket_send(connection->fd, frame, header + size);
}

static void take(void *context, enum opcode opcode, const char *payload, size_t size)
{
	const struct receiver *receiver = context;
	struct connection *connection = receiver->connection;

	if (opcode == OPCODE_TEXT) {
		take_message(receiver->load, connection, payload, size);
	} else if (opcode == OPCODE_PING && connection->state == CONNECTION_OPEN) {
		answer_ping(connection, payload, size);
	} else if (opcode == OPCODE_CLOSE) {
		if (connection->state != CONNECTION_CLOSING)
			die("the server closed a connection: %u", frame_close_code(payload, size));
		connection->state = CONNECTION_CLOSED;
	}
}

static void take_frames(struct load *load, struct connection *connection, const char *data,
			size_t size)
{
	struct receiver receiver = {load, connection};

	frames_take(&connection->frames, data, size, take, &receiver);
}

/* Frames may follow the answer at once. */
static void take_answer(struct load *load, struct connection *connection, const char *data,
			size_t size)
{
	struct frames *frames = &connection->frames;
	size_t header, held_size;
	char *held;

	frames_hold(frames, data, size);
	header = handshake_check(&load->options, frames->held, frames->held_size);
	if (!header)
		return;
	held = frames->held;
	held_size = frames->held_size;
	frames->held = NULL;
	frames->held_size = 0;
	connection->state = CONNECTION_OPEN;
	load->opened++;
	take_frames(load, connection, held + header, held_size - header);
	free(held);
	if (load->on_open)
		load->on_open(load, connection);
}

static void stop_comparing(struct load *load, struct connection *connection)
{
	connection->compares = false;
	load->comparing--;
	load->compared -= connection->position;
	load->parsed += reference_leave(load->reference, connection->position, connection->expected,
					&connection->frames);
}

static void hear_reference(struct load *load, struct connection *connection)
{
	struct mark mark;

	while (reference_next(load->reference, &connection->frame, connection->position, &mark))
		if (mark.sender >= 0)
			hear(load, connection, mark);
}

/* Returns false when they are others than what the first member to get there received. */
static bool compare(struct load *load, struct connection *connection, const char *data, size_t size)
{
	struct reference *reference = load->reference;
	uint64_t ahead = reference_head(reference) - connection->position;
	size_t known = ahead < size ? (size_t)ahead : size;

	if (!reference_equals(reference, connection->position, data, known))
		return false;
	if (known < size)
		reference_append(reference, data + known, size - known);
	connection->position += size;
	load->compared += size;
	if (load->each || connection->sender >= 0)
		hear_reference(load, connection);
	return true;
}

static void take_bytes(struct load *load, struct connection *connection, const char *data,
		       size_t size)
{
	load->bytes += size;
	load->read_at = now();
	if (connection->state == CONNECTION_HANDSHAKE) {
		take_answer(load, connection, data, size);
		return;
	}
	if (connection->compares && !compare(load, connection, data, size))
		stop_comparing(load, connection);
	else if (connection->compares)
		size = 0;
	if (size)
		take_frames(load, connection, data, size);
	if (load->received)
		load->received(load, connection);
}

/* Newer than any stamp before it: what one read has brought bears that of its last bytes. */
static void take_stamp(struct load *load, struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	struct timespec t;
	uint64_t at;

	if (!control || control->cmsg_type != SCM_TIMESTAMPNS)
		return;
	memcpy(&t, CMSG_DATA(control), sizeof(t));
	at = (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
	if (at > load->stamped_at)
		load->stamped_at = at;
}

static ssize_t receive_some(struct load *load, int fd)
{
	alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec bytes = {load->buffer, BUFFER_SIZE};
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	if (!load->options.asleep)
		return recv(fd, load->buffer, BUFFER_SIZE, 0);
	n = recvmsg(fd, &message, 0);
	if (n > 0)
		take_stamp(load, &message);
	return n;
}

/*
 * Reads until there is no more, which a short read says as well: later bytes are
 * a new event. The end of the stream isn't, where it came with the last bytes.
 */
static void receive(struct load *load, struct connection *connection)
{
	ssize_t n = BUFFER_SIZE;

	while (n == BUFFER_SIZE || connection->state == CONNECTION_CLOSED) {
		n = receive_some(load, connection->fd);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0 && connection->state == CONNECTION_CLOSED) {
			client_drop(load, connection);
			return; /* the next one may stand there already */
		}
		if (n <= 0)
			die("the server hung up: %s", n ? strerror(errno) : "end of file");
		take_bytes(load, connection, load->buffer, (size_t)n);
	}
}

bool client_turn(struct load *load, uint64_t timeout)
{
	struct timespec t = {(time_t)(timeout / SECOND), (long)(timeout % SECOND)};
	struct epoll_event events[EVENTS];
	int n = epoll_pwait2(load->epoll, events, EVENTS, &t, NULL);

	if (n < 0 && errno != EINTR)
		die("epoll_pwait2: %s", strerror(errno));
	for (int i = 0; i < n; i++)
		receive(load, &load->connections[events[i].data.u32]);
	return n != 0;
}

void client_expect(struct load *load, const char *what)
{
	if (!client_turn(load, 10 * SECOND))
		die("%s: nothing for 10 seconds", what);
}

void client_open(struct load *load, int at_once)
{
	while (load->opened < load->n) {
		while (load->begun < load->n && load->begun - load->opened < at_once)
			client_begin(load, &load->connections[load->begun]);
		client_expect(load, "a handshake");
	}
}

void client_close(struct load *load, int at_once)
{
	int begun = 0;

	for (int i = 0; i < load->n; i++)
		if (load->connections[i].compares)
			stop_comparing(load, &load->connections[i]);
	while (load->gone < load->n) {
		while (begun < load->n && begun - load->gone < at_once)
			client_close_one(load, &load->connections[begun++]);
		client_expect(load, "the end of a connection");
	}
}

void client_settle(struct load *load)
{
	while (client_turn(load, QUIET))
		;
}

void client_compare(struct load *load)
{
	load->parsed = load->bytes = 0;
	if (load->inflater)
		inflater_reset(load->inflater);
	if (load->options.parse)
		return;
	load->reference = reference_create(load->inflater);
	load->comparing = (uint64_t)load->n;
	for (int i = 0; i < load->n; i++) {
		if (load->connections[i].frames.held_size)
			die("half a frame, and no end of it");
		load->connections[i].compares = true;
	}
}

void client_set_low_water(struct load *load, int bytes)
{
	for (int i = 0; i < load->n; i++) {
		const struct connection *connection = &load->connections[i];

		if (connection->sender < 0 &&
		    setsockopt(connection->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes)) < 0)
			die("SO_RCVLOWAT: %s", strerror(errno));
	}
}

uint64_t client_deliveries(const struct load *load)
{
	uint64_t compared = 0;

	if (load->comparing)
		compared = load->comparing * reference_messages(load->reference);
	return load->parsed + compared;
}

bool client_is_done(const struct load *load)
{
	uint64_t parsing = (uint64_t)load->n - load->comparing;

	if (load->parsed != parsing * load->sent)
		return false;
	return !load->comparing ||
	       (reference_messages(load->reference) == load->sent &&
		load->compared == load->comparing * reference_head(load->reference));
}

void client_send(struct load *load, struct connection *connection, int count)
{
	size_t size = 0;

	for (int i = 0; i < count; i++) {
		struct mark mark = {connection->sender, connection->sent++};

		size += messages_put(load->messages, mark, load->output + size);
		if (size >= OUTPUT_SIZE) {
			socket_send(connection->fd, load->output, size);
			size = 0;
		}
	}
	load->sent += (uint64_t)count;
	connection->sent_at = now();
	if (size)
		socket_send(connection->fd, load->output, size);
}
