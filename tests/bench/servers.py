"""The servers that are measured: how to start them, and what they use up."""
import json
import os
import resource
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

START_SECONDS = 20
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
# Everything is on, but for limits that a benchmark is there to go past.
CONFIG = {"log": {"level": "notice"}, "limits": {"max_connections": 40000, "rates": {"handshakes": {"per_second": 0}, "speech": {"per_second": 0}}},
          "chat": {"messages_per_second": 1000000000, "burst": 1000000000}}


def pinned(cores):
    """For preexec_fn: runs on these cores, with as many files as there may be."""
    def prepare():
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if cores:
            os.sched_setaffinity(0, cores)
    return prepare


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One that serves /hello, /echo and /chat on the port in $PORT. compresses: it is told so by $DEFLATE."""

    def __init__(self, name, command, cwd=None, next_port=free_port):
        self.name, self.command, self.cwd, self.next_port = name, command, cwd, next_port
        self.process = self.port = self.log = None

    def start(self, cores, threads=1, deflate=False):
        self.port = self.next_port()
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        env = {**os.environ, "PORT": str(self.port)}
        if deflate:
            env["DEFLATE"] = "1"
        self.process = subprocess.Popen(self.command_line(threads), cwd=self.cwd, env=env, start_new_session=True,
                                        preexec_fn=pinned(cores), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self._wait()

    def command_line(self, _threads):
        return ["sh", "-c", self.command]

    def _wait(self):
        for _ in range(START_SECONDS * 50):
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/hello", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except urllib.error.HTTPError:
                break
            except OSError:
                pass
            time.sleep(0.02)
        self.stop()
        self.log.seek(0)
        raise RuntimeError(f"{self.command} didn't start: {self.log.read().strip()}")

    def stop(self):
        """Ends its process group, which is nobody else's."""
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(5)
            os.killpg(self.process.pid, signal.SIGKILL)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        except ProcessLookupError:
            self.process.wait()

    def pids(self):
        """Its process and all that came from it."""
        parents = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            stat = self._stat(name)
            if stat:
                parents[int(name)] = int(stat[1])
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    @staticmethod
    def _stat(pid):
        """The fields of /proc/PID/stat from the state on, or None when it has gone."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                return file.read().rpartition(")")[2].split()
        except OSError:
            return None

    def cpu_seconds(self):
        stats = filter(None, map(self._stat, self.pids()))
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICKS

    def resident(self):
        """Bytes."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/statm", encoding="utf-8") as file:
                total += int(file.read().split()[1]) * PAGE_SIZE
        return total


class Switchboard(Server):
    """Ours, with its default settings but for what CONFIG says."""

    def __init__(self, binary, next_port=free_port):
        super().__init__("switchboard", binary, next_port=next_port)
        self.config = tempfile.NamedTemporaryFile("w+", suffix=".json")

    def command_line(self, threads):
        self.config.seek(0)
        self.config.truncate()
        json.dump({"listen": [{"address": "127.0.0.1", "port": self.port}], **CONFIG, "threads": threads, "pin_threads": threads > 1}, self.config)
        self.config.flush()
        return [self.command, "--config", self.config.name]
