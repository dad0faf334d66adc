"""Report of a pull request: its plan as one comment, what it touches first, and never too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.runner import report, tables
from jobs.runner.estimate import counted

if TYPE_CHECKING:
    from jobs.runner.plan import Change
    from jobs.runner.stack import Settings
    from jobs.runner.touched import Touched

LIMIT = 60_000  # GitHub takes 65,536 characters; what else is to stand beside a plan needs some
_COLUMNS = ("change", "name", "reason", "details")
_NAMED = 10  # files of the pipeline


def markdown(shown: report.Shown, names: frozenset[str], touched: Touched) -> str:
    """The plan of a stack; `names` are the specs that the pull request touches."""
    whole, settings = report.plan_frame(shown), shown.settings
    if touched.mixed:
        whole.head.append(_look_twice(touched.pipeline))
    mine = [change for change in shown.plan.changes if change.name in names]
    rest = [change for change in shown.plan.changes if change.name not in names]
    room = LIMIT - _size("\n\n".join([*whole.head, *whole.foot]))
    parts = [_table(mine, settings, room) if mine else "It changes no model of this stack."]
    if rest:
        parts.append(_folded(rest, settings, room - _size(parts[0])))
    return "\n\n".join([*whole.head, *parts, *whole.foot])


def _look_twice(files: Sequence[str]) -> str:
    shown = ", ".join(tables.escaped(path) for path in files[:_NAMED])
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return (
        "**Look twice**: it changes how tuning is run together with what is tuned"
        f" ({shown}{more}). Better are two pull requests, the first of them for the platform's"
        " owners."
    )


def _folded(changes: Sequence[Change], settings: Settings, room: int) -> str:
    title = f"{counted(len(changes), 'change')} of specs that this pull request does not touch"
    frame = f"<details><summary>{title}</summary>\n\n{{}}\n\n</details>"
    return frame.format(_table(changes, settings, room - _size(frame)))


def _table(changes: Sequence[Change], settings: Settings, room: int) -> str:
    """As many rows as there is room for, and how many there is none for."""
    left_out = "\n\n{:,} more: `vertune plan` shows them."
    room -= len(left_out) + 20
    lines = tables.markdown(_COLUMNS, [report.row_of(c, settings) for c in changes]).split("\n")
    kept = lines[:2]
    for line in lines[2:]:
        room -= _size(line) + 1
        if room < 0:
            return "\n".join(kept) + left_out.format(len(changes) - len(kept) + 2)
        kept.append(line)
    return "\n".join(kept)


def _size(text: str) -> int:
    return len(text.encode())
