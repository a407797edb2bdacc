#!/usr/bin/env python3
"""Writes bot-api.json: one sample of everything that an update can hold, from a machine-readable Bot API schema (that of aiogram).

Usage: bot-api.py <schema.json>
"""

import json
import re
import sys
from pathlib import Path

SCALARS = {"Integer": 1, "Float": 1.5, "Boolean": True, "True": True, "String": "sample", "InputFile": "sample"}
# Fields whose value decides what the object is.
TAGS = ("type", "status", "source", "action")
# What a sample says where a person would have typed.
WORDS = "{words}"
# Fields that are plain strings in which a person typed.
SAID = ("expression", "alternative_text")


def types(schema):
    found = {}
    for section in schema["items"]:
        for child in section["children"]:
            if child["name"][0].isupper():
                found[child["name"]] = child
    return found


def alternatives(child):
    """A union lists its members in its description."""
    return [] if child["annotations"] else re.findall(r"^ - (\w+)$", child["description"], re.M)


def tag(annotation):
    """`Type of the block, always “paragraph”`"""
    found = re.search(r"(?:always|must be)\s+['\"“*]*(\w+)", annotation["description"])
    return found.group(1) if found and annotation["name"] in TAGS else None


def sample(kinds, name, optional=False, seen=()):
    """A value of a type; optional fields only at the top."""
    name = name.split(" or ")[0]
    if name.startswith("Array of "):
        return [sample(kinds, name.removeprefix("Array of "), False, seen)]
    if name in SCALARS:
        return SCALARS[name]
    if name == "RichText":
        return WORDS
    child = kinds[name]
    members = [member for member in alternatives(child) if member not in seen]
    if members:
        return sample(kinds, members[0], optional, seen + (name,))
    value = {}
    for field in child["annotations"]:
        nested = field["type"]
        again = any(part in seen + (name,) for part in nested.split())
        wanted = field["required"] or optional or nested == "RichText"
        if again or not wanted:
            continue
        said = field["name"] in SAID and nested == "String"
        value[field["name"]] = tag(field) or (WORDS if said else sample(kinds, nested, False, seen + (name,)))
    return value


def main():
    schema = json.loads(Path(sys.argv[1]).read_text())
    kinds = types(schema)
    base = {"message_id", "date", "chat", "from", "text", "caption"}
    fields = {f["name"]: sample(kinds, f["type"], True) for f in kinds["Message"]["annotations"] if f["name"] not in base}
    entity = next(f for f in kinds["MessageEntity"]["annotations"] if f["name"] == "type")
    extras = {f["name"]: sample(kinds, f["type"]) for f in kinds["MessageEntity"]["annotations"] if not f["required"]}
    blocks = [sample(kinds, name, True) for name in alternatives(kinds["RichBlock"])]
    inline = [sample(kinds, name, True) for name in alternatives(kinds["RichText"])]
    buttons = {f["name"]: sample(kinds, f["type"]) for f in kinds["InlineKeyboardButton"]["annotations"] if f["name"] != "text"}
    updates = {f["name"]: sample(kinds, f["type"]) for f in kinds["Update"]["annotations"] if f["name"] != "update_id"}
    out = {
        "version": schema["api"]["version"],
        "fields": fields,
        "entities": re.findall(r"'(\w+)'", entity["description"]),
        "entity": extras,
        "blocks": blocks,
        "inline": inline,
        "buttons": buttons,
        "updates": updates,
    }
    def line(value):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    def lines(value):
        if isinstance(value, dict):
            inner = [f"  {line(name)}: {line(value[name])}" for name in sorted(value)]
            return "{\n" + ",\n".join(inner) + "\n }"
        return "[\n" + ",\n".join(f"  {line(item)}" for item in value) + "\n ]" if isinstance(value, list) else line(value)

    text = ",\n".join(f" {line(name)}: {lines(value)}" for name, value in out.items())
    Path(__file__).with_suffix(".json").write_text("{\n" + text + "\n}\n")


if __name__ == "__main__":
    main()
