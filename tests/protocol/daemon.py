"""For the tests here that need raw sockets: starts the daemon, and writes TAP.

    with Daemon({"limits": {"idle_seconds": 2}}) as daemon:
        equals("an echo", (TEXT, b"hi"), lambda: ask(daemon, b"hi"))
        check("nobody was slow", daemon.metric("overruns_total") == 0)
    finish()

What is compared or checked may be a function, called with the arguments that follow; what it raises is shown as a failure.
"""

import ctypes
import json
import mmap
import os
import re
import resource
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

import rawws

PROGRAM = os.environ["SWITCHBOARD"]
SOURCE_ROOT = os.environ["SOURCE_ROOT"]
PR_SET_PDEATHSIG = 1
TLS = bool(os.environ.get("TLS"))  # everything goes over TLS then, with a CA of the tests' own


def is_sanitized():
    """Whether the daemon was built with AddressSanitizer or ThreadSanitizer: it is slower then, and memory that it freed
    stays its own for long (the quarantine), so that how much it holds says nothing."""
    with open(PROGRAM, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as program:
        return max(program.find(b"__asan_init"), program.find(b"__tsan_init")) >= 0


SANITIZED = is_sanitized()


class Daemon:
    """The daemon on a free port of 127.0.0.1, or where its config says, with two threads on any machine, killed with this
    test however that ends."""

    def __init__(self, config=None, *options, program=PROGRAM):
        self.scratch = tempfile.TemporaryDirectory()
        self.log_path = os.path.join(self.scratch.name, "log")
        where = [] if "listen" in (config or {}) else ["--address", "127.0.0.1", "--port", "0"]
        command = [program, *where, "--www", SOURCE_ROOT + "/www", "--threads", "2", *options]
        self.tls = self.certify() if TLS else None
        if TLS:
            command += ["--cert", self.scratch.name + "/server.pem", "--key", self.scratch.name + "/server.key"]
        if config is not None:
            path = os.path.join(self.scratch.name, "config.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(config, file)
            command += ["--config", path]
        libc = ctypes.CDLL(None)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log,
                                            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        listening = self.wait_for(r"listening on https?://.*:(\d+)/")
        if not listening:
            print("Bail out! The daemon did not start:", self.log())
            self.process.kill()
            sys.exit(1)
        self.port = int(listening[1])

    @property
    def ports(self):
        """All that it listens at by now, in the order of the config."""
        return [int(port) for port in re.findall(r"listening on https?://.*:(\d+)/", self.log())]

    def certify(self):
        """Makes certificates in the scratch folder; returns what trusts them."""
        subprocess.run(["bash", "-c", ". tests/protocol/certificates.sh; authority; certificate server localhost"],
                       cwd=SOURCE_ROOT, env={**os.environ, "certificates": self.scratch.name}, check=True)
        return ssl.create_default_context(cafile=self.scratch.name + "/ca.pem")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stops it, unless it has been, and checks that it ends well."""
        if self.process.poll() is None:
            status = self.stop()
            report(status == 0, "the daemon ends well", f"status {status}", self.log()[-5000:])
        self.scratch.cleanup()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for(self, pattern, seconds=10):
        """The match of a regular expression in the log, or None when it doesn't come."""
        end = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self.log())
            if match or time.monotonic() > end or self.process.poll() is not None:
                return match
            time.sleep(0.02)

    def stop(self, signum=signal.SIGTERM, seconds=20):
        """Sends the signal; returns the exit status."""
        self.process.send_signal(signum)
        return self.wait(seconds)

    def wait(self, seconds=20):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def connect(self, path="/echo", headers=(), **more):
        return rawws.connect("127.0.0.1", self.port, path, headers, tls=self.tls, **more)

    def open(self, **more):
        """A connection on which nothing has been said yet."""
        return rawws.WebSocket("127.0.0.1", self.port, handshake=False, tls=self.tls, **more)

    def member(self, name, room="lobby", headers=(), **more):
        """A connection to /chat, after its own notice of joining."""
        ws = self.connect(f"/chat?username={name}&room={room}", headers, **more)
        joined = json.loads(ws.recv_message()[1])
        assert joined["message"] == f"{name} joined", joined
        return ws

    def get(self, path):
        url = f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=10, context=self.tls) as response:
            return response.read().decode()

    def metric(self, name):
        """The value of switchboard_NAME, all its labels added up; 0 when there is none."""
        return sum(float(value) for value in
                   re.findall(rf"^switchboard_{re.escape(name)}(?:{{.*}})? (\S+)$", self.get("/metrics"), re.MULTILINE))

    def memory(self):
        """Resident KiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s*(\d+)", file.read())[1])


class Report:
    tests = 0
    failed = 0


def report(ok, name, *details):
    Report.tests += 1
    Report.failed += not ok
    print(f"{'ok' if ok else 'not ok'} {Report.tests} - {name}", flush=True)
    for detail in details if not ok else ():
        print(re.sub("^", "# ", str(detail), flags=re.MULTILINE), flush=True)


def skip(name, why):
    Report.tests += 1
    print(f"ok {Report.tests} - {name} # SKIP {why}", flush=True)


def brief(value):
    text = repr(value)
    return text if len(text) < 500 else f"{text[:400]}… ({len(text)} characters)"


def where(error):
    """An exception in one line for each of its callers here."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    return "\n".join([f"{type(error).__name__}: {brief(str(error))}",
                      *(f"  {os.path.basename(f.filename)}:{f.lineno}: {f.line}" for f in frames)])


def equals(name, expected, found, *arguments, **options):
    try:
        found = found(*arguments, **options) if callable(found) else found
    except Exception as error:  # whatever it is, it is not what was expected
        report(False, name, f"expected: {brief(expected)}", where(error))
    else:
        report(found == expected, name, f"expected: {brief(expected)}", f"found: {brief(found)}")


def check(name, condition, *arguments, **options):
    """Whether it is true, or a function returns without an exception and not False."""
    try:
        found = condition(*arguments, **options) if callable(condition) else condition
    except Exception as error:
        report(False, name, where(error))
    else:
        report(found is None or bool(found), name, f"found: {brief(found)}")


def grows_little(name, daemon, before, megabytes):
    """Whether the daemon's memory has grown by less than that since it was before."""
    grown = (daemon.memory() - before) / 1024
    if SANITIZED:
        skip(name, "a sanitizer keeps memory that was freed")
    else:
        report(grown < megabytes, name, f"expected: less than {megabytes} MiB", f"found: {grown:.1f} MiB")


def bail_out(kind, error, trace):
    """For what a test didn't expect to fail: nothing that follows would make sense."""
    print(f"Bail out! {kind.__name__}: {brief(str(error))}")
    for line in "".join(traceback.format_exception(kind, error, trace)).splitlines():
        print("#", line)


sys.excepthook = bail_out


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def finish():
    print(f"1..{Report.tests}")
