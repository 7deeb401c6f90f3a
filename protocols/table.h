#pragma once

#include <libwebsockets.h>

/* Every WebSocket endpoint there is, ended by NULL. */
extern const struct lws_protocols *const protocol_table[];

/* The rows, from the file of each endpoint. */
extern const struct lws_protocols chat_protocol;
extern const struct lws_protocols digits_protocol;
extern const struct lws_protocols echo_protocol;
extern const struct lws_protocols greet_protocol;
extern const struct lws_protocols hello_protocol;
extern const struct lws_protocols hello_ws_protocol;
extern const struct lws_protocols letters_protocol;
