#!/usr/bin/env python3
"""Many compressing connections at once on an echo endpoint: each message comes back bit for bit.

    deflate_many.py HOST PORT [PATH] [--connections 50] [--messages 12] [--max 1048576] [--rounds 1] [--all] [--seed 1]

Every connection negotiates another mix of windows and context takeover, cuts its messages at random places, sends some
uncompressed, and has several messages in flight. Exits 1 when anything differs, and says what.
"""

import argparse
import itertools
import random
import sys
import threading

import rawws


def offers():
    """Every window and takeover combination, as the value of Sec-WebSocket-Extensions."""
    for server, client, sn, cn in itertools.product(range(9, 16), [None, "", *range(8, 16)], (0, 1), (0, 1)):
        offer = "permessage-deflate"
        offer += f"; server_max_window_bits={server}" if server < 15 else ""
        offer += "" if client is None else "; client_max_window_bits" + (f"={client}" if client else "")
        offer += "; server_no_context_takeover" if sn else ""
        offer += "; client_no_context_takeover" if cn else ""
        yield offer


def payload(rng, size):
    """Text, noise, or a run, of that size, as (opcode, bytes)."""
    kind = rng.randrange(4)
    if kind == 0:
        return rawws.BINARY, rng.randbytes(size)
    if kind == 1:
        return rawws.BINARY, bytes([rng.randrange(256)]) * size
    words = [bytes(rng.choices(b"abcdefghij ", k=rng.randint(2, 9))) for _ in range(50)]
    text = b" ".join(rng.choices(words, k=min(size, 20000)))
    return rawws.TEXT, (text * (size // len(text) + 1))[:size]


def exchange(ws, rng, args):
    sizes = [rng.choice([1, rng.randint(1, 200), rng.randint(1, 9000), 1024 * rng.randint(1, 16),
                         1 << rng.randint(0, args.max.bit_length() - 1), rng.randint(1, args.max)])
             for _ in range(args.messages)]
    messages = [payload(rng, size) for size in sizes]
    failed = []

    def send():
        try:
            for opcode, data in messages:
                cuts = [rng.randint(0, len(data) // 2 + 1) for _ in range(rng.choice([0, 0, 1, 2, 20]))]
                ws.send_message(opcode, data, cuts, compress=rng.random() < 0.9)
        except Exception as error:  # shown by the thread that receives
            failed.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for i, (opcode, data) in enumerate(messages):
            got = ws.recv_message()
            assert got[0] == opcode and got[1] == data, \
                f"message {i} of {len(data)} bytes came back as opcode {got[0]} with {len(got[1])}"
    except BaseException:
        ws.cut()
        raise
    finally:
        sender.join()
    assert not failed, failed
    ws.send_close(1000)
    assert ws.recv_close() == (1000, b"")


def one(args, number, offer, failures):
    rng = random.Random(args.seed * 100003 + number)
    try:
        with rawws.connect(args.host, args.port, args.path, [("Sec-WebSocket-Extensions", offer)], timeout=120, tls=args.tls) as ws:
            assert ws.deflate, "not accepted"
            exchange(ws, rng, args)
    except Exception as error:  # whatever it is, the run failed
        failures.append(f"{number}: {offer}: {type(error).__name__}: {error}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("path", nargs="?", default="/echo")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--messages", type=int, default=12)
    parser.add_argument("--max", type=int, default=1 << 20)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--all", action="store_true", help="as many rounds as it takes to use every combination")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    every = list(offers())
    random.Random(args.seed).shuffle(every)
    rounds = -(-len(every) // args.connections) if args.all else args.rounds
    failures = []
    for turn in range(rounds):
        numbers = range(turn * args.connections, (turn + 1) * args.connections)
        threads = [threading.Thread(target=one, args=(args, i, every[i % len(every)], failures)) for i in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            break
    print("\n".join([*failures[:10], f"{rounds * args.connections} connections, {args.messages} messages each, "
                                     f"{len(failures)} failed"]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
