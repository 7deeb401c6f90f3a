"""A client of switchboard.chat.v1 for the tests here, and the journals that they run on."""

import json
import os
import tempfile
import time
import urllib.parse

from daemon import Daemon

V1 = [("Sec-WebSocket-Protocol", "switchboard.chat.v1")]
JOURNAL = os.environ.get("JOURNAL", "memory")
SCRATCH = tempfile.TemporaryDirectory()
DATABASE = os.path.join(SCRATCH.name, "chat.db")


def config(**chat):
    journal = f"sqlite:{DATABASE}" if JOURNAL == "sqlite" else "memory"
    # Tests read more pages than one address may
    return {"chat": {"journal": journal, **chat}, "limits": {"rates": {"pages": {"per_second": 0}}}, "log": {"level": "debug"}}


class Rich:
    """One connection. Frames wait in a list until a test asks for them, whatever their order."""

    def __init__(self, daemon, name, room="lobby", headers=(), source=None, rcvbuf=None, **query):
        query = urllib.parse.urlencode({"username": name, "room": room, **query})
        self.ws = daemon.connect(f"/chat?{query}", [*V1, *headers], source=source, rcvbuf=rcvbuf)
        self.frames = []
        self.welcome = self.next("welcome")

    def read(self, timeout=10):
        self.frames.append(json.loads(self.ws.recv_message(timeout=timeout)[1]))

    def next(self, *types, timeout=10):
        """The next frame of one of these types; those before it are kept."""
        end = time.monotonic() + timeout
        seen = 0
        while True:
            for i in range(seen, len(self.frames)):
                if self.frames[i]["type"] in types:
                    return self.frames.pop(i)
            seen = len(self.frames)
            self.read(max(0.01, end - time.monotonic()))

    def none(self, *types, seconds=0.3):
        """That no such frame comes for a while."""
        try:
            frame = self.next(*types, timeout=seconds)
        except TimeoutError:
            return
        raise AssertionError(frame)

    def texts(self, n):
        return [self.next("message")["message"] for _ in range(n)]

    def send(self, **frame):
        self.ws.send_text(json.dumps(frame))

    def say(self, text, id=None):
        self.send(message=text, **({"id": id} if id else {}))

    def say_and_wait(self, text, id):
        """Returns the sequence that it is acknowledged with."""
        self.say(text, id)
        while True:
            ack = self.next("ack")
            if ack["id"] == id:
                return ack["seq"]

    def until(self, text):
        """The texts of the messages before that one."""
        texts = []
        while not texts or texts[-1] != text:
            texts += self.texts(1)
        return texts[:-1]

    def close(self):
        self.ws.close()


def restart(daemon, how, auth=None, **chat):
    """Another daemon in its place, on the same journal."""
    if how == "kill":
        daemon.process.kill()
        daemon.process.wait()
    else:
        daemon.close()
    return Daemon({**config(**chat), **({"auth": auth} if auth else {})})
