"""A chat that goes on beside whatever else happens: twenty people, a message each twentieth of a second, and how long each delivery
took. Runs in a process of its own, so that nothing but the server makes it late."""

import json
import multiprocessing
import os
import select
import ssl
import time

from rawws import TEXT, build_frame

MEMBERS, RATE = 20, 20


class Meter:
    """Begins at once; window() asks for the figures since it was last asked."""

    def __init__(self, daemon):
        ours, self.pipe = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=run, args=(daemon, ours), daemon=True)
        self.process.start()
        assert self.pipe.recv() == "ready"

    def window(self, margin=0.0):
        """(p50, p99, largest) in milliseconds, the deliveries and members that were closed since the last call."""
        time.sleep(margin)
        self.pipe.send("window")
        return self.pipe.recv()

    def close(self):
        self.pipe.send("end")
        self.process.join(10)


class Window:
    def __init__(self, latencies, closed):
        values = sorted(latencies) or [float("inf")]
        self.n, self.closed = len(latencies), closed
        self.p50, self.p99 = (values[min(len(values) - 1, int(len(values) * q))] * 1000 for q in (0.5, 0.99))
        self.max = values[-1] * 1000

    def __str__(self):
        return f"p50 {self.p50:.1f} p99 {self.p99:.1f} max {self.max:.1f} ms of {self.n}, {self.closed} closed"


class Member:
    def __init__(self, daemon, i):
        self.ws = daemon.connect(f"/chat?username=u{i}&room=quiet", timeout=30)
        self.ws.sock.setblocking(False)
        self.buffer = bytearray(self.ws.buffer)

    def read(self, latencies, now):
        """Whether it is still there."""
        try:
            data = self.ws.sock.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        if not data:
            return False
        self.buffer += data
        while len(self.buffer) >= 4:
            size = self.buffer[1] & 127
            head = 4 if size == 126 else 2
            size = int.from_bytes(self.buffer[2:4], "big") if size == 126 else size
            if len(self.buffer) < head + size:
                break
            opcode, payload = self.buffer[0] & 15, bytes(self.buffer[head:head + size])
            del self.buffer[:head + size]
            if opcode == 9:
                self.ws.sock.send(build_frame(10, payload))
            elif opcode == TEXT and b'"message":"T' in payload:
                latencies.append(now - float(json.loads(payload)["message"][1:]))
        return True


def run(daemon, pipe):
    members = [Member(daemon, i) for i in range(MEMBERS)]
    poll = select.epoll()
    by_fd = {member.ws.sock.fileno(): member for member in members}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    poll.register(pipe.fileno(), select.EPOLLIN)
    pipe.send("ready")
    latencies, closed, turn, due = [], 0, 0, time.monotonic()
    while True:
        now = time.monotonic()
        if now >= due:
            sender = members[turn % MEMBERS]
            turn += 1
            due = max(due + 1 / RATE, now - 1)
            try:
                sender.ws.sock.send(build_frame(TEXT, json.dumps({"message": f"T{now:.6f}"}).encode()))
            except OSError:
                pass
        for fd, _ in poll.poll(max(0, due - time.monotonic())):
            if fd == pipe.fileno():
                if pipe.recv() == "end":
                    os._exit(0)
                pipe.send(Window(latencies, closed))
                latencies, closed = [], 0
            elif not by_fd[fd].read(latencies, time.monotonic()):
                poll.unregister(fd)
                closed += 1
