#pragma once

#include <stddef.h>

#include "client.h"

/* Sends all of it, however long that takes. */
void socket_send(int fd, const char *data, size_t size);

/* Returns a nonblocking socket. */
int handshake_connect(const struct options *options);

/* Has the kernel say when bytes came. */
void handshake_stamp(int fd);

/* Asks for the WebSocket of client number i. */
void handshake_ask(const struct options *options, int fd, int i);

/* Dies of a wrong answer. Returns how many of the received bytes it has, 0: not all have come. */
size_t handshake_check(const struct options *options, const char *received, size_t size);
