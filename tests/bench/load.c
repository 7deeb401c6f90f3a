/*
 * A load client for WebSocket servers: one thread, epoll, nothing but libc, so
 * that it can keep up with any server on a core of its own.
 *
 * Every message that it sends carries a mark, #SENDER:NUMBER:, and every one
 * that it receives is checked: a message that is lost, doubled or out of its
 * sender's order ends the run with an error. Figures of a run that lost
 * something are no figures.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_SIZE (256 * 1024)
#define SENDERS_MAX 64

struct options {
	const char *host;
	const char *path;
	int port;
	int members;
	int publishers;
	int in_flight;
	int messages; /* of each publisher */
	int size;
	double seconds;
};

struct connection {
	int fd;
	int sender; /* its number among those that send; -1: it only listens */
	uint32_t sent;
	uint32_t returned;
	uint32_t expected[SENDERS_MAX]; /* the next number of each sender */
	uint64_t received;
	char *partial; /* a frame of which not all has come */
	size_t partial_size;
};

struct load {
	struct options options;
	struct connection *connections;
	int n;
	int epoll;
	uint64_t deliveries;
	uint64_t bytes;
	char *buffer; /* shared by all reads */
	bool echo;
};

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void send_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			usleep(50);
			continue;
		}
		if (n < 0)
			die("send: %s", strerror(errno));
		p += n;
		size -= (size_t)n;
	}
}

static int open_socket(const struct options *options)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)options->port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (inet_pton(AF_INET, options->host, &address.sin_addr) != 1)
		die("%s: expected an IPv4 address", options->host);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void request_upgrade(const struct options *options, int fd, int i)
{
	char request[512];
	int n = snprintf(request, sizeof(request),
			 "GET %s%susername=u%d HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
			 "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			 "Sec-WebSocket-Version: 13\r\n\r\n",
			 options->path, strchr(options->path, '?') ? "&" : "?", i, options->host,
			 options->port);

	send_all(fd, request, (size_t)n);
}

/* Reads no further than the end of the answer: frames may follow at once. */
static void expect_upgrade(int fd)
{
	char answer[1024];
	size_t size = 0;

	while (size < 4 || memcmp(answer + size - 4, "\r\n\r\n", 4)) {
		if (size == sizeof(answer) || recv(fd, answer + size, 1, 0) != 1)
			die("no handshake: %.*s", (int)size, answer);
		size++;
	}
	if (strncmp(answer, "HTTP/1.1 101", 12))
		die("refused: %.*s", (int)size, answer);
}

static void watch(struct load *load, int i)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
	int fd = load->connections[i].fd;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl: %s", strerror(errno));
}

static void connect_all(struct load *load, int n)
{
	load->n = n;
	load->connections = calloc((size_t)n, sizeof(struct connection));
	load->buffer = malloc(BUFFER_SIZE);
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!load->connections || !load->buffer || load->epoll < 0)
		die("out of memory");
	for (int i = 0; i < n; i++) {
		load->connections[i].fd = open_socket(&load->options);
		load->connections[i].sender = -1;
		request_upgrade(&load->options, load->connections[i].fd, i);
		expect_upgrade(load->connections[i].fd);
		watch(load, i);
	}
}

static size_t put_header(unsigned char *p, size_t size)
{
	static const unsigned char mask[4]; /* of zeroes: as good as any for a test */
	size_t n = 2;

	p[0] = 0x81;
	if (size < 126) {
		p[1] = (unsigned char)(0x80 | size);
	} else {
		p[1] = 0x80 | 126;
		p[2] = (unsigned char)(size >> 8);
		p[3] = (unsigned char)size;
		n = 4;
	}
	memcpy(p + n, mask, 4);
	return n + 4;
}

static void send_message(const struct load *load, struct connection *connection)
{
	const struct options *options = &load->options;
	unsigned char frame[70000];
	char text[66000];
	int n = 0;
	size_t header;

	if (!load->echo)
		n = sprintf(text, "{\"message\":\"");
	n += sprintf(text + n, "#%d:%u:", connection->sender, connection->sent++);
	while (n < options->size - (load->echo ? 0 : 2))
		text[n++] = 'x';
	if (!load->echo)
		n += sprintf(text + n, "\"}");
	header = put_header(frame, (size_t)n);
	memcpy(frame + header, text, (size_t)n);
	send_all(connection->fd, frame, header + (size_t)n);
}

static const char *parse_number(const char *p, uint32_t *number)
{
	*number = 0;
	while (*p >= '0' && *p <= '9')
		*number = *number * 10 + (uint32_t)(*p++ - '0');
	return p;
}

