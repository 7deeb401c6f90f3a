"""What is measured. Each measure gives one or more figures, which become the rows of the table."""
import json
import resource
import subprocess
import time

from servers import pinned

ASLEEP_MS = 15
IDLE = 10000
CROWD = 15000
ROOM_SIZES = (100, 1000, 10000)


class Failed(Exception):
    """A measurement without figures: the server lost something, or can't do it at all."""


class Bench:
    """Runs the clients. Cores are sets; an empty one means any."""

    def __init__(self, load, seconds, server_cores, client_cores):
        self.load_program, self.seconds = load, seconds
        self.server_cores, self.client_cores = server_cores, client_cores

    def load(self, server, mode, *options, path="/chat", hold=None):
        """Returns what the load client reports. hold is called while it holds its connections open."""
        command = [self.load_program, mode, "--port", str(server.port), "--path", path,
                   "--server-pid", ",".join(map(str, server.pids())), *map(str, options)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              preexec_fn=pinned(self.client_cores)) as process:
            try:
                line = process.stdout.readline() if hold else None
                held = hold() if line else None
                output, errors = process.communicate(timeout=300)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise Failed(errors.strip() or f"the load client ended with {process.returncode}")
        return {**json.loads(line or output), **(held or {})}

    def for_a_while(self):
        return "--seconds", self.seconds


class Figure:
    """One row: a value of a measure's report. per_cpu: the same for each second of the server's CPU time."""

    def __init__(self, title, key, unit, more_is_better=True, scale=1):
        self.title, self.key, self.unit, self.more_is_better, self.scale = title, key, unit, more_is_better, scale

    def value(self, report):
        return report[self.key] * self.scale


class Measure:
    """run(bench, server) returns a report. threads: of a server that can have so many, which is Switchboard."""

    def __init__(self, name, run, figures, deflate=False, threads=1):
        self.name, self.run, self.figures, self.deflate, self.threads = name, run, figures, deflate, threads

    def take(self, bench, server):
        cores = bench.server_cores
        if self.threads > 1:  # on a machine of two cores one of them is the client's as well
            cores = set(sorted(bench.server_cores | bench.client_cores)[:self.threads])
        server.start(cores, self.threads, self.deflate)
        try:
            time.sleep(0.2)
            return self.run(bench, server)
        finally:
            server.stop()


def burst(*options):
    def run(bench, server):
        report = bench.load(server, "fanout", "--members", 1000, *bench.for_a_while(), *options)
        return per_cpu(report, report["deliveries"])
    return run


def per_cpu(report, count):
    used = report["server_cpu"] * report["seconds"]
    report["count_per_cpu_second"] = count / used if used else 0
    report["cpu_ns_per_count"] = used / count * 1e9
    return report


def single(bench, server):
    return bench.load(server, "single", "--members", 1000, *bench.for_a_while())


def single_asleep(bench, server):
    """By the kernel's stamps: the client sleeps while the server works, so a second thread has a core for itself."""
    return bench.load(server, "single", "--members", 1000, "--asleep", ASLEEP_MS, *bench.for_a_while())


def steady(bench, server):
    return bench.load(server, "steady", "--members", 1000, "--rate", 50, *bench.for_a_while())


def echo(size):
    def run(bench, server):
        report = bench.load(server, "echo", "--members", 200, "--size", size, *bench.for_a_while(), path="/echo")
        return per_cpu(report, report["messages_per_second"] * report["seconds"])
    return run


def children_cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def hello(bench, server):
    before, client_before = server.cpu_seconds(), children_cpu_seconds()
    run = subprocess.run(["wrk", "-t1", "-c64", f"-d{max(1, round(bench.seconds))}s", "--latency",
                          "-s", "/dev/stdin", f"http://127.0.0.1:{server.port}/hello"],
                         input='done = function(s) local e = s.errors; io.write("\\nRESULT ", s.requests, " ", s.duration, " ", '
                               'e.connect + e.read + e.write + e.status + e.timeout, "\\n") end',
                         capture_output=True, text=True, timeout=120, check=True, preexec_fn=pinned(bench.client_cores))
    requests, microseconds, errors = run.stdout.partition("RESULT ")[2].split()[:3]
    if int(errors):
        raise Failed(f"{errors} requests failed")
    seconds = int(microseconds) / 1e6
    return per_cpu({"requests_per_second": int(requests) / seconds, "seconds": seconds,
                    "client_cpu": (children_cpu_seconds() - client_before) / seconds,
                    "server_cpu": (server.cpu_seconds() - before) / seconds}, int(requests))


def connect(bench, server):
    report = bench.load(server, "connect", "--clean", *bench.for_a_while(), path="/echo")
    return per_cpu(report, report["connections"])


