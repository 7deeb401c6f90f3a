#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 6455 section 5.2. */
enum opcode {
	OPCODE_CONTINUATION = 0x0,
	OPCODE_TEXT = 0x1,
	OPCODE_CLOSE = 0x8,
	OPCODE_PING = 0x9,
	OPCODE_PONG = 0xa,
};

/* The most bytes that a header of ours takes. */
#define FRAME_HEADER_MAX 14

/* What one thread needs to inflate messages, none of which refers to one before it (RFC 7692). */
struct inflater;

struct inflater *inflater_create(void);

/* Messages, and those of them that were compressed, since it was created or reset. */
void inflater_reset(struct inflater *inflater);
double inflater_share(const struct inflater *inflater);

/* The bytes of one connection, taken apart into messages. Begins as all zeroes but for its inflater. */
struct frames {
	struct inflater *inflater; /* NULL: nothing may be compressed */
	uint64_t taken;		   /* bytes of whole frames, with the one that is being handled */
	char *held;		   /* a frame of which not all has come */
	size_t held_size;
	char *message; /* a message of which not all frames have come */
	size_t message_size;
	bool compressed; /* of that message */
};

/*
 * Is called for each whole message, inflated, and each control frame. For a
 * frame that ends no message opcode is OPCODE_CONTINUATION. The payload is good
 * until it returns.
 */
typedef void frames_handler(void *context, enum opcode opcode, const char *payload, size_t size);

/* Takes what was received; dies of what a server must not send. */
void frames_take(struct frames *frames, const char *data, size_t size, frames_handler *handler,
		 void *context);

/* Begins with bytes of a frame that came elsewhere. */
void frames_hold(struct frames *frames, const char *data, size_t size);
void frames_finish(struct frames *frames);

/* Of a close frame; 1005 when it has none (RFC 6455 section 7.1.5). */
unsigned frame_close_code(const char *payload, size_t size);

/* Writes the header of a client's whole frame, with a mask of zeroes; returns its size. */
size_t frame_put_header(char *to, enum opcode opcode, size_t size);
