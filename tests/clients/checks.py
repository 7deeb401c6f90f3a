"""What the Python clients are asked, and TAP of what comes of it."""
import os
import sys

TEXT = "Grüße, 世界 😀 " * 40
BINARY = bytes(range(256)) * 16
MEBIBYTE_TEXT = "0123456789abcdef" * 65536
MEBIBYTE = os.urandom(1 << 20)
TOO_MUCH = bytes((2 << 20) + 1)

base = sys.argv[1]
count = 0
failed = False


def check(name, ok, seen=""):
    global count, failed
    count += 1
    failed = failed or not ok
    print(f"{'ok' if ok else 'not ok'} {count} - {name}", flush=True)
    if not ok:
        print(f"# {seen!r}"[:300])


def finish():
    print(f"1..{count}")
    sys.exit(failed)
