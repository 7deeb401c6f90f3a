#!/usr/bin/env python3
"""What strangers may do to a server: attackers.py NAME PORT SECONDS does it to 127.0.0.1 for that long, and prints what came of it."""

import json
import os
import random
import select
import socket
import ssl
import sys
import time
import zlib

from rawws import CONTINUATION, PING, TEXT, build_frame

NAME, PORT, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
TLS = os.environ.get("TLS")
ADDRESS = "127.0.0.2"
END = time.monotonic() + SECONDS
ZERO = b"\0\0\0\0"  # a mask that saves the trouble
attacks = {}


def attack(function):
    attacks[function.__name__] = function
    return function


def go_on():
    return time.monotonic() < END


def tls_context(version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def connect(data=b"", small=False, tls=TLS):
    """A connection that has said this, None where it could not be had."""
    sock = socket.socket()
    sock.settimeout(5)
    try:
        sock.bind((ADDRESS, 0))  # another one than the chat's
        if small:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.connect(("127.0.0.1", PORT))
        if tls:
            sock = tls_context().wrap_socket(sock)
        if data:
            sock.sendall(data)
    except OSError:
        sock.close()
        return None
    return sock


def request(method, path, headers="", body=b""):
    if body:
        headers += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n{headers}\r\n".encode() + body


def upgrade(path, headers=""):
    return request("GET", path, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}")


def websocket(path, headers="", small=False):
    sock = connect(upgrade(path, headers), small)
    try:
        if sock and b" 101 " in sock.recv(200):
            return sock
    except OSError:
        pass
    return None


V1 = "Sec-WebSocket-Protocol: switchboard.chat.v1\r\n"
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"


def answer(sock, buffer=b""):
    """One HTTP answer's status and what came after it."""
    while b"\r\n\r\n" not in buffer:
        data = sock.recv(65536)
        if not data:
            return None, b""
        buffer += data
    head, _, rest = buffer.partition(b"\r\n\r\n")
    return int(head[9:12]), head.lower(), rest


def status_of(data):
    """The status of a request of its own."""
    sock = connect(data)
    try:
        return int(sock.recv(65536)[9:12])
    except (AttributeError, OSError, ValueError):
        return None
    finally:
        if sock:
            sock.close()


def pour(socks, data, pause=0.0):
    """The same again and again on all of them, as fast as they take it; returns (bytes, connections that were ended)."""
    sent = ended = 0
    rest = {sock: b"" for sock in socks if sock}
    for sock in rest:
        sock.setblocking(False)
    while rest and go_on():
        ready = select.select(list(rest), list(rest), [], 0.2)
        for sock in ready[0]:
            try:
                if not sock.recv(1 << 18):
                    raise OSError
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            except OSError:
                ended += rest.pop(sock, None) is not None
        for sock in ready[1]:
            if sock not in rest:
                continue
            try:
                piece = rest[sock] or data
                n = sock.send(piece)
                rest[sock] = piece[n:]
                sent += n
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                pass
            except OSError:
                ended += rest.pop(sock, None) is not None
        time.sleep(pause)
    return sent, ended


def keep(socks):
    """Holds them, reads nothing, and counts those that the server ends."""
    while go_on():
        time.sleep(0.2)
    ended = 0
    for sock in filter(None, socks):
        sock.setblocking(False)
        try:
            while sock.recv(1 << 18):
                pass
            ended += 1
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            ended += 1
    return ended


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        tls_context().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError


@attack
def skipped_records():
    """TLS records that mean nothing: warning alerts, and ChangeCipherSpec where it may be ignored."""
    alerts, ccs = b"\x15\x03\x03\x00\x02\x01\x5a" * 2048, b"\x14\x03\x03\x00\x01\x01" * 2048
    sent = ended = 0
    while go_on():
        for data in (alerts, ccs):
            sock = connect(client_hello(), tls=None)
            try:
                while sock and go_on():
                    sock.sendall(data)
                    sent += len(data)
            except OSError:
                ended += 1
    print(f"{sent} bytes of records, {ended} connections ended")


@attack
def hellos():
    """ClientHellos alone: the server signs, the client does nothing."""
    hello, open_ones, n = client_hello(), [], 0
    while go_on():
        sock = connect(hello, tls=None)
        n += sock is not None
        open_ones.append(sock)
        if len(open_ones) > 200:
            first = open_ones.pop(0)
            if first:
                first.close()
    print(f"{n} ClientHellos, {n / SECONDS:.0f} a second")


def pages(method, headers=""):
    n, socks = 0, [connect() for _ in range(2)]
    data = request(method, "/api/rooms/fat/messages?limit=1000", headers)
    statuses = {}
    while go_on():
        for i, sock in enumerate(socks):
            try:
                sock.sendall(data)
                status, head, rest = answer(sock)
                if method == "GET" and status == 200:
                    if b"content-length: " in head:
                        left = int(head.split(b"content-length: ")[1].split(b"\r\n")[0]) - len(rest)
                        while left > 0:
                            left -= len(sock.recv(1 << 18)) or left
                    else:
                        while not rest.endswith(b"0\r\n\r\n"):
                            rest = rest[-5:] + sock.recv(1 << 18)
                statuses[status] = statuses.get(status, 0) + 1
                n += 1
            except (OSError, TypeError, ValueError, AttributeError):
                socks[i] = connect()
    print(f"{method} {n} pages, {n / SECONDS:.0f} a second, by status {statuses}")


@attack
def head_pages():
    pages("HEAD")


@attack
def known_pages():
    pages("HEAD", "If-None-Match: *\r\n")


@attack
def get_pages():
    pages("GET")


@attack
def unread_pages():
    socks = [connect(request("GET", "/api/rooms/fat/messages?limit=1000"), small=True) for _ in range(60)]
    print(f"60 pages asked for and not read, {keep(socks)} ended")


@attack
def unread_pasts():
    socks = [connect(upgrade(f"/chat?username=a{i}&room=fat&history=1000", V1), small=True) for i in range(60)]
    print(f"60 pasts asked for and not read, {keep(socks)} ended")


@attack
def storm():
    """People who come into a room of many and go again."""
    n = 0
    while go_on():
        sock = websocket(f"/chat?username=s{n}&room=crowd", V1)
        if sock:
            sock.close()
            n += 1
    print(f"{n} joins, {n / SECONDS:.0f} a second")


@attack
def rich_json():
    """Frames of a hundred bytes that are 64 KiB of JSON, and no message."""
    body = b'{"a":[' + b",".join([b"{}"] * 21000) + b"]}"
    deflate = zlib.compressobj(9, zlib.DEFLATED, -12)
    data = (deflate.compress(body) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    sent = ended = 0
    while go_on():
        socks = [websocket(f"/chat?username=b{i}&room=bad", DEFLATE) for i in range(4)]
        more = pour(socks, build_frame(TEXT, data, rsv1=True, mask=ZERO) * 4)
        sent, ended = sent + more[0], ended + more[1]
    print(f"{sent // (len(data) + 6)} frames, {ended} connections ended")


@attack
def no_messages():
    """Small ones, that are none."""
    sent = ended = 0
    while go_on():
        more = pour([websocket(f"/chat?username=b{i}&room=bad") for i in range(4)], build_frame(TEXT, b"{}", mask=ZERO) * 500)
        sent, ended = sent + more[0], ended + more[1]
    print(f"{sent // 8} frames, {ended} connections ended")


@attack
def pings():
    sent = ended = 0
    while go_on():
        more = pour([websocket("/echo") for _ in range(4)], build_frame(PING, mask=ZERO) * 5000)
        sent, ended = sent + more[0], ended + more[1]
    print(f"{sent // 6} pings, {sent / 6 / SECONDS:.0f} a second, {ended} connections ended")


@attack
def echoes():
    """Messages of a byte, as many as it takes."""
    sent = ended = 0
    while go_on():
        more = pour([websocket("/echo") for _ in range(4)], build_frame(TEXT, b"x", mask=ZERO) * 5000)
        sent, ended = sent + more[0], ended + more[1]
    print(f"{sent // 7} messages, {sent / 7 / SECONDS:.0f} a second, {ended} connections ended")


@attack
def fragments():
    """Messages that never end, as large as they may get."""
    piece = build_frame(TEXT, b"x" * 60000, fin=False, mask=ZERO)
    socks = []
    while go_on() and len(socks) < 2000:
        sock = websocket("/echo")
        if sock:
            try:
                sock.sendall(piece)
                sock.sendall(build_frame(CONTINUATION, b"y", fin=False, mask=ZERO))
                socks.append(sock)
            except OSError:
                pass
    print(f"{len(socks)} unfinished messages of 60,000 bytes, {keep(socks)} ended")


@attack
def half_bodies():
    head = request("POST", "/api/rooms/den/messages", "Content-Type: application/json\r\nContent-Length: 65000\r\n")
    socks = []
    while go_on() and len(socks) < 2000:
        sock = connect(head + b"x" * 60000)
        socks += [sock] if sock else []
    print(f"{len(socks)} bodies that don't end, {keep(socks)} ended")


@attack
def idle():
    """Connections that say nothing, more than there are descriptors."""
    socks = [sock for sock in (connect(tls=None) for _ in range(400)) if sock]
    print(f"{len(socks)} idle connections, {keep(socks)} ended")


@attack
def posts():
    """What anybody may say over HTTP, without a name that counts."""
    body = json.dumps({"sender": "bot", "message": "x" * 4000}).encode()
    data = request("POST", "/api/rooms/quiet/messages", "", body)
    sent, ended = pour([connect() for _ in range(8)], data * 16)
    print(f"{sent // len(data)} posts, {sent / len(data) / SECONDS:.0f} a second, {ended} connections ended")


@attack
def requests():
    """The smallest ones, as many as fit into a packet."""
    data = request("GET", "/hello") * 500
    sent, ended = pour([connect() for _ in range(8)], data)
    print(f"{sent * 500 // len(data)} requests, {sent * 500 / len(data) / SECONDS:.0f} a second, {ended} connections ended")


@attack
def new_rooms():
    """Rooms that strangers name."""
    n = 0
    socks = [connect() for _ in range(4)]
    while go_on():
        data = b"".join(request("POST", f"/api/rooms/r{random.getrandbits(40)}/messages", "", b'{"sender":"x","message":"x"}')
                        for _ in range(50))
        for i, sock in enumerate(socks):
            try:
                sock.sendall(data)
                got = b""
                while got.count(b"HTTP/1.1 ") < 50:
                    more = sock.recv(1 << 18)
                    if not more:
                        raise OSError
                    got += more
                n += got.count(b"HTTP/1.1 201")
            except (OSError, AttributeError):
                socks[i] = connect()
    print(f"{n} rooms, {n / SECONDS:.0f} a second")


@attack
def full_rooms():
    """Rooms that somebody stays in, full of the largest messages there are."""
    text = json.dumps({"message": "\x01" * 4096}).encode()
    socks = [websocket(f"/chat?username=f{i}&room=full{i}") for i in range(40)]
    sent, ended = pour(socks, build_frame(TEXT, text, mask=ZERO), 0.005)
    print(f"{sent // 1000000} MB into 40 rooms, {ended} connections ended")


@attack
def bad_handshakes():
    n, data = 0, upgrade("/chat?room=x", "Origin: http://example.net\r\n") + upgrade("/nothing") + upgrade("/hello-ws?")[:-2]
    while go_on():
        sock = connect(data)
        if sock:
            sock.close()
            n += 1
    print(f"{n} bad handshakes, {n / SECONDS:.0f} a second")


@attack
def connects():
    """CONNECT to somewhere, and then nothing but bytes."""
    sent, ended = pour([connect(request("CONNECT", "example.net:443")) for _ in range(100)], b"x" * 1000, 0.01)
    print(f"{sent} bytes, {ended} of 100 ended")


@attack
def unread_events():
    socks = [connect(request("GET", "/digits"), small=True) for _ in range(200)]
    print(f"200 streams that nobody reads, {keep(socks)} ended")


@attack
def tickets():
    """One person's, as many as there are to be had; others must get theirs."""
    bearer = f"Authorization: Bearer {os.environ['TOKEN']}\r\n"
    data = request("POST", "/api/tickets", bearer, b"{}")
    sent, ended = pour([connect() for _ in range(4)], data * 20)
    print(f"{sent // len(data)} requests for a ticket, {ended} connections ended")


@attack
def slow_heads():
    socks = [connect(b"GET /x HTTP/1.1\r\nHost: a\r\n") for _ in range(1000)]
    alive = [sock for sock in socks if sock]
    n = len(alive)
    while go_on():
        for sock in list(alive):
            try:
                sock.send(b"X-A: b\r\n")
            except OSError:
                alive.remove(sock)
        time.sleep(0.5)
    print(f"{n} heads that go on and on, {n - len(alive)} ended")


if __name__ == "__main__":
    os.nice(15)
    attacks[NAME]()
