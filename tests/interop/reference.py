# SPDX-License-Identifier: Apache-2.0
"""Compares the table's recorded answers with the recording itself, where
ZEGRESS_REFERENCE names the folder that has it."""

import os
from pathlib import Path

import answers


def traffic(root, scenario):
    path = Path(root, "kuma", "scenarios", scenario, "traffic.txt")
    if not path.exists():
        return {}
    return dict(answers.recorded(line)
                for line in path.read_text().splitlines())


def differences(entries):
    """entries: (service, scenario, recorded answer) of the table."""
    root = os.environ.get("ZEGRESS_REFERENCE")
    if not root:
        print("ZEGRESS_REFERENCE is not set: recorded answers not compared.")
        return []
    found, compared = [], 0
    for name, scenario, recorded in entries:
        line = traffic(root, scenario).get(name)
        if line is None:
            continue
        compared += 1
        if line != recorded:
            found.append(f"{scenario}: {name}: the table says {recorded}, "
                         f"the recording {line}")
    print(f"{compared} recorded answers compared with {root},"
          f" {len(found)} differ.")
    return found
