#include "protocols/table.h"

#include <stddef.h>

/* One line each. */
/* clang-format off */
const struct lws_protocols *const protocol_table[] = {
	&chat_protocol,
	&digits_protocol,
	&echo_protocol,
	&greet_protocol,
	&hello_protocol,
	&hello_ws_protocol,
	&letters_protocol,
	NULL,
};
/* clang-format on */
