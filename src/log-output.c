#include "log-output.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What neither a socket nor a disk that fills up takes back: a part of a line is out, and its newline is not. */
static bool is_torn;

static ssize_t put_to_socket(const char *bytes, size_t size)
{
	return send(STDERR_FILENO, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t put_to_file(const char *bytes, size_t size)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&out, 1, 0) == 1 ? write(STDERR_FILENO, bytes, size) : -1;
}

static bool put_line(ssize_t (*put)(const char *, size_t), const char *line, size_t size)
{
	ssize_t n;

	if (is_torn && put("\n", 1) != 1)
		return false;
	is_torn = false;
	n = put(line, size);
	is_torn = n > 0 && (size_t)n < size;
	return n == (ssize_t)size;
}

bool log_output(const char *line, size_t size)
{
	if (put_line(put_to_socket, line, size))
		return true;
	return errno == ENOTSOCK && put_line(put_to_file, line, size);
}
