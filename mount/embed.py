#!/usr/bin/env python3
"""Makes files into a C source: embed.py OUTPUT FILE... gives each as a string, asyncapi.json as asyncapi_json."""

import json
import os
import sys

with open(sys.argv[1], "w", encoding="ascii") as out:
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            text = json.dumps(json.load(file), ensure_ascii=False, separators=(",", ":")).encode()
        name = os.path.basename(path).replace(".", "_")
        out.write(f"extern const char {name}[];\nconst char {name}[] =\n")
        for i in range(0, len(text), 64):
            out.write('\t"' + "".join(f"\\{byte:03o}" for byte in text[i:i + 64]) + '"\n')
        out.write("\t;\n")