/* Returns whether the message was one of the connection's own. */
static bool check_message(struct load *load, struct connection *connection, const char *payload,
			  size_t size)
{
	const char *mark = memchr(payload, '#', size);
	uint32_t sender, number;

	if (!mark)
		return false; /* a notice */
	mark = parse_number(mark + 1, &sender);
	parse_number(mark + 1, &number);
	if (sender >= SENDERS_MAX && !load->echo)
		die("a mark of no sender: %.*s", (int)size, payload);
	if (load->echo) {
		if (number != connection->returned)
			die("echo %u came where %u was due", number, connection->returned);
	} else if (number != connection->expected[sender]++) {
		die("message %u of sender %u came where %u was due", number, sender,
		    connection->expected[sender] - 1);
	}
	connection->received++;
	load->deliveries++;
	if ((int)sender != connection->sender)
		return false;
	connection->returned++;
	return true;
}

/* Goes through the whole frames in data; returns how much of it they were. */
static size_t walk_frames(struct load *load, struct connection *connection, const char *data,
			  size_t size, int *own)
{
	const unsigned char *start = (const unsigned char *)data;
	const unsigned char *p = start, *end = start + size;

	while (end - p >= 2) {
		size_t length = p[1] & 0x7f, header = 2;

		if (length == 126) {
			header = 4;
			if (end - p < 4)
				break;
			length = (size_t)p[2] << 8 | p[3];
		} else if (length == 127) {
			header = 10;
			if (end - p < 10)
				break;
			length = (size_t)p[6] << 24 | (size_t)p[7] << 16 | (size_t)p[8] << 8 | p[9];
		}
		if ((size_t)(end - p) < header + length)
			break;
		if ((p[0] & 0x0f) == 8)
			die("closed with %u",
			    length >= 2 ? (unsigned)p[header] << 8 | p[header + 1] : 1005);
		if ((p[0] & 0x0f) <= 2)
			*own += check_message(load, connection, (const char *)p + header, length);
		p += header + length;
	}
	return (size_t)(p - start);
}

static void keep_partial(struct connection *connection, const char *data, size_t size)
{
	if (size && !connection->partial)
		connection->partial = malloc(BUFFER_SIZE);
	if (size > BUFFER_SIZE / 2 || (size && !connection->partial))
		die("a frame of more than %d bytes", BUFFER_SIZE / 2);
	if (size)
		memmove(connection->partial, data, size);
	connection->partial_size = size;
}

/* One read: returns how many of the connection's own messages came back. */
static int receive(struct load *load, struct connection *connection)
{
	size_t kept = connection->partial_size;
	ssize_t n;
	size_t used;
	int own = 0;

	if (kept)
		memcpy(load->buffer, connection->partial, kept);
	n = recv(connection->fd, load->buffer + kept, BUFFER_SIZE - kept, 0);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		die("the server closed a connection: %s", n ? strerror(errno) : "end of file");
	load->bytes += (uint64_t)n;
	used = walk_frames(load, connection, load->buffer, kept + (size_t)n, &own);
	keep_partial(connection, load->buffer + used, kept + (size_t)n - used);
	return own;
}

static int wait_events(const struct load *load, struct epoll_event *events, int max, int timeout)
{
	int n = epoll_wait(load->epoll, events, max, timeout);

	if (n < 0 && errno != EINTR)
		die("epoll_wait: %s", strerror(errno));
	return n;
}

/* Takes in whatever is on its way, such as the notices of who joined, until it is quiet. */
static void settle(struct load *load)
{
	struct epoll_event events[256];
	int n;

	while ((n = wait_events(load, events, 256, 300)) > 0)
		for (int i = 0; i < n; i++)
			receive(load, &load->connections[events[i].data.u32]);
}

static void send_next(struct load *load, struct connection *connection)
{
	if ((int)connection->sent < load->options.messages)
		send_message(load, connection);
}

