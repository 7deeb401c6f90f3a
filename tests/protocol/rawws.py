"""A raw WebSocket client (RFC 6455, RFC 7692) for tests of a server.

It does what it is told, right or wrong: any opcode, any reserved bit, masked or not, any length encoding, compressed or not.
Nothing is answered behind the test's back: no pong, no close echo, no check of what the server sent beyond its framing.

    with WebSocket("localhost", 3000, "/echo") as ws:
        ws.send_frame(TEXT, b"hi")
        assert ws.recv_frame() == Frame(TEXT, b"hi")
        ws.send_close(1000)
        assert ws.recv_close() == (1000, b"")
"""

import base64
import dataclasses
import hashlib
import os
import select
import socket
import ssl
import struct
import threading
import time
import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TRAILER = b"\x00\x00\xff\xff"  # what deflate's sync flush ends with, and a message omits


class Closed(Exception):
    """The server closed the TCP connection; reset says whether with a RST."""

    def __init__(self, reset=False):
        super().__init__("connection reset" if reset else "connection closed")
        self.reset = reset


class Refused(Exception):
    """The server answered the handshake with something else than 101."""

    def __init__(self, response):
        super().__init__(f"{response.status} {response.reason}")
        self.response = response


@dataclasses.dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0  # 4 is RSV1, the mark of a compressed message


@dataclasses.dataclass
class Response:
    status: int
    reason: str
    headers: dict  # names in lower case, several values joined with ", "
    body: bytes = b""


