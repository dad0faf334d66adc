"""The tests of what a branch changes: `python -m tests.changed BASE` names their folders."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from jobs.runner.touched import touched

ROOT = Path(__file__).resolve().parents[1]
_END = "tests/end_to_end"
_PAGES = ("tests/test_docs.py", "tests/test_readme.py", "tests/infra/test_grants.py")
# Where a change begins, and what then has to be tried; the first that fits counts.
_ROOMS = (
    ("infra/", ("tests/infra", f"{_END}/test_infrastructure.py", f"{_END}/test_policy.py")),
    ("jobs/runner/", ("tests/runner", "tests/test_readme.py", f"{_END}/test_loop.py")),
    ("jobs/emulator/", ("tests/emulator", f"{_END}/test_loop.py")),
    (".github/", ("tests/workflows",)),
    ("tests/", ()),
    ("jobs/", ("tests/test_readme.py", "tests/runner/test_schema.py")),
    ("datasets/", ("tests/test_readme.py",)),
    ("docs/", (*_PAGES, "tests/runner/findings", "tests/infra/test_settings.py")),
    ("README.md", _PAGES),
)


def chosen(paths: Iterable[str]) -> list[str]:
    """Everything for what everything goes by, as the lock file does."""
    wanted: set[str] = set()
    for path in paths:
        room = next((rooms for start, rooms in _ROOMS if path.startswith(start)), None)
        if room is None:
            return ["tests"]
        wanted.update(room or _itself(path))
    return sorted(wanted)


def _itself(path: str) -> list[str]:
    name = path.rpartition("/")[2]
    return [path] if name.startswith("test_") and (ROOT / path).exists() else ["tests"]


if __name__ == "__main__":
    print(*chosen(touched(ROOT, sys.argv[1]).paths))
