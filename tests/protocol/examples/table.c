#include "protocols/table.h"

#include <stddef.h>

extern const struct lws_protocols shout_protocol;

const struct lws_protocols *const protocol_table[] = {
	&chat_protocol, &echo_protocol, &greet_protocol, &shout_protocol, NULL,
};