def mask_bytes(payload, key):
    """XOR with the 4 byte key, as RFC 6455 5.3 says."""
    n = len(payload)
    if not n:
        return b""
    pad = (key * (n // 4 + 1))[:n]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(n, "big")


def build_frame(opcode, payload=b"", fin=True, rsv1=False, mask=True, rsv=0, length_bytes=None):
    """One frame. mask: True for a random key, 4 bytes for that key, False for none. length_bytes: None for the shortest
    encoding, or 2 or 8 to force a longer one."""
    head = bytes([(0x80 if fin else 0) | (0x40 if rsv1 else 0) | rsv << 4 | opcode])
    n, bit = len(payload), 0 if mask is False else 0x80
    if length_bytes is None:
        length_bytes = 0 if n < 126 else 2 if n < 65536 else 8
    if length_bytes == 0:
        head += bytes([bit | n])
    elif length_bytes == 2:
        head += bytes([bit | 126]) + struct.pack(">H", n)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", n)
    if mask is False:
        return head + payload
    key = os.urandom(4) if mask is True else mask
    return head + key + mask_bytes(payload, key)


class Deflate:
    """Both directions of permessage-deflate as the server's response fixed them."""

    def __init__(self, params, level=6):
        self.params = params
        self.client_bits = int(params.get("client_max_window_bits") or 15)
        self.server_bits = int(params.get("server_max_window_bits") or 15)
        self.client_resets = "client_no_context_takeover" in params
        self.server_resets = "server_no_context_takeover" in params
        self.level = level
        self.deflator = self.inflator = None

    def compress(self, payload):
        if self.deflator is None or self.client_resets:
            # zlib cannot deflate with 8 bits (it takes 9)
            self.deflator = zlib.compressobj(self.level, zlib.DEFLATED, -max(9, self.client_bits))
        data = self.deflator.compress(payload) + self.deflator.flush(zlib.Z_SYNC_FLUSH)
        assert data.endswith(TRAILER)
        return data[:-4]

    def decompress(self, payload):
        if self.inflator is None or self.server_resets:
            # exactly the negotiated window: data that needs a larger one is an error
            self.inflator = zlib.decompressobj(-self.server_bits)
        data = self.inflator.decompress(payload + TRAILER)
        assert not self.inflator.unconsumed_tail and not self.inflator.unused_data
        return data


def parse_extension(value):
    """'permessage-deflate; a; b=12' as ('permessage-deflate', {'a': None, 'b': '12'})."""
    name, *rest = [part.strip() for part in value.split(";")]
    params = {}
    for part in rest:
        key, _, val = part.partition("=")
        assert key not in params, f"{key} twice in {value!r}"
        params[key] = val.strip('"') if _ else None
    return name, params


class WebSocket:
    """One connection. Every call that waits takes a timeout in seconds and raises TimeoutError when it passes."""

    def __init__(self, host="localhost", port=3000, path="/", headers=(), *, timeout=10, tls=None, handshake=True,
                 rcvbuf=None, source=None):
        """headers: (name, value) pairs added to the handshake; a name of the standard ones replaces it, value None
        leaves it out. tls: True, or an ssl.SSLContext. handshake=False opens only the connection. Raises Refused."""
        self.timeout = timeout
        self.buffer = b""
        self.response = self.deflate = None
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) if rcvbuf else None
        if self.sock:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
            self.sock.settimeout(timeout)
            self.sock.connect((host, port))
        else:
            self.sock = socket.create_connection((host, port), timeout, (source, 0) if source else None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            if tls is True:
                tls = ssl.create_default_context()
                tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
            self.sock = tls.wrap_socket(self.sock, server_hostname=host)
        self.lock = threading.Lock() if tls else None
        if handshake:
            try:
                self.handshake(host, port, path, headers)
            except BaseException:
                self.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Close the TCP connection, whatever state it is in."""
        self.sock.close()

    def cut(self):
        """End the TCP connection under a thread that still uses it. Closing comes after that thread is done: the next
        connection may get the same descriptor, and the thread would write into it."""
        socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    # handshake

    def handshake(self, host, port, path="/", headers=()):
        """Send an upgrade request, read the response, check Sec-WebSocket-Accept."""
        key = base64.b64encode(os.urandom(16))
        fields = {"Host": f"{host}:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key.decode()}
        extra = []
        for name, value in headers:
            standard = next((f for f in fields if f.lower() == name.lower()), None)
            if standard:
                fields[standard] = value
            else:
                extra.append((name, value))
        lines = [f"GET {path} HTTP/1.1"]
        lines += [f"{n}: {v}" for n, v in [*fields.items(), *extra] if v is not None]
        self.send_raw("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        self.response = self.recv_response()
        if self.response.status != 101:
            raise Refused(self.response)
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        assert self.response.headers["sec-websocket-accept"] == accept
        extension = self.response.headers.get("sec-websocket-extensions")
        if extension:
            name, params = parse_extension(extension)
            assert name == "permessage-deflate", extension
            self.deflate = Deflate(params)

    def recv_response(self, timeout=None, body=None):
        """An HTTP response. Its body is read too when it isn't a 101: by Content-Length, else until the end."""
        deadline = self.deadline(timeout)
        while b"\r\n\r\n" not in self.buffer:
            self.fill(deadline)
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        parts = status.split(" ", 2)
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
        response = Response(int(parts[1]), parts[2] if len(parts) > 2 else "", headers)
        if response.status == 101 or body is False:
            return response
        try:
            if "content-length" in headers:
                response.body = self.take(int(headers["content-length"]), deadline)
            else:
                while True:
                    self.fill(deadline)
        except Closed:
            response.body, self.buffer = self.buffer, b""
        return response

    # sending

    def send_raw(self, data):
        """Bytes as they are."""
        try:
            if self.lock:
                self.send_by_turns(data)
            else:
                self.sock.settimeout(self.timeout)
                self.sock.sendall(data)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Closed(True) from error

    def by_turns(self, call, deadline):
        """One thread may send while another receives, but a TLS connection takes one call at a time: so none waits
        inside a call."""
        while True:
            with self.lock:
                self.sock.setblocking(False)
                try:
                    return call()
                except ssl.SSLWantReadError:
                    wanted = [self.sock], []
                except ssl.SSLWantWriteError:
                    wanted = [], [self.sock]
            if time.monotonic() > deadline:
                raise TimeoutError("nothing came")
            select.select(*wanted, [], 0.05)

    def send_by_turns(self, data):
        rest = memoryview(data)
        while rest:
            rest = rest[self.by_turns(lambda: self.sock.send(rest[:65536]), self.deadline(None)):]

    def send_frame(self, opcode, payload=b"", fin=True, rsv1=False, mask=True, **more):
        """One frame as build_frame() makes it."""
        self.send_raw(build_frame(opcode, payload, fin, rsv1, mask, **more))

    def send_message(self, opcode, payload, cuts=(), compress=None):
        """A whole message, in one frame or cut at the given offsets of what goes on the wire. compress: None when the
        connection has permessage-deflate."""
        compress = self.deflate is not None if compress is None else compress
        data = self.deflate.compress(payload) if compress else payload
        bounds = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
        out = bytearray()
        for i, (start, end) in enumerate(zip(bounds, bounds[1:])):
            out += build_frame(CONTINUATION if i else opcode, data[start:end], end == len(data) and i == len(bounds) - 2,
                               compress and not i)
        self.send_raw(bytes(out))

    def send_text(self, text, **more):
        self.send_message(TEXT, text.encode(), **more)

    def send_close(self, code=None, reason=b""):
        self.send_frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)

    # receiving

    def deadline(self, timeout):
        return time.monotonic() + (self.timeout if timeout is None else timeout)

    def fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("nothing came")
        try:
            if self.lock:
                data = self.by_turns(lambda: self.sock.recv(65536), deadline)
            else:
                self.sock.settimeout(left)
                data = self.sock.recv(65536)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Closed(True) from error
        except ssl.SSLEOFError as error:
            raise Closed() from error
        except (socket.timeout, ssl.SSLWantReadError) as error:
            raise TimeoutError("nothing came") from error
        if not data:
            raise Closed()
        self.buffer += data

    def take(self, n, deadline):
        if len(self.buffer) < n:
            parts, have = [self.buffer], len(self.buffer)
            while have < n:
                self.buffer = b""
                try:
                    self.fill(deadline)
                except BaseException:
                    self.buffer = b"".join(parts)
                    raise
                parts.append(self.buffer)
                have += len(self.buffer)
            self.buffer = b"".join(parts)
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def recv_frame(self, timeout=None):
        """The next frame. Raises Closed, TimeoutError, or AssertionError for framing no server may use."""
        deadline = self.deadline(timeout)
        head = self.take(2, deadline)
        n = head[1] & 0x7F
        assert not head[1] & 0x80, "a server must not mask"
        if n == 126:
            n = struct.unpack(">H", self.take(2, deadline))[0]
            assert n > 125, "length not in its shortest form"
        elif n == 127:
            n = struct.unpack(">Q", self.take(8, deadline))[0]
            assert n > 65535, "length not in its shortest form"
        frame = Frame(head[0] & 15, self.take(n, deadline), bool(head[0] & 0x80), head[0] >> 4 & 7)
        if frame.opcode & 8:
            assert frame.fin and n < 126, "control frame too long or in fragments"
        return frame

    def recv_message(self, timeout=None):
        """The next message as (opcode, payload), reassembled and inflated; control frames between its fragments are
        an error, a control frame instead of it is returned as (opcode, payload)."""
        first = frame = self.recv_frame(timeout)
        if first.opcode & 8:
            return first.opcode, first.payload
        assert first.opcode in (TEXT, BINARY), first
        parts = [first.payload]
        while not frame.fin:
            frame = self.recv_frame(timeout)
            assert frame.opcode == CONTINUATION and not frame.rsv, frame
            parts.append(frame.payload)
        data = b"".join(parts)
        if first.rsv & 4:
            assert self.deflate, "RSV1 without permessage-deflate"
            data = self.deflate.decompress(data)
        assert not first.rsv & 3, first
        return first.opcode, data

    def recv_close(self, timeout=None):
        """Skip frames until the close frame: (code, reason), code None when it has none."""
        while True:
            frame = self.recv_frame(timeout)
            if frame.opcode == CLOSE:
                if not frame.payload:
                    return None, b""
                return struct.unpack(">H", frame.payload[:2])[0], frame.payload[2:]

    def recv_end(self, timeout=None):
        """Wait until the server drops TCP; returns the seconds that took. Any byte before is an AssertionError."""
        start = time.monotonic()
        try:
            self.recv_frame(timeout)
        except Closed:
            assert not self.buffer, self.buffer[:100]
            return time.monotonic() - start
        raise AssertionError("a frame after the end")


def connect(host="localhost", port=3000, path="/", headers=(), **more):
    """The same as WebSocket(…)."""
    return WebSocket(host, port, path, headers, **more)
