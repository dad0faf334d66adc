"""Benchmark: seconds of a first and a second `pulumi up`, beside those of an empty program.

Run as `python -m tests.benchmarks.engine`. What an empty program takes is Pulumi's own.
"""

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from jobs.emulator.emulator import Emulator
from tests.end_to_end.pulumi import ROOT, Pulumi

_ROUNDS = 3
_GOALS = {"first": 5.0, "second": 3.5}
_EMPTY = "name: empty\nruntime: python\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        empty = _empty_project(Path(folder) / "empty")
        rounds = [  # in turns: what else the machine does hits both alike
            (
                _measured(ROOT, Path(folder) / f"{number}"),
                _measured(empty, Path(folder) / f"e{number}"),
            )
            for number in range(_ROUNDS)
        ]
    print(f"{'pulumi up':<10}{'seconds':>9}{'empty':>9}{'ratio':>7}{'goal':>7}")
    for name, goal in _GOALS.items():
        ours = statistics.median(one[name] for one, _ in rounds)
        floor = statistics.median(other[name] for _, other in rounds)
        print(f"{name:<10}{ours:>9.2f}{floor:>9.2f}{ours / floor:>7.2f}{goal:>7.1f}")


def _measured(project: Path, folder: Path) -> dict[str, float]:
    with Emulator(folder / "emulator", trainer="nearest") as emulator:
        pulumi = Pulumi(emulator.url, folder / "stack", project)
        return {name: _seconds(pulumi) for name in _GOALS}


def _seconds(pulumi: Pulumi) -> float:
    start = time.monotonic()
    ran = pulumi.up()
    seconds = time.monotonic() - start
    assert ran.code == 0, ran.text
    return seconds


def _empty_project(folder: Path) -> Path:
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(_EMPTY, "utf-8")
    (folder / "__main__.py").write_text('"""Nothing."""\n', "utf-8")
    shutil.copy(ROOT / "Pulumi.local.yaml", folder)
    return folder


if __name__ == "__main__":
    main()
