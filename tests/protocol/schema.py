"""JSON Schema, as much of it as the contracts use: anything else in a schema is an error, so that nothing passes unseen.

A property that isn't described is an error, too, unless the schema says otherwise: what is true of the daemon is to be
written down.
"""

import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}
NOTES = {"description", "default", "format", "title"}


class Schemas:
    def __init__(self, document):
        self.document = document

    def resolve(self, node):
        while "$ref" in node:
            path, node = node["$ref"], self.document
            assert path.startswith("#/"), path
            for part in path[2:].split("/"):
                node = node[part.replace("~1", "/").replace("~0", "~")]
        return node

    def problem(self, value, schema, where="$"):
        """What is wrong with the value, in words, or None."""
        schema = self.resolve(schema)
        for keyword, wanted in schema.items():
            if keyword in NOTES or keyword == "additionalProperties":
                continue
            found = getattr(self, "check_" + keyword)(value, wanted, schema, where)
            if found:
                return found
        return None

    def check_type(self, value, wanted, schema, where):
        if wanted in ("integer", "number"):
            good = isinstance(value, int if wanted == "integer" else (int, float)) and not isinstance(value, bool)
        else:
            good = isinstance(value, TYPES[wanted])
        return None if good else f"{where}: {value!r} is no {wanted}"

    def check_const(self, value, wanted, schema, where):
        return None if value == wanted else f"{where}: {value!r} is not {wanted!r}"

    def check_enum(self, value, wanted, schema, where):
        return None if value in wanted else f"{where}: {value!r} is none of {wanted}"

    def check_minimum(self, value, wanted, schema, where):
        return None if value >= wanted else f"{where}: {value} is less than {wanted}"

    def check_maximum(self, value, wanted, schema, where):
        return None if value <= wanted else f"{where}: {value} is more than {wanted}"

    def check_minLength(self, value, wanted, schema, where):
        return None if len(value) >= wanted else f"{where}: {value!r} is too short"

    def check_maxLength(self, value, wanted, schema, where):
        return None if len(value) <= wanted else f"{where}: {value!r} is too long"

    def check_maxItems(self, value, wanted, schema, where):
        return None if len(value) <= wanted else f"{where}: too many"

    def check_pattern(self, value, wanted, schema, where):
        return None if re.search(wanted, value) else f"{where}: {value!r} is not like {wanted}"

    def check_required(self, value, wanted, schema, where):
        missing = [name for name in wanted if name not in value]
        return f"{where}: no {', '.join(missing)}" if missing else None

    def check_properties(self, value, wanted, schema, where):
        for name, inner in value.items():
            if name in wanted:
                found = self.problem(inner, wanted[name], f"{where}.{name}")
            else:
                found = None if schema.get("additionalProperties") else f"{where}: {name} is not described"
            if found:
                return found
        return None

    def check_items(self, value, wanted, schema, where):
        return next((found for i, item in enumerate(value) if (found := self.problem(item, wanted, f"{where}[{i}]"))), None)

    def check_oneOf(self, value, wanted, schema, where):
        problems = [self.problem(value, option, where) for option in wanted]
        fitting = problems.count(None)
        return None if fitting == 1 else f"{where}: {fitting} of {len(wanted)} fit: {problems}"

    def references(self):
        """All that is referred to, to see that it is there."""
        stack = [self.document]
        while stack:
            node = stack.pop()
            if isinstance(node, dict):
                if "$ref" in node:
                    yield node["$ref"]
                stack += node.values()
            elif isinstance(node, list):
                stack += node
