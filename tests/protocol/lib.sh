# For the tests here: starts the daemon, asks it things with websocat and curl, and writes TAP.
set -u
: "${SWITCHBOARD:?the path of the daemon}"
: "${SOURCE_ROOT:?the path of the source tree}"

scratch=$(mktemp -d)
certificates=$scratch/certificates
log=$scratch/log
tests=0
pid=

. "$SOURCE_ROOT/tests/protocol/certificates.sh"

# With TLS set, everything goes over TLS, and curl and websocat trust the tests' own CA.
tls_options=()
if [ -n "${TLS-}" ]; then
	authority
	certificate server localhost
	export CURL_CA_BUNDLE=$certificates/ca.pem SSL_CERT_FILE=$certificates/ca.pem
	tls_options=(--cert "$certificates/server.pem" --key "$certificates/server.key")
fi

stop() {
	[ -z "$pid" ] || { kill -"${1:-TERM}" "$pid" && wait "$pid"; } 2>/dev/null
	pid=
}

cleanup() {
	stop KILL
	rm -rf "$scratch"
}
trap cleanup EXIT

# start [OPTION...]: runs the daemon on a free port of 127.0.0.1, with two threads on any machine; sets pid and port.
start() {
	start_at --address 127.0.0.1 --port 0 --www "$SOURCE_ROOT/www" --threads 2 "${tls_options[@]}" "$@"
	port=$(sed -n 's/.*listening on https*:.*:\([0-9]*\)\/.*/\1/p' "$log" | head -n 1)
	http=http${TLS:+s}://127.0.0.1:$port
	ws=ws://127.0.0.1:$port
	[ -z "${TLS-}" ] || ws=wss://localhost:$port
}

# start_at OPTION...: the same with nothing but these options; returns when it listens.
start_at() {
	: >"$log"
	"$SWITCHBOARD" "$@" 2>>"$log" &
	pid=$!
	wait_for 'listening on' || { echo "Bail out! The daemon did not start: $(cat "$log")"; exit 1; }
}

# start_with JSON [OPTION...]: with that as its config file.
start_with() {
	printf '%s' "$1" >"$scratch/config.json"
	shift
	start --config "$scratch/config.json" "$@"
}

# wait_for PATTERN: until the log has it, for 10 seconds.
wait_for() {
	local i
	for i in $(seq 200); do
		grep -q -- "$1" "$log" && return
		sleep 0.05
	done
	return 1
}

# report STATUS NAME [DETAIL]
report() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		[ -z "${3-}" ] || printf '%s\n' "$3" | sed 's/^/# /'
	fi
}

# check NAME COMMAND...: whether it succeeds
check() {
	local name=$1 output status
	shift
	output=$("$@" 2>&1)
	status=$?
	report "$status" "$name" "$output"
}

# equals NAME EXPECTED FOUND
equals() {
	[ "$2" = "$3" ]
	report $? "$1" "expected: $2
found: $3"
}

# matches NAME REGEX FOUND: bash's extended regular expressions
matches() {
	[[ $3 =~ $2 ]]
	report $? "$1" "expected: $2
found: $3"
}

# say SECONDS LINE...: lines for a WebSocket's input, which stays open so long for the answers.
say() {
	local seconds=$1
	shift
	[ $# -eq 0 ] || printf '%s\n' "$@"
	sleep "$seconds"
}

# websocket PATH [OPTION...]: a connection by websocat, lines in, messages out
websocket() {
	local path=$1
	shift
	timeout 10 websocat -t "$@" "$ws$path" 2>&1
}

# status PATH [OPTION...]: the status of an HTTP request
status() {
	local path=$1
	shift
	curl -s -o /dev/null -w '%{http_code}' --max-time 10 "$@" "$http$path"
}

# head_of PATH [OPTION...]: status line and headers, without CR
head_of() {
	local path=$1
	shift
	curl -s -o /dev/null -D - --max-time 10 "$@" "$http$path" | tr -d '\r'
}

# upgrade PATH [OPTION...]: the status of a WebSocket handshake, with curl
upgrade() {
	local path=$1
	shift
	status "$path" --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
		-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "$@"
}

# refused PATH: the body of a refused handshake
refused() {
	curl -s --max-time 10 --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
		-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "$http$1"
}

# raw BYTES: what the server says to them, as printf writes them, until it closes
raw() {
	if [ -n "${TLS-}" ]; then
		{ printf "$1"; sleep 1; } | timeout 5 openssl s_client -quiet -connect "127.0.0.1:$port" 2>/dev/null | tr -d '\r\0'
		return
	fi
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	printf "$1" >&3
	timeout 5 cat <&3 | tr -d '\r\0'
	exec 3>&-
}

finish() {
	stop
	echo "1..$tests"
}
