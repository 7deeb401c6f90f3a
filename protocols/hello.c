#include "http.h"
#include "http-request.h"
#include "protocols/table.h"
#include "session.h"

#include <string.h>

/*
 * /hello answers HTTP and WebSocket alike; /hello-ws is the same without the
 * HTTP side.
 */
struct hello {
	struct session session;
};

static int greet(struct session *session, const struct message *message)
{
	static const char greeting[] = "Hello libwebsockets WebSockets";

	return session_send(session, greeting, strlen(greeting), false);
}

static int answer_http(struct lws *wsi)
{
	static const char body[] = "{\"message\":\"Hello libwebsockets\"}";

	if (!http_is_get_or_head(wsi))
		return http_reply_not_allowed(wsi, "GET, HEAD");
	return http_reply(wsi, &(struct http_reply){
				       .status = 200,
				       .type = "application/json",
				       .headers = "Cache-Control: no-store\r\n",
				       .body = body,
				       .size = strlen(body),
			       });
}

static int hello_ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
			     void *in, size_t size)
{
	struct hello *hello = user;

	switch (reason) {
	case LWS_CALLBACK_RECEIVE:
		return session_receive(&hello->session, in, size, greet);
	default:
		return session_callback(wsi, reason, user, in, size);
	}
}

static int hello_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
			  size_t size)
{
	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return answer_http(wsi);
	default:
		return hello_ws_callback(wsi, reason, user, in, size);
	}
}

static struct endpoint hello_endpoint = {.path = "/hello", .websocket = true, .open = true};
static struct endpoint hello_ws_endpoint = {.path = "/hello-ws", .websocket = true, .open = true};

const struct lws_protocols hello_protocol = {
	.name = "hello",
	.callback = hello_callback,
	.per_session_data_size = sizeof(struct hello),
	.rx_buffer_size = SESSION_RX_BUFFER,
	.tx_packet_size = SESSION_TX_PACKET,
	.user = &hello_endpoint,
};

const struct lws_protocols hello_ws_protocol = {
	.name = "hello-ws",
	.callback = hello_ws_callback,
	.per_session_data_size = sizeof(struct hello),
	.rx_buffer_size = SESSION_RX_BUFFER,
	.tx_packet_size = SESSION_TX_PACKET,
	.user = &hello_ws_endpoint,
};
