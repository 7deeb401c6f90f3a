#include "log-output.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What no socket takes back: a part of a line is out, and its newline is not. */
static bool is_torn;

static bool send_line(const char *line, size_t size)
{
	ssize_t n;

	if (is_torn && send(STDERR_FILENO, "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		return false;
	is_torn = false;
	n = send(STDERR_FILENO, line, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	is_torn = n > 0 && (size_t)n < size;
	return n == (ssize_t)size;
}

bool log_output(const char *line, size_t size)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (send_line(line, size))
		return true;
	if (errno != ENOTSOCK)
		return false;
	is_torn = false;
	return poll(&out, 1, 0) == 1 && write(STDERR_FILENO, line, size) == (ssize_t)size;
}
