#include "fuzz.h"

#include "bans.h"
#include "config.h"
#include "mount/table.h"
#include "protocols/table.h"
#include "flusher.h"
#include "server.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The whole way of bytes from strangers: servers with every endpoint, and for
 * each input one connection that sends it, takes what comes back and ends.
 *
 * The first byte chooses what is sent in front of the input, so that not every
 * handshake has to be guessed, and the second one into pieces of which size the
 * input is cut.
 */

#define HANDSHAKE(path, more)                                                                      \
	"GET " path " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"        \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" more "\r\n"

#define V1 "Sec-WebSocket-Protocol: switchboard.chat.v1\r\n"

#define SECRET "0123456789abcdef0123456789abcdef"

/* Of ann, who may do everything until the year 2100. */
#define TOKEN                                                                                      \
	"eyJhbGciOiJIUzI1NiJ9."                                                                    \
	"eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsInJpZ2h0cyI6WyJyZWFkIiwid3JpdGUiLCJtb2Rl"         \
	"cmF0ZSJdfQ."                                                                              \
	"Rmk0p5_MnY4ZDzugVQDkmcw3FFzmE9GDQ0tjRIpGLGw"

#define BEARER "Authorization: Bearer " TOKEN "\r\n"

#define JSON "Host: x\r\nContent-Type: application/json\r\n"

#define DEFLATE "Sec-WebSocket-Extensions: permessage-deflate\r\n"

static const char *const preambles[] = {
	"",
	"GET /",
	"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n",
	HANDSHAKE("/echo", ""),
	HANDSHAKE("/echo", DEFLATE),
	HANDSHAKE("/chat?username=ann", ""),
	HANDSHAKE("/chat?username=ann&room=a", DEFLATE),
	HANDSHAKE("/hello", ""),
	"GET /api/rooms/lobby/messages?",
	"DELETE /api/rooms/lobby/",
	"POST /api/rooms/lobby/bans HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n",
	"POST /api/tickets HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nCookie: token=",
	/* To the server that wants to know who it is. */
	HANDSHAKE("/chat?room=a", V1 BEARER),
	HANDSHAKE("/chat?room=a", "Cookie: session=" TOKEN "\r\n"),
	"GET /chat?ticket=",
	"GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nAuthorization: Bearer ",
	"GET /api/rooms/a/bans HTTP/1.1\r\nHost: x\r\nCookie: session=",
	"POST /api/rooms/a/bans HTTP/1.1\r\n" BEARER JSON,
	"POST /api/rooms/a/messages HTTP/1.1\r\n" BEARER JSON,
	"POST /api/tickets HTTP/1.1\r\n" BEARER JSON "Content-Length: 2\r\n\r\n{}",
};

#define FIRST_WITH_AUTH 12

#define N_PREAMBLES (sizeof(preambles) / sizeof(preambles[0]))

/* In more pieces long inputs would take too long. */
#define PIECES_MAX 16

/* Turns of the loop without a byte from the server, after which it has nothing more to say. */
#define QUIET_TURNS 3

/* Turns after which a connection whose client is gone must be gone, too. */
#define CLOSING_TURNS 100

/* Far more than the server's own; one more for each input would mean that connections are left behind. */
#define DESCRIPTORS_MAX 64

/* One takes names as they are given, the other one from tokens. */
static struct server *servers[2];
static struct server *server; /* the one that an input is for */
static struct service *service;

/* As main() does: those of the mounts come first. */
static const struct lws_protocols **join_tables(void)
{
	static const struct lws_protocols *all[64];
	size_t n = 0;

	for (size_t i = 0; mount_protocols[i]; i++)
		all[n++] = mount_protocols[i];
	for (size_t i = 0; protocol_table[i]; i++)
		all[n++] = protocol_table[i];
	require(n < 64);
	return all;
}

/* With limits so small that they are met, and a history that doesn't grow with the inputs. */
#define SMALL                                                                                      \
	"{\"listen\": [{\"address\": \"127.0.0.1\", \"port\": 0}],"                                \
	" \"threads\": 1, \"limits\": {\"max_payload\": 1000, \"header_bytes\": 2048},"            \
	" \"chat\": {\"history\": 4}, \"www\": \"" FUZZ_WWW "\""

#define KEYS "[{\"algorithm\": \"HS256\", \"secret\": \"" SECRET "\"}]"

static const char *const configurations[] = {
	SMALL "}",
	SMALL ", \"auth\": {\"keys\": " KEYS ", \"cookie\": \"session\"}}",
};

/* The first turns of the loop set the protocols up; no connection comes before that. */
static bool is_prepared(void)
{
	const struct lws_protocols *chat = lws_vhost_name_to_protocol(service->vhost, "chat");

	require(chat);
	return lws_protocol_vh_priv_get(service->vhost, chat) != NULL;
}

static void choose(struct server *chosen)
{
	server = chosen;
	service = &server->services[0];
	flusher_enter(service->flusher);
}

/* What one input has forbidden the next one may do. */
static void forget_bans(void)
{
	bans_destroy(server->bans);
	require(!bans_create(&server->bans, 100));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct config configs[2];
	struct config_error error;

	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	for (size_t i = 0; i < 2; i++) {
		const char *text = configurations[i];

		require(!config_init(&configs[i]));
		require(!config_parse(&configs[i], "fuzz", text, strlen(text), &error));
		require(!server_create(&servers[i], &configs[i], join_tables(), mount_table));
		choose(servers[i]);
		while (!is_prepared())
			ev_run(service->loop, EVRUN_NOWAIT);
	}
	return 0;
}

static void turn(void)
{
	flusher_run(service->flusher, 0);
	ev_run(service->loop, EVRUN_NOWAIT);
}

/* Returns whether anything came: bytes, or the end. */
static bool drain(int fd)
{
	static char bytes[65536];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	return n > 0;
}

static void serve(int fd)
{
	for (int quiet = 0; quiet < QUIET_TURNS; quiet++) {
		turn();
		if (drain(fd))
			quiet = 0;
	}
}

/* What the server no longer takes is lost, as it is on a network. */
static void send_all(int fd, const void *bytes, size_t size)
{
	const char *p = bytes;

	for (int stuck = 0; size && stuck < QUIET_TURNS; stuck++) {
		ssize_t n = send(fd, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return;
		if (n > 0) {
			p += n;
			size -= (size_t)n;
			stuck = 0;
		}
		turn();
		drain(fd);
	}
}

static void send_in_pieces(int fd, const uint8_t *data, size_t size, size_t piece)
{
	if (!piece)
		piece = size;
	if (piece < size / PIECES_MAX)
		piece = size / PIECES_MAX;
	while (size) {
		size_t n = piece < size ? piece : size;

		send_all(fd, data, n);
		data += n;
		size -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *preamble;
	int fds[2];

	if (size < 2)
		return -1;
	require(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
	require(fds[0] < DESCRIPTORS_MAX);
	choose(servers[data[0] % N_PREAMBLES >= FIRST_WITH_AUTH]);
	require(lws_adopt_socket_vhost(service->vhost, fds[1]));
	preamble = preambles[data[0] % N_PREAMBLES];
	send_all(fds[0], preamble, strlen(preamble));
	send_in_pieces(fds[0], data + 2, size - 2, data[1]);
	serve(fds[0]);
	close(fds[0]);
	turn();
	for (int i = 0; service->sessions.count && i < CLOSING_TURNS; i++)
		turn();
	require(!service->sessions.count && !server->connections.used);
	forget_bans();
	return 0;
}
