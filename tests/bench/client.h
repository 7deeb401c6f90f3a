#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frames.h"
#include "message.h"
#include "reference.h"
#include "report.h"

struct options {
	const char *host;
	const char *path;
	const char *server_pid;
	int port;
	int members;
	int at_once; /* handshakes */
	int publishers;
	int in_flight;
	int messages; /* of each publisher; 0: as many as there is time for */
	int size;     /* bytes of a message */
	int rate;     /* messages a second */
	int echo_beside;
	int asleep;	/* milliseconds after each message (single) */
	double seconds; /* 0: as long as the messages take */
	bool deflate;
	bool parse;
	bool clean;
};

enum connection_state {
	CONNECTION_HANDSHAKE,
	CONNECTION_OPEN,
	CONNECTION_CLOSING, /* our close frame is sent */
	CONNECTION_CLOSED,  /* the server's has come as well */
	CONNECTION_GONE,
};

struct connection {
	int fd;
	enum connection_state state;
	int sender;    /* its number among those that send; -1: it only listens */
	bool compares; /* with the reference; else its bytes are taken apart by themselves */
	uint32_t sent;
	uint32_t returned;
	uint64_t sent_at;  /* the newest */
	uint64_t position; /* in the reference: bytes, and frames if somebody counts them */
	uint64_t frame;
	struct frames frames;
	uint32_t expected[SENDERS_MAX]; /* the next number of each sender */
};

/* All connections, and what a mode wants to hear of them. */
struct load {
	struct options options;
	struct connection *connections;
	int n;
	int begun; /* how many ever, as are the next */
	int opened;
	int gone;
	int epoll;
	char *buffer; /* shared by all reads */
	char *output; /* and by all writes */
	struct messages *messages;
	struct inflater *inflater;
	struct reference *reference; /* NULL: nobody compares */
	uint64_t comparing;	     /* connections */
	uint64_t compared;	     /* bytes of all of them */
	uint64_t parsed;	     /* messages of the others */
	uint64_t bytes;		     /* received */
	uint64_t sent;		     /* messages */
	uint64_t returned;	     /* and those that came back to who sent them */
	uint64_t read_at;	     /* when the newest came */
	uint64_t stamped_at;	     /* when the newest byte had come, by the kernel's wall clock */
	struct stopwatch watch;
	struct histogram latency;
	bool echo; /* a message comes back to its sender only */
	bool each; /* heard() is to be called for each member, not just for senders */

	/* What a mode wants to hear of; each may be NULL. A message has come to a connection. */
	void (*heard)(struct load *load, struct connection *connection, struct mark mark);
	/* All that one read has brought was heard of. */
	void (*received)(struct load *load, struct connection *connection);
	/* Its handshake is through; it has gone after both sides had sent a close frame. */
	void (*on_open)(struct load *load, struct connection *connection);
	void (*on_gone)(struct load *load, struct connection *connection);
};

void client_init(struct load *load, const struct options *options);

/* Prepares so many connections, without opening them. */
void client_allocate(struct load *load, int n);

/* Opens all, so many at once, and waits for them. */
void client_open(struct load *load, int at_once);

/* Closes all with a close frame, so many at once, and waits until the server has agreed and gone. */
void client_close(struct load *load, int at_once);

/* Begins to open or close just one. The server must take it into its backlog at once. */
void client_begin(struct load *load, struct connection *connection);
void client_close_one(struct load *load, struct connection *connection);

/* Leaves without a close frame. */
void client_drop(struct load *load, struct connection *connection);

/* Takes in whatever is on its way, such as the notices of who joined, until it is quiet. */
void client_settle(struct load *load);

/* From here on members are expected to receive one and the same stream. */
void client_compare(struct load *load);

/* Members that only listen are not to be read from before so many bytes have come. */
void client_set_low_water(struct load *load, int bytes);

/* Messages received by all members since then, and whether each has had all that were sent. */
uint64_t client_deliveries(const struct load *load);
bool client_is_done(const struct load *load);

/* Sends so many messages at once. */
void client_send(struct load *load, struct connection *connection, int count);

/* Waits for events and handles them; returns false when none came for so many nanoseconds. */
bool client_turn(struct load *load, uint64_t timeout);

/* The same for what must come: dies when nothing does for 10 seconds. */
void client_expect(struct load *load, const char *what);
