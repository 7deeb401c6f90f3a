#!/bin/bash
# curl: curl.sh ws://HOST:PORT. Its WebSockets where its version has them, else the handshake by hand; and plain HTTP.
set -u

base=$1
http=${base/#ws/http}
count=0
failed=0

# check NAME SEEN PATTERN
check() {
	count=$((count + 1))
	# shellcheck disable=SC2053 # it is a pattern
	if [[ $2 == $3 ]]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		echo "# ${2:0:300}" | tr '\r\n' '  '
		echo
		failed=1
	fi
}

ask() {
	curl -sS --max-time 20 "$@" 2>&1
}

status() {
	ask -o /dev/null -w '%{http_code}' "$@"
}

if curl --version | grep -q '^Protocols:.* ws'; then
	check 'digits over a WebSocket' "$(curl -sS -N --max-time 3 "$base/digits" 2>/dev/null)" '[1-9]*'
	check 'no name is refused' "$(curl -sS --max-time 5 "$base/chat" 2>&1)" '*403*'
fi
upgrade=(--http1.1 -N -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'
	-H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')
check 'a handshake by hand' "$(curl -sS -i --max-time 2 "${upgrade[@]}" "$http/digits" 2>/dev/null | tr -d '\0')" \
	$'HTTP/1.1 101 *s3pPLMBiTxaQ9kYGzzhZRbK+xOo=*'
check 'deflate is agreed on' "$(curl -sS -i --max-time 2 "${upgrade[@]}" -H 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits' \
	"$http/digits" 2>/dev/null | tr -d '\0')" '*permessage-deflate*'
check 'no name: 403' "$(status "${upgrade[@]}" "$http/chat")" 403

check 'GET' "$(ask "$http/hello")" '{"message":"Hello libwebsockets"}'
check 'HEAD' "$(ask -I "$http/hello")" 'HTTP/1.1 200*'
check 'HTTP/1.0' "$(status -0 "$http/hello")" 200
check 'two requests, one connection' "$(ask "$http/hello" "$http/hello" -o /dev/null -o /dev/null -w '%{num_connects}')" 10
check 'POST' "$(status -H 'Content-Type: application/json' -d '{"sender":"bot","message":"hi"}' "$http/api/rooms/curl/messages")" 201
check 'what was posted' "$(ask "$http/api/rooms/curl/messages")" '*"sender":"bot","message":"hi"*'
etag=$(ask -I "$http/" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
check 'an ETag spares what one has' "$(status -H "If-None-Match: $etag" "$http/")" 304
check 'a range' "$(status -r 0-9 "$http/chat-client.js")" 206
check 'compressed' "$(ask --compressed "$http/" | tail -n 1)" '</html>*'
check 'events' "$(curl -sS -N --max-time 2 "$http/digits" 2>/dev/null)" '*data: [1-9]*'
echo "1..$count"
exit $failed
