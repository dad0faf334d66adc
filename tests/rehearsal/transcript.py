"""The transcript in the documentation, apart from what differs from run to run."""

import re
from pathlib import Path

from tests.workflows.files import ROOT

PAGE = ROOT / "docs" / "rehearsal.md"


def shown(path: Path = PAGE) -> list[str]:
    (text,) = re.findall(r"^```text\n(.*?)^```$", path.read_text("utf-8"), re.M | re.S)
    return plain(text)


def plain(text: str) -> list[str]:
    """Its lines; an older engine tells a drift by another code."""
    text = re.sub(r"in \d+ s\.", "in … s.", text)
    return re.sub(r"^  255  ", "  7  ", text, flags=re.M).strip("\n").split("\n")
