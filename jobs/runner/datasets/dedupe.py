"""Dedupe: the examples of a file without those that repeat an earlier one."""

from pathlib import Path
from typing import Literal

from jobs.runner.datasets.files import checked, new, rows
from jobs.runner.findings.near import Near
from jobs.runner.findings.repeats import normal

How = Literal["exact", "alike", "near"]


def dedupe(path: Path, to: Path, how: How) -> tuple[int, int]:
    """How many are kept and how many left out; `alike` but for case, spaces and punctuation."""
    near = Near(same_answer=True) if how == "near" else None
    found = checked(path, near)
    repeats = {row for row, _ in near.pairs(found.sources, None)} if near else set()
    seen: set[int] = set()
    kept = 0
    with new(to) as stream:
        for place, row in enumerate(rows(path)):
            asked, answer = row.example.asked, row.example.answer
            key = hash((asked, answer) if how == "exact" else (normal(asked), normal(answer)))
            if key not in seen and place not in repeats:
                stream.write(row.line + b"\n")
                kept += 1
            seen.add(key)
    return kept, found.train.examples - kept
