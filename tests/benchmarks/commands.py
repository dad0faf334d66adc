"""How long commands take to answer: `python -m tests.benchmarks.commands [RUNS]`.

Each beside the floor, an interpreter that does nothing, in the same run; medians of wall time and
of processor time, as other work on the machine stretches the first alone.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERTUNE = str(Path(sys.prefix) / "bin" / "vertune")
FLOOR = "python -c pass"

COMMANDS: dict[str, tuple[tuple[str, ...], float | None]] = {
    FLOOR: ((sys.executable, "-c", "pass"), None),
    "vertune --help": ((VERTUNE, "--help"), 0.2),
    "vertune check": ((VERTUNE, "check"), 0.6),
}


def timed(command: tuple[str, ...]) -> tuple[float, float]:
    """Wall and processor seconds of one run."""
    before, start = _processor(), time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start, _processor() - before


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(runs + 1):  # in turns, so that a busy moment stretches them alike
        for name, (command, _goal) in COMMANDS.items():
            found[name].append(timed(command))
    medians = {
        name: [statistics.median(column) for column in zip(*times[1:], strict=True)]
        for name, times in found.items()  # the first run fills the caches
    }
    print(f"median of {runs}     wall      goal   of the floor   processor")
    for name, (wall, processor) in medians.items():
        goal = COMMANDS[name][1]
        shown = f"{goal:.1f} s" if goal else "-"
        ratio = wall / medians[FLOOR][0]
        print(f"{name:<16} {wall:6.3f} s {shown:>8} {ratio:11.1f} x {processor:9.3f} s")


if __name__ == "__main__":
    main()
