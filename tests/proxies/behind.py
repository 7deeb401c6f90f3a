"""For the tests of Switchboard behind real proxies: starts these with the examples in src/data/proxies, and looks at what
clients see through them.

SECONDS=90 in the environment: the chat is idle for so long, with the examples' and the daemon's own timeouts. Without it the
proxies' are SHORT seconds, and the daemon pings after one, so that it takes no more than a few.
"""

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["SOURCE_ROOT"], "tests", "protocol"))
from daemon import PR_SET_PDEATHSIG, SOURCE_ROOT, Daemon, check, equals  # noqa: E402
from rawws import PING, PONG, TEXT, Closed, Refused, WebSocket  # noqa: E402
from tokens import PUBLISH, bearer  # noqa: E402

LONG = int(os.environ.get("SECONDS", 0))
SHORT = 6
IDLE = LONG or SHORT + 4
BURST = 30


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def example(name):
    with open(f"{SOURCE_ROOT}/src/data/proxies/{name}", encoding="utf-8") as file:
        return file.read()


def replace(text, *pairs):
    """Each of the pairs' first must be there."""
    for before, after in pairs:
        assert before in text, before
        text = text.replace(before, after)
    return text


class Backend:
    """The daemon, as the examples say that it listens: a unix socket, a port, and one each for the PROXY protocol."""

    def __init__(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="switchboard-proxies-")
        os.chmod(self.scratch.name, 0o755)
        self.unix = self.scratch.name + "/http.sock"
        subprocess.run(["bash", "-c", ". tests/protocol/certificates.sh; authority; certificate server localhost"],
                       cwd=SOURCE_ROOT, env={**os.environ, "certificates": self.path("tls")}, check=True)
        local = {"address": "127.0.0.1", "port": 0, "trusted_proxies": ["127.0.0.1"]}
        tls = {"certificate": self.path("tls/server.pem"), "key": self.path("tls/server.key")}
        limits = {"rates": {"handshakes": {"per_second": 1, "burst": BURST}}}
        if not LONG:
            limits["ping_seconds"] = 1
        self.daemon = Daemon({
            "listen": [local, {**local, "proxy_protocol": True}, {**local, "proxy_protocol": True, "tls": tls},
                       {"address": "unix:" + self.unix, "mode": "0666", "trusted_proxies": ["unix"]}],
            "limits": limits,
            "auth": {"publish_keys": [{"name": "bot", "secret": PUBLISH}]},
        })
        self.daemon.wait_for("listening on unix:")
        self.port, self.proxy_port, self.tls_port = self.daemon.ports

    def path(self, name):
        return os.path.join(self.scratch.name, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.close()
        self.scratch.cleanup()


class Proxy:
    """A proxy's process, killed with this test however that ends, once it takes connections at the port."""

    def __init__(self, backend, command, port):
        self.log = backend.path("proxy.log")
        libc = ctypes.CDLL(None)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=backend.scratch.name,
                env={**os.environ, "HOME": backend.scratch.name, "XDG_DATA_HOME": backend.path("data"),
                     "XDG_CONFIG_HOME": backend.path("config")},
                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        self.wait_for(port)

    def wait_for(self, port):
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            print("Bail out! The proxy did not start:", re.sub(r"\s+", " ", log.read())[-2000:])
        self.process.kill()
        sys.exit(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Way:
    """One way to the daemon, and what is to be seen by it."""

    n = 0

    def __init__(self, name, backend, port, tls=None):
        self.name, self.backend, self.port, self.tls = name, backend, port, tls

    def equals(self, what, expected, found, *arguments, **more):
        equals(f"{self.name}: {what}", expected, found, *arguments, **more)

    def check(self, what, condition, *arguments):
        check(f"{self.name}: {what}", condition, *arguments)

    def open(self, source=None):
        return WebSocket("127.0.0.1", self.port, handshake=False, tls=self.tls, source=source)

    def connect(self, path, source=None, headers=()):
        return WebSocket("127.0.0.1", self.port, path, headers, tls=self.tls, source=source)

    def request(self, data, source=None):
        with self.open(source) as http:
            http.send_raw(data)
            return http.recv_response()

    def get(self, path, source=None, headers=""):
        return self.request(f"GET {path} HTTP/1.1\r\nHost: chat.example\r\n{headers}Connection: close\r\n\r\n".encode(), source)

    def post(self, room, text, chunks=0):
        body = json.dumps({"message": text}).encode()
        head = (f"POST /api/rooms/{room}/messages HTTP/1.1\r\nHost: chat.example\r\nContent-Type: application/json\r\n"
                f"Connection: close\r\n{': '.join(bearer(PUBLISH))}\r\n")
        if not chunks:
            return self.request(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body).status
        pieces = [body[i:i + chunks] for i in range(0, len(body), chunks)] + [b""]
        with self.open() as http:
            http.send_raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
            for piece in pieces:
                http.send_raw(b"%x\r\n%s\r\n" % (len(piece), piece))
                time.sleep(0.05)
            return http.recv_response().status

    def peer(self, source=None, headers=()):
        """Whom the daemon's log takes the client for, without a port."""
        Way.n += 1
        with self.connect(f"/?username=guest{Way.n}", source, headers):
            line = self.backend.daemon.wait_for(rf"open .*peer=(\S+) user=guest{Way.n}\n")
        return re.sub(r":\d+$", "", line[1])

    def page(self, origin):
        """The status for a page from there."""
        try:
            self.connect("/echo", "127.0.0.4", [("Origin", origin), ("Host", "chat.example")]).close()
            return 101
        except Refused as refused:
            return refused.response.status

    def handshakes(self, source):
        """How many come through at once before there are too many, or None."""
        for n in range(2 * BURST + 60):
            try:
                self.connect("/hello-ws", source).close()
            except Refused as refused:
                return n if refused.response.status == 429 else refused.response.status
        return None

    def first_event(self):
        """How long the first event of a stream takes; the daemon sends one each second."""
        start = time.monotonic()
        with self.open() as http:
            http.send_raw(b"GET /digits HTTP/1.1\r\nHost: chat.example\r\n\r\n")
            assert http.recv_response(body=False).status == 200
            while b"data:" not in http.buffer:
                http.fill(start + 20)
        return time.monotonic() - start

    def join(self, room):
        ws = self.connect(f"/chat?username=ann&room={room}")
        assert json.loads(ws.recv_message()[1])["message"] == "ann joined"
        return ws

    def everything(self):
        """What is the same by every way."""
        self.equals("a file", 200, lambda: self.get("/").status)
        self.equals("REST", '{"message":"Hello libwebsockets"}', lambda: self.get("/hello").body.decode().strip())
        self.check("an event of a stream comes at once", lambda: self.first_event() < 3)
        with self.join("den") as ann:
            self.equals("a message by REST", 201, self.post, "den", "said")
            self.equals("…is heard", "said", next_message, ann)
            self.equals("a body in chunks", 201, self.post, "den", "chunked " * 20, 7)
            self.equals("…is heard", "chunked " * 20, next_message, ann)
        self.equals("the client's address", "127.0.0.1", self.peer)
        self.equals("…of another one", "127.0.0.2", self.peer, "127.0.0.2")
        self.equals("…who would like to be somebody else", "127.0.0.2", self.peer, "127.0.0.2",
                    [("X-Forwarded-For", "192.0.2.1"), ("Forwarded", "for=192.0.2.1")])
        self.check("metrics are for this machine", lambda: self.get("/metrics").status == 200)
        self.equals("a page from here", 101, self.page, f"{'https' if self.tls else 'http'}://chat.example")
        self.equals("…and from elsewhere", 403, self.page, "https://chat.example.evil")


def limits_are_the_clients(way, source):
    way.check("a client has limits", lambda: (way.handshakes(source) or 0) >= BURST)
    way.equals("…that are not those of others", source + "0", way.peer, source + "0")


def stay_idle(ways):
    """A chat by each way in which nobody says anything for longer than the proxies wait, and then somebody does."""
    members = [way.join("idle" + str(i)) for i, way in enumerate(ways)]
    streams = [way.open() for way in ways]
    for stream in streams:
        stream.send_raw(b"GET /letters HTTP/1.1\r\nHost: chat.example\r\n\r\n")
    pings, gone = [0] * len(ways), set()
    end = time.monotonic() + IDLE
    while time.monotonic() < end:
        for i, member in enumerate(members):
            try:
                frame = member.recv_frame(0.1)
                assert frame.opcode == PING, frame
                pings[i] += 1
                member.send_frame(PONG, frame.payload)  # as browsers do
            except TimeoutError:
                pass
            except Closed:
                gone.add(i)
                time.sleep(0.1)
    for i, way in enumerate(ways):
        way.check(f"a chat that was idle for {IDLE} seconds is still there", lambda i=i: i not in gone and pings[i] > 0)
        way.equals("…and somebody says something", 201, way.post, f"idle{i}", "after all")
        way.equals("…that is heard", "after all", next_message, members[i])
        members[i].close()
    for way, stream in zip(ways, streams):
        way.check("a stream is there as well, with all events", lambda: count_events(stream) >= IDLE / 2)
        stream.close()


def next_message(member):
    while True:
        frame = member.recv_frame()
        if frame.opcode == TEXT:
            return json.loads(frame.payload)["message"]
        member.send_frame(PONG, frame.payload)


def count_events(stream):
    """Of those that have come by now, the newest within the last two seconds."""
    stream.sock.settimeout(1)
    end = time.monotonic() + 3
    fresh = False
    while time.monotonic() < end:
        size = len(stream.buffer)
        try:
            stream.fill(time.monotonic() + 0.01 if size == 0 else end)
        except TimeoutError:
            continue
        fresh = time.monotonic() > end - 2.9
    assert fresh, "no event is new"
    return stream.buffer.count(b"data:")
