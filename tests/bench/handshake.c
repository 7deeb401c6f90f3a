#include "handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "report.h"

#define ANSWER_MAX 4096

/* RFC 6455 section 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

void socket_send(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd full = {.fd = fd, .events = POLLOUT};

			if (poll(&full, 1, 10000) == 0)
				die("the server doesn't read for 10 seconds");
			continue;
		}
		if (n < 0)
			die("send: %s", strerror(errno));
		data += n;
		size -= (size_t)n;
	}
}

int handshake_connect(const struct options *options)
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
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

void handshake_stamp(int fd)
{
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		die("SO_TIMESTAMPNS: %s", strerror(errno));
}

void handshake_ask(const struct options *options, int fd, int i)
{
	char request[1024];
	int n = snprintf(request, sizeof(request),
			 "GET %s%susername=u%d HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
			 "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
			 "Sec-WebSocket-Version: 13\r\n%s\r\n",
			 options->path, strchr(options->path, '?') ? "&" : "?", i, options->host,
			 options->port,
			 options->deflate ? "Sec-WebSocket-Extensions: permessage-deflate; "
					    "client_no_context_takeover; "
					    "server_no_context_takeover\r\n"
					  : "");

	if (n >= (int)sizeof(request))
		die("a shorter path, please");
	socket_send(fd, request, (size_t)n);
}

static void check_answer(const struct options *options, const char *answer)
{
	const char *extensions = strcasestr(answer, "\r\nSec-WebSocket-Extensions:");

	if (strncmp(answer, "HTTP/1.1 101", 12) != 0)
		die("refused: %s", answer);
	if (!strstr(answer, ACCEPT))
		die("a wrong Sec-WebSocket-Accept: %s", answer);
	if (options->deflate && (!extensions || !strstr(extensions, "permessage-deflate")))
		die("the server doesn't compress");
	if (options->deflate && !strstr(extensions, "server_no_context_takeover"))
		die("the server keeps a context for each connection");
}

size_t handshake_check(const struct options *options, const char *received, size_t size)
{
	const char *end = memmem(received, size, "\r\n\r\n", 4);
	char answer[ANSWER_MAX + 1];
	size_t header;

	if (!end && size <= ANSWER_MAX)
		return 0;
	header = end ? (size_t)(end - received) + 4 : size;
	if (header > ANSWER_MAX)
		die("an answer of more than %d bytes", ANSWER_MAX);
	*(char *)mempcpy(answer, received, header) = '\0';
	check_answer(options, answer);
	return header;
}
