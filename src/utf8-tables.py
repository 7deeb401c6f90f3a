#!/usr/bin/env python3
"""Writes src/utf8-tables.c: what names need to know of Unicode, from Python's unicodedata.

    src/utf8-tables.py > src/utf8-tables.c
"""

import sys
import unicodedata

ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
HANGUL = range(0xAC00, 0xD7A4)  # composed by arithmetic
FIRST_JOINED = 0x590  # no script before this one's letters joins

# Default_Ignorable_Code_Point: Python has no such property.
IGNORABLE = [(0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
             (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
             (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)]


def ranges(numbers):
    found = []
    for c in numbers:
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def compositions():
    """(composite, first, second) of what the composed form has."""
    for c in ALL:
        parts = unicodedata.decomposition(chr(c)).split()
        if len(parts) == 2 and parts[0][0] != "<" and unicodedata.normalize("NFC", chr(c)) == chr(c):
            yield c, int(parts[0], 16), int(parts[1], 16)


def classes():
    """(first, last, class) of those whose combining class isn't 0."""
    found = []
    for c in ALL:
        combining = unicodedata.combining(chr(c))
        if found and found[-1][1] == c - 1 and found[-1][2] == combining:
            found[-1][1] = c
        elif combining:
            found.append([c, c, combining])
    return found


def is_joined(c):
    """A letter, mark or picture that a joiner may stand beside."""
    ignorable = any(first <= c <= last for first, last in IGNORABLE)
    return c >= FIRST_JOINED and not ignorable and (unicodedata.category(chr(c))[0] in "LM" or is_picture(c))


def is_picture(c):
    return unicodedata.category(chr(c)) in ("So", "Sk") and (0x2190 <= c <= 0x2BFF or c >= 0x1F000)


def gaps_filled(found):
    """The same with code points that nobody has yet, so that there are fewer."""
    filled = []
    for first, last in found:
        if filled and all(unicodedata.category(chr(c)) == "Cn" for c in range(filled[-1][1] + 1, first)):
            filled[-1][1] = last
        else:
            filled.append([first, last])
    return filled


def table(kind, name, rows):
    print(f"\nconst struct {kind} {name}[] = {{")
    line = ""
    for row in rows:
        item = "{" + ",".join(f"{n:#x}" for n in row) + "},"
        if len(line) + len(item) > 90:
            print("\t" + line.rstrip())
            line = ""
        line += item + " "
    print("\t" + line.rstrip())
    print(f"}};\n\nconst size_t n_{name} = sizeof({name}) / sizeof({name}[0]);")


def main():
    never = [c for c in ALL if unicodedata.normalize("NFC", chr(c)) != chr(c)]
    composed = list(compositions())
    print(f"/* By utf8-tables.py, from Unicode {unicodedata.unidata_version}; not to be changed by hand. */")
    print("/* clang-format off */")
    print('#include "utf8-tables.h"')
    table("utf8_range", "utf8_ignorable", IGNORABLE)
    table("utf8_range", "utf8_joined", gaps_filled(ranges(c for c in ALL if is_joined(c))))
    table("utf8_range", "utf8_never_composed", ranges(never))
    table("utf8_range", "utf8_seconds", ranges(sorted({second for _, _, second in composed})))
    table("utf8_class", "utf8_classes", classes())
    table("utf8_composition", "utf8_compositions", composed)


if __name__ == "__main__":
    sys.exit(main())
