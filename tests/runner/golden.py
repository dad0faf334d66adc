"""Golden transcripts: what users read, whole, in golden/.

VERTUNE_GOLDEN=write pytest tests/runner writes them anew; read them before a commit.
"""

import os
from pathlib import Path

GOLDEN = Path(__file__).with_name("golden")


def golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("VERTUNE_GOLDEN") == "write":
        path.write_text(text + "\n", "utf-8")
    assert text + "\n" == path.read_text("utf-8")
