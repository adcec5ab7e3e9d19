# SPDX-License-Identifier: Apache-2.0
"""Writes dictionaries, lists and texts as YAML, the way people write it."""

import json


def documents(values):
    return "---\n".join(block(value, 0) for value in values)


def block(value, depth):
    lines = []
    for key, inner in value.items():
        lines.append("  " * depth + f"{key}:" + after_key(inner, depth))
    return "".join(lines)


def after_key(value, depth):
    if isinstance(value, dict):
        return "\n" + block(value, depth + 1)
    if isinstance(value, list) and isinstance(value[0], dict):
        return "\n" + "".join(item(v, depth) for v in value)
    if isinstance(value, str) and "\n" in value:
        margin = "  " * (depth + 1)
        return " |\n" + "".join(margin + line + "\n"
                                for line in value.splitlines())
    return f" {json.dumps(value)}\n"


def item(value, depth):
    text = block(value, depth + 1)
    return "  " * depth + "- " + text[2 * (depth + 1):]
