"""Tables of texts that may come from anywhere: nothing is cut, and no cell can break its table."""

import io
import re
from collections.abc import Iterable, Sequence

from jobs.runner.errors import plain

_WIDER_THAN_ANY = 10_000_000

# Underscores within a word mean nothing; a dollar sign can open a formula.
_MARKS = re.compile(r"[\\`*\[\]~|$]|(?<![^\W_])_|_(?![^\W_])")
# What would notify a person, or refer to an issue, wherever the report is pasted. Within a word,
# as in models/7@1, it would not: such names stay whole, to be copied.
_REFERENCES = re.compile(r"(?<!\w)@(?=\w)|#(?=\d)")


def text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows under their columns; nothing is cut, whatever the width of the terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    drawn = Table(*columns, box=box.SIMPLE_HEAD)
    for row in rows:
        drawn.add_row(*("\n".join(map(plain, cell.split("\n"))) for cell in row))
    stream = io.StringIO()
    console = Console(
        file=stream, width=_WIDER_THAN_ANY, color_system=None, markup=False, emoji=False
    )
    console.print(drawn)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).strip("\n")


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *([escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: str) -> str:
    """`text` on one line of Markdown that shows it as it is: no markup, HTML or mention."""
    line = plain(text.replace("\r\n", "\n").replace("\n", " "))
    line = line.replace("&", "&amp;").replace("<", "&lt;")
    return _REFERENCES.sub("\\g<0>\u200b", _MARKS.sub(r"\\\g<0>", line))
