"""What a check finds and how fast: `python -m tests.benchmarks.findings [LINES]`.

Files with planted defects are written and checked: what is found, missed and found wrongly; and
how long reading and checking take, beside the floor, a bare parse of the same lines. Each is
timed in a process of its own, for its peak of memory. Everything is looked for by two processes:
the clock's time is what one waits, that of the processor is of both, as is the memory.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import orjson

from jobs.runner import catalog, check, dataset, examined, memory, spec
from jobs.runner.examined import Data
from jobs.runner.found import Found
from jobs.runner.lines import Source
from jobs.runner.rows import SplitName
from jobs.runner.rules import Finding
from tests.benchmarks import planted
from tests.benchmarks.planted import Planted

_SEED = 7
_TIMES = 3
_TASKS = {"summarization": 1, "classification": 10, "extractive_qa": 10}
_SPEC = "task: {task}\nbase_model: gemini-3.1-flash-lite\ndataset: data\ntuning: {{epochs: 1}}\n"
# The first line of each split, and what is of a file and not of a line, is not planted.
_OF_FILES = {"VT-D037", "VT-D038", "VT-D041", "VT-S010", "VT-D112", "VT-D114", "VT-D130"}


def bare(folder: Path) -> None:
    for path in sorted((folder / "data").glob("*.jsonl")):
        with path.open("rb") as stream:
            for line in stream:
                try:
                    orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue


def standard(folder: Path) -> None:
    for path in sorted((folder / "data").glob("*.jsonl")):
        with path.open("rb") as stream:
            for line in stream:
                try:
                    json.loads(line)
                except (ValueError, RecursionError):
                    continue


def form(folder: Path) -> None:
    for source in _sources(folder).values():
        for _ in dataset.examples(source, None, Found(source.shown)):
            continue


def read(folder: Path) -> None:
    dataset.read(_sources(folder), None)


def everything(folder: Path) -> None:
    found = _found(folder)
    print(json.dumps([(f.rule.id, f.problem.path, f.problem.line, f.more) for f in found]))


def _sources(folder: Path) -> dict[SplitName, Source]:
    return dataset.local_sources(folder, "data")


def _found(folder: Path) -> list[Finding]:
    (file,) = spec.load(folder, "local")
    facts = catalog.load().base_models[file.spec.base_model]
    sources = Data(_sources(folder), partial(dataset.local_sources, folder, "data"))
    data, said = examined.examined(file.spec, sources, None)
    return check.findings(file, data, facts, "us-central1", date(2026, 11, 23), examined=said)


MEASURES: dict[str, Callable[[Path], None]] = {
    "bare parse (orjson)": bare,
    "parse (json)": standard,
    "form of every line": form,
    "form, sizes, digest": read,
    "everything": everything,
}


def measured(name: str, folder: Path) -> tuple[float, float, float, str]:
    """Seconds by the clock and of the processor, megabytes at the peak, and what is said.

    The best of several times: on a machine that others use too, the others can only slow it.
    """
    return min(_measured(name, folder) for _ in range(_TIMES))


def _measured(name: str, folder: Path) -> tuple[float, float, float, str]:
    command = [sys.executable, "-m", "tests.benchmarks.findings", "--measure", name, str(folder)]
    # Python keeps what it compiled, as it does by default, whatever is set here.
    kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, **kept}
    )
    *said, last = done.stdout.splitlines()
    seconds, processor, kilobytes = map(float, last.split())
    return seconds, processor, kilobytes / 1024, "\n".join(said)


def compare(found: str, wanted: Planted) -> None:
    lines = {(id, Path(path).stem, line) for id, path, line, _ in json.loads(found) if line}
    lines = {one for one in lines if one[0] not in _OF_FILES}
    print(f"\n{'rule':<10} {'planted':>7} {'found':>6} {'missed':>6} {'false alarms':>13}")
    for id in sorted({one[0] for one in lines | wanted}):
        mine, there = {o for o in lines if o[0] == id}, {o for o in wanted if o[0] == id}
        hit, wrong = len(mine & there), len(mine - there)
        print(f"{id:<10} {len(there):>7} {hit:>6} {len(there) - hit:>6} {wrong:>13}")
    wrong = Counter(one[0] for one in lines - wanted).total()
    hit = len(lines & wanted)
    print(f"{'all':<10} {len(wanted):>7} {hit:>6} {len(wanted) - hit:>6} {wrong:>13}")


def main(count: int) -> None:
    for task, share in _TASKS.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for made in ("data", "jobs"):
                (folder / made).mkdir()
            (folder / "jobs/a.yaml").write_text(_SPEC.format(task=task), "utf-8")
            wanted = planted.write(folder / "data", task, count // share, _SEED)
            size = sum(path.stat().st_size for path in (folder / "data").iterdir()) / 1e6
            print(f"\n{task}: {count // share:,} training examples, {size:,.0f} MB")
            heads = f"{'seconds':>8} {'of bare':>8} {'MB/s':>6} {'processor':>10} {'of bare':>8}"
            heads += f" {'peak MB':>8}"
            print(f"{'':<20} {heads}")
            floor, least, said = 0.0, 0.0, ""
            for measure in MEASURES:
                seconds, processor, peak, said = measured(measure, folder)
                least, floor = least or seconds, floor or processor
                print(
                    f"{measure:<20} {seconds:>8.2f} {seconds / least:>7.1f}x {size / seconds:>6.0f}"
                    f" {processor:>10.2f} {processor / floor:>7.1f}x {peak:>8.0f}"
                )
            compare(said, wanted)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        name, where = arguments.measure
        memory.generous()  # as commands do
        start, processor = time.perf_counter(), time.process_time()
        MEASURES[name](Path(where))
        took = time.perf_counter() - start
        both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        processor = time.process_time() - processor + both[1].ru_utime + both[1].ru_stime
        print(took, processor, sum(one.ru_maxrss for one in both))
    else:
        main(arguments.count)