/* Bursts: each publisher has so many messages in flight until all are through. */
static void run_fanout(struct load *load)
{
	const struct options *o = &load->options;
	uint64_t due = (uint64_t)o->members * (uint64_t)o->publishers * (uint64_t)o->messages;
	struct epoll_event events[256];
	double start, elapsed;

	if (o->publishers > o->members || o->publishers > SENDERS_MAX)
		die("at most %d publishers, and no more than members", SENDERS_MAX);
	connect_all(load, o->members);
	settle(load);
	for (int i = 0; i < o->publishers; i++)
		load->connections[i].sender = i;
	start = now();
	for (int i = 0; i < o->publishers; i++)
		for (int k = 0; k < o->in_flight; k++)
			send_next(load, &load->connections[i]);
	while (load->deliveries < due) {
		int n = wait_events(load, events, 256, 10000);

		if (!n)
			die("lost: %llu of %llu deliveries came",
			    (unsigned long long)load->deliveries, (unsigned long long)due);
		for (int i = 0; i < n; i++) {
			struct connection *connection = &load->connections[events[i].data.u32];

			for (int own = receive(load, connection); own > 0; own--)
				send_next(load, connection);
		}
	}
	elapsed = now() - start;
	printf("{\"mode\":\"fanout\",\"members\":%d,\"messages\":%d,\"deliveries\":%llu,"
	       "\"seconds\":%.3f,\"deliveries_per_second\":%.0f}\n",
	       o->members, o->publishers * o->messages, (unsigned long long)load->deliveries,
	       elapsed, (double)load->deliveries / elapsed);
}

/* Each connection has one message on its way. */
static void run_echo(struct load *load)
{
	const struct options *o = &load->options;
	struct epoll_event events[256];
	double start, elapsed;

	load->echo = true;
	connect_all(load, o->members);
	start = now();
	for (int i = 0; i < load->n; i++) {
		load->connections[i].sender = i;
		send_message(load, &load->connections[i]);
	}
	while (now() - start < o->seconds) {
		int n = wait_events(load, events, 256, 10000);

		if (!n)
			die("no echo for 10 seconds");
		for (int i = 0; i < n; i++) {
			struct connection *connection = &load->connections[events[i].data.u32];

			if (receive(load, connection))
				send_message(load, connection);
		}
	}
	elapsed = now() - start;
	printf("{\"mode\":\"echo\",\"connections\":%d,\"size\":%d,\"messages_per_second\":%.0f}\n",
	       o->members, o->size, (double)load->deliveries / elapsed);
}

/* Opens and closes connections one after another, as many as members. */
static void run_connect(struct load *load)
{
	const struct options *o = &load->options;
	double start = now();

	for (int i = 0; i < o->members; i++) {
		int fd = open_socket(o);

		request_upgrade(o, fd, i);
		expect_upgrade(fd);
		close(fd);
	}
	printf("{\"mode\":\"connect\",\"connections\":%d,\"connections_per_second\":%.0f}\n",
	       o->members, o->members / (now() - start));
}

/* Holds connections open, and says when they are, until its input ends. */
static void run_idle(struct load *load)
{
	connect_all(load, load->options.members);
	settle(load);
	printf("{\"mode\":\"idle\",\"connections\":%d}\n", load->n);
	fflush(stdout);
	while (getchar() != EOF)
		;
}

static const struct {
	const char *name;
	void (*run)(struct load *load);
} modes[] = {
	{"fanout", run_fanout},
	{"echo", run_echo},
	{"connect", run_connect},
	{"idle", run_idle},
};

static void usage(void)
{
	fputs("usage: load fanout|echo|connect|idle [--host ADDR] [--port N] [--path PATH]\n"
	      "            [--members N] [--publishers N] [--in-flight N] [--messages N]\n"
	      "            [--size BYTES] [--seconds S]\n",
	      stderr);
	exit(2);
}

static void parse_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{"host", required_argument, NULL, 'h'},
		{"port", required_argument, NULL, 'p'},
		{"path", required_argument, NULL, 'P'},
		{"members", required_argument, NULL, 'm'},
		{"publishers", required_argument, NULL, 'b'},
		{"in-flight", required_argument, NULL, 'f'},
		{"messages", required_argument, NULL, 'n'},
		{"size", required_argument, NULL, 's'},
		{"seconds", required_argument, NULL, 't'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		int *numbers[] = {
			['p'] = &o->port,      ['m'] = &o->members,  ['b'] = &o->publishers,
			['f'] = &o->in_flight, ['n'] = &o->messages, ['s'] = &o->size};

		if (c == '?')
			usage();
		else if (c == 'h')
			o->host = optarg;
		else if (c == 'P')
			o->path = optarg;
		else if (c == 't')
			o->seconds = atof(optarg);
		else
			*numbers[c] = atoi(optarg);
	}
}

int main(int argc, char **argv)
{
	struct load load = {
		.options = {.host = "127.0.0.1",
			    .path = "/chat",
			    .port = 3000,
			    .members = 1000,
			    .publishers = 10,
			    .in_flight = 10,
			    .messages = 1000,
			    .size = 64,
			    .seconds = 5},
	};
	struct rlimit limit;

	if (argc < 2)
		usage();
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	parse_options(&load.options, argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name)) {
			modes[i].run(&load);
			return 0;
		}
	usage();
}