def idle_memory(bench, server):
    # What a server allocates once and for all isn't the connections'.
    bench.load(server, "connect", "--clean", "--members", 100, path="/echo")
    before = server.resident()

    def weigh():
        time.sleep(1)
        return {"bytes_per_connection": (server.resident() - before) / IDLE}
    return bench.load(server, "idle", "--members", IDLE, path="/echo", hold=weigh)


def scale_echo(bench, server):
    alone, crowded = [bench.load(server, "idle", "--clean", "--members", n, "--echo-beside", 1, "--size", 20,
                                 *bench.for_a_while(), path="/echo") for n in (0, IDLE)]
    return {**crowded, "alone_us": alone["p50_us"], "change": crowded["p50_us"] / alone["p50_us"]}


def scale_crowd(bench, server):
    start = time.monotonic()
    report = bench.load(server, "fanout", "--members", CROWD, "--messages", 10, "--clean")
    report["all_seconds"] = time.monotonic() - start
    return report


def scale_cost(bench, server):
    reports = {size: burst("--members", size)(bench, server) for size in ROOM_SIZES}
    costs = {f"cpu_ns_{size}": report["cpu_ns_per_count"] for size, report in reports.items()}
    return {**reports[ROOM_SIZES[-1]], **costs}


MEASURES = [
    Measure("burst", burst(), [
        Figure("burst fan-out", "deliveries_per_second", "deliveries/s"),
        Figure("burst fan-out, of a CPU second", "count_per_cpu_second", "deliveries")]),
    Measure("single", single, [
        Figure("one message at a time, p50", "p50_us", "ms to the last receiver", False, 1e-3),
        Figure("one message at a time, p99", "p99_us", "ms to the last receiver", False, 1e-3)]),
    Measure("single-asleep", single_asleep, [
        Figure("one message, client asleep, p50", "p50_us", "ms to the last socket", False, 1e-3),
        Figure("one message, client asleep, p99", "p99_us", "ms to the last socket", False, 1e-3)]),
    Measure("single-threads", single_asleep, [
        Figure("one message, client asleep, 2 threads, p50", "p50_us", "ms to the last socket", False, 1e-3),
        Figure("one message, client asleep, 2 threads, p99", "p99_us", "ms to the last socket", False, 1e-3)], threads=2),
    Measure("steady", steady, [
        Figure("steady 50 messages/s, p50", "p50_us", "ms", False, 1e-3),
        Figure("steady 50 messages/s, p99", "p99_us", "ms", False, 1e-3)]),
    Measure("echo-20", echo(20), [
        Figure("echo, 20 bytes", "messages_per_second", "messages/s"),
        Figure("echo, 20 bytes, of a CPU second", "count_per_cpu_second", "messages")]),
    Measure("echo-16k", echo(16384), [
        Figure("echo, 16 KiB", "messages_per_second", "messages/s"),
        Figure("echo, 16 KiB, of a CPU second", "count_per_cpu_second", "messages")]),
    Measure("hello", hello, [
        Figure("GET /hello", "requests_per_second", "requests/s"),
        Figure("GET /hello, of a CPU second", "count_per_cpu_second", "requests")]),
    Measure("connect", connect, [
        Figure("new connections", "connections_per_second", "connections/s"),
        Figure("new connections, of a CPU second", "count_per_cpu_second", "connections")]),
    Measure("idle-memory", idle_memory, [
        Figure("idle connection", "bytes_per_connection", "bytes resident", False)]),
    Measure("burst-deflate", burst("--deflate"), [
        Figure("burst fan-out, deflate", "deliveries_per_second", "deliveries/s"),
        Figure("burst fan-out, deflate, of a CPU second", "count_per_cpu_second", "deliveries")], deflate=True),
    Measure("burst-deflate-1k", burst("--deflate", "--size", 1024), [
        Figure("burst fan-out, deflate, 1 KiB", "deliveries_per_second", "deliveries/s"),
        Figure("burst fan-out, deflate, 1 KiB, of a CPU second", "count_per_cpu_second", "deliveries")], deflate=True),
    Measure("scale-echo", scale_echo, [
        Figure("echo alone, p50", "alone_us", "µs", False),
        Figure(f"echo beside {IDLE} idle connections, p50", "p50_us", "µs", False),
        Figure("of that to the one alone", "change", "times", False)]),
    Measure("scale-crowd", scale_crowd, [
        Figure(f"{CROWD} join one room, chat and leave (Switchboard tells each of the others so)", "all_seconds", "s", False)]),
    Measure("scale-cost", scale_cost, [
        Figure(f"CPU for a delivery to {size} members", f"cpu_ns_{size}", "ns", False) for size in ROOM_SIZES]),
]
