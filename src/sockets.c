#include "sockets.h"

#include "log.h"
#include "metrics.h"
#include "server.h"

#include <fcntl.h>
#include <lws-idle.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOG_MODULE "sockets"

/* Descriptors that no connection gets: so many, and one in thirty-two of all that there may be. */
#define RESERVE 16
#define RESERVE_SHARE 32

/* However little the system allows, so many connections are tried. */
#define LEAST 8

/* Idle connections that are closed in one go, at most. */
#define BATCH 64

/* So long everybody may take for the first request. */
#define GRACE_MICROSECONDS 1000000

/* Where nobody was idle, nobody is for so long: looking for them takes its time. */
#define FUTILE_SECONDS 0.1

/* The lowest free descriptor: about as many are open. */
static unsigned count_open(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	close(fd);
	return (unsigned)fd;
}

static unsigned count_usable(void)
{
	struct rlimit limit;
	unsigned all, taken;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return LEAST;
	all = limit.rlim_cur > 1u << 30 ? 1u << 30 : (unsigned)limit.rlim_cur;
	taken = count_open() + RESERVE + all / RESERVE_SHARE;
	if (all >= taken + LEAST)
		return all - taken;
	log_warning(
		"only %u files may be open, of which %u are needed for other things than connections",
		all, taken);
	return LEAST;
}

void sockets_init(struct sockets *sockets, struct metrics *metrics)
{
	*sockets = (struct sockets){.quota.max = count_usable()};
	for (size_t i = 0; i < SOCKETS_LINGERING; i++)
		sockets->lingering[i] = -1;
	metrics_server(metrics)->sockets_max = sockets->quota.max;
}

static void close_lingering(struct sockets *sockets, unsigned i)
{
	if (sockets->lingering[i] >= 0)
		close(sockets->lingering[i]);
	sockets->lingering[i] = -1;
}

void sockets_finish(struct sockets *sockets)
{
	if (!sockets->quota.max)
		return;
	for (unsigned i = 0; i < SOCKETS_LINGERING; i++)
		close_lingering(sockets, i);
}

void sockets_make_room(struct sockets *sockets, struct service *service)
{
	size_t batch = sockets->quota.max / 16 + 1;
	double now = service_now(service);

	if (!sockets_are_scarce(sockets) || now < service->nobody_idle_until)
		return;
	if (!lws_close_longest_idle(service->context, batch < BATCH ? batch : BATCH,
				    GRACE_MICROSECONDS))
		service->nobody_idle_until = now + FUTILE_SECONDS;
}

void sockets_note(struct lws *wsi, enum lws_callback_reasons reason)
{
	struct service *service = service_of(wsi);
	struct sockets *sockets = &service->server->sockets;

	if (reason == LWS_CALLBACK_WSI_CREATE) {
		quota_charge(&sockets->quota);
		sockets->open++;
		metrics_server(service->metrics)->sockets++;
	} else {
		service_let_go(wsi);
		quota_release(&sockets->quota);
		sockets->open--;
		metrics_server(service->metrics)->sockets--;
		server_connection_closed(service->server);
	}
}

/* Closed with something unread, it would be reset, and its peer might not hear the answer. */
static void linger(struct sockets *sockets, int fd)
{
	char unread[4096];

	(void)!recv(fd, unread, sizeof(unread), MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	close_lingering(sockets, sockets->next);
	sockets->lingering[sockets->next] = fd;
	sockets->next = (sockets->next + 1) % SOCKETS_LINGERING;
}

void sockets_refuse(struct sockets *sockets, struct metrics *metrics, int fd, bool plain)
{
	static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\n"
				     "Connection: close\r\n"
				     "Content-Type: text/plain; charset=utf-8\r\n"
				     "Content-Length: 21\r\n"
				     "Retry-After: 1\r\n\r\n"
				     "Too many connections\n";

	sockets->refused++;
	metrics_server(metrics)->sockets_refused++;
	if (plain && send(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		linger(sockets, fd);
	else
		close(fd);
}

void sockets_report(struct sockets *sockets)
{
	if (sockets->refused)
		log_warning("%u connections refused: %u of %u descriptors in use", sockets->refused,
			    sockets->quota.used, sockets->quota.max);
	sockets->refused = 0;
	for (unsigned i = 0; i < SOCKETS_LINGERING; i++)
		close_lingering(sockets, i);
}
