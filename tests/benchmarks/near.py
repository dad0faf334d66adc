"""Search for repeats and leaks, exact and near: `python -m tests.benchmarks.near [EXAMPLES]`.

So many training examples and a twentieth of them in a test split, of which known ones repeat or
nearly repeat an earlier one. The search is timed in a process of its own, for its peak of memory;
for a million the goal is 120 s and 2 GB.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from jobs.runner import dataset
from jobs.runner.check import compared
from jobs.runner.spec import Spec
from tests.benchmarks.planted import Author, Row, line_of, vocabulary

_SEED = 7
_SPEC = Spec.model_validate({"task": "summarization", "base_model": "m", "dataset": "data"})
_EVERY = 100  # of so many, one repeats an earlier one
_BACK = 100_000  # how far back it is at most
_RULES = {
    ("train", "exact"): "VT-D101",
    ("train", "alike"): "VT-D102",
    ("train", "near"): "VT-D103",
    ("test", "exact"): "VT-D105",
    ("test", "alike"): "VT-D106",
    ("test", "near"): "VT-D107",
}
Planted = set[tuple[str, str, int]]  # rule, split, line


def write(folder: Path, count: int) -> Planted:
    chance = random.Random(_SEED)
    author = Author(chance, vocabulary(chance))
    planted: Planted = set()
    earlier: deque[Row] = deque(maxlen=_BACK)
    folder.mkdir()
    for split, number in (("train", count), ("test", count // 20)):
        with (folder / f"{split}.jsonl").open("wb") as stream:
            for line, row in enumerate(_rows(author, number), 1):
                if line % _EVERY == 0:
                    kind = ("exact", "alike", "near")[line // _EVERY % 3]
                    row = _again(_once(earlier, chance), kind, chance)
                    planted.add((_RULES[split, kind], split, line))
                elif split == "train":  # what repeats another is not repeated
                    earlier.append(row)
                stream.write(line_of(row))
    return planted


def _rows(author: Author, count: int) -> Iterator[Row]:
    return (author.summary() for _ in range(count))


def _once(rows: deque[Row], chance: random.Random) -> Row:
    place = chance.randrange(len(rows))
    row = rows[place]
    del rows[place]  # what is repeated twice repeats a repetition
    return row


def _again(row: Row, kind: str, chance: random.Random) -> Row:
    if kind == "exact":
        return row
    if kind == "alike":
        return row[0].upper(), f"{row[1]}!"
    words = row[0].split(" ")
    for place in chance.sample(range(8, len(words) - 2), 3):
        words[place] = "otherwise"
    return " ".join(words), row[1]


def search(folder: Path) -> None:
    alike = compared(_SPEC)
    found = dataset.read(dataset.local_sources(folder, "data"), None, [alike])
    said = [*alike.findings(found.sources)]
    print(json.dumps([(one.rule.id, one.problem.path, one.problem.line, one.more) for one in said]))


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        planted = write(folder / "data", count)
        size = sum(path.stat().st_size for path in (folder / "data").iterdir()) / 1e6
        command = [sys.executable, "-m", "tests.benchmarks.near", "--search", name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found, last = done.stdout.splitlines()
    seconds, kilobytes = map(float, last.split())
    print(f"{count:,} training examples and {count // 20:,} to test, {size:,.0f} MB:")
    print(f"{seconds:.1f} s, {count / seconds:,.0f} examples/s, {kilobytes / 1024:,.0f} MB at most")
    compare(json.loads(found), planted)


def compare(found: list[tuple[str, str, int, int]], planted: Planted) -> None:
    """Of each rule a check keeps the first lines and counts the rest; those are compared."""
    print(f"\n{'rule':<10} {'planted':>8} {'counted':>8} {'missed':>7} {'false alarms':>13}")
    for (split, _), id in _RULES.items():
        lines = {line for rule, path, line, _ in found if rule == id and split in path and line}
        wanted = {line for rule, _, line in planted if rule == id}
        more = sum(more for rule, _, _, more in found if rule == id)
        shown = {line for line in wanted if not more or line <= max(lines, default=0)}
        missed, wrong = len(shown - lines), len(lines - wanted)
        print(f"{id:<10} {len(wanted):>8} {len(lines) + more:>8} {missed:>7} {wrong:>13}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--search", metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.search:
        start = time.perf_counter()
        search(Path(arguments.search))
        took = time.perf_counter() - start
        print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    else:
        main(arguments.count)
