#!/usr/bin/env python3
"""Writes the table of Bot API facts that the simulator is built with.

usage: generate.py <bot-api schema JSON> [<bot-api-methods.json>]

Only facts go in: method names, parameter names, types, whether they are
required, and limits that the parameter's description states in a fixed form.
A limit is [unit, min, max]; units are "characters", "bytes", "items" and
"value" (a number's own range).
"""

import json
import re
import sys
from pathlib import Path

COUNTED = re.compile(r"(?<![\d.])(\d+)\s*[-–]\s*(\d+)\s+(characters|bytes|items|elements)")
UP_TO = re.compile(r"(?:up to|at most|no more than) (\d+) (characters|bytes|items|elements)", re.I)
LIST = re.compile(r"list of (\d+)-(\d+)\b")
INCLUDE = re.compile(r"must include (\d+)\s*[-–]\s*(\d+)\s+items")
VALUE = re.compile(r"[Vv]alues? between (\d+)\s*[-–]\s*(\d+) are accepted|[Mm]ust be between (\d+) and (\d+)|, (\d+)-(\d+)(?:\.|$)|; (\d+)-(\d+)(?:\.|$)")


def limit_of(kind, text):
    unit = {"elements": "items"}
    for pattern in (INCLUDE, COUNTED):
        found = pattern.search(text)
        if found:
            name = "items" if pattern is INCLUDE else found.group(3)
            return [unit.get(name, name), int(found.group(1)), int(found.group(2))]
    found = UP_TO.search(text)
    if found:
        return [unit.get(found.group(2), found.group(2)), 0, int(found.group(1))]
    found = LIST.search(text)
    if found and kind.startswith("Array"):
        return ["items", int(found.group(1)), int(found.group(2))]
    if kind == "Integer":
        found = VALUE.search(text)
        if found:
            low, high = [int(group) for group in found.groups() if group is not None]
            return ["value", low, high]
    return None


def types_of(text):
    """"Integer or String" -> ["Integer", "String"]; an array keeps its first item type."""
    if text.startswith("Array of"):
        depth = text.count("Array of")
        item = re.split(r",| and | or ", text.replace("Array of ", ""))[0]
        return ["[" * depth + item + "]" * depth]
    return re.split(r" or |, | and ", text)


def main():
    source = json.loads(Path(sys.argv[1]).read_text())
    target = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).with_name("bot-api-methods.json"))
    methods = {}
    for section in source["items"]:
        for item in section["children"]:
            name = item.get("name") or item.get("title") or ""
            if not re.fullmatch(r"[a-z][A-Za-z]+", name):
                continue
            params = []
            for field in item.get("annotations", []):
                if "required" not in field:
                    raise SystemExit(f"{name}.{field.get('name')}: not a parameter")
                row = [field["name"], types_of(field["type"]), bool(field["required"])]
                limit = limit_of(field["type"], field["description"])
                params.append(row + [limit] if limit else row)
            methods[name] = params
    version = source["api"]["version"]
    lines = [f' "{name}": {json.dumps(params)}' for name, params in sorted(methods.items())]
    target.write_text(
        f'{{"version": {json.dumps(version)}, "methods": {{\n' + ",\n".join(lines) + "\n}}\n"
    )
    print(f"Bot API {version}: {len(methods)} methods")


if __name__ == "__main__":
    main()
