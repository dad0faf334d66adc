"""Other checkers beside ours: `python -m tests.benchmarks.peers [EXAMPLES]`.

Together's file check and the validators of OpenAI's old client (0.28), each in an environment of
its own that uv makes from the package index, in the same run as ours. A defect is found by ours if
it is called by its name, by them if anything else is said of a file that holds it than of one that
does not. What needs two splits none of them takes. Who does not install is left out, and named.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import planted
from tests.benchmarks.findings import measured
from tests.benchmarks.planted import Author, Row, line_of, vocabulary

_SEED = 7
_ROWS, _PLACE = 300, 200  # of a small file, and where the defect is
_SPEC = "task: {}\nbase_model: gemini-3.1-flash-lite\ndataset: data\ntuning: {{epochs: 1}}\n"
_AUTHORS = {"summarization": Author.summary, "classification": Author.topic}
_AUTHORS |= {"extractive_qa": Author.question}
# Reads names of files; prints for each what is said of it, and the seconds that it took.
_SCRIPT = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
{imports}
def said(path):
{body}
for path in sys.argv[1:]:
    start = time.perf_counter()
    try:
        words = said(path)
    except BaseException as error:
        words = type(error).__name__
    took = time.perf_counter() - start
    print(json.dumps([repr(words).replace(path, ""), took]))
"""


@dataclass(frozen=True)
class Peer:
    requirements: tuple[str, ...]
    imports: str
    body: str

    def said(self, paths: list[Path]) -> list[tuple[str, float]] | None:
        """None where it does not install."""
        wanted = [word for one in self.requirements for word in ("--with", one)]
        script = _SCRIPT.format(imports=self.imports, body=self.body)
        uv = [str(Path(sys.executable).with_name("uv")), "run", "--quiet", "--isolated"]
        command = [*uv, "--no-project", "--python", sys.executable, *wanted, "python", "-c", script]
        done = subprocess.run([*command, *map(str, paths)], capture_output=True, text=True)
        if done.returncode:
            return None
        return [tuple(json.loads(line)) for line in done.stdout.splitlines()[-len(paths) :]]


PEERS = {
    "Together": Peer(
        ("together>=1.5,<2",),
        "from pathlib import Path\nfrom together.utils.files import check_file",
        "    found = check_file(Path(path))\n    return found['is_check_passed'], found['message']",
    ),
    "OpenAI 0.28": Peer(
        ("openai==0.28.1", "pandas<3"),
        "from openai import validators as them",
        """
    frame, found = them.read_any_format(path)
    words = [found[1:]]
    for check in them.get_validators() if found.error_msg is None else ():
        found = check(frame)
        if found is not None:
            words.append([word for word in found if isinstance(word, str)])
            if found.error_msg is not None:
                break
            if found.necessary_fn is not None:
                frame = found.necessary_fn(frame)
    return words
""",
    ),
}


def defects() -> Iterator[tuple[str, str, Row, bytes | Row]]:
    """Each rule, its task, a row that is right, and what stands in its place."""
    chance = random.Random(_SEED)
    author = Author(chance, vocabulary(chance))
    for id, line in planted.LINES.items():
        yield id, "summarization", author.summary(), line
    groups = {"summarization": planted.CHANGES, "classification": planted.CLASSES}
    for task, changes in (groups | {"extractive_qa": planted.EXTRACTS}).items():
        for id, change in changes.items():
            row = _AUTHORS[task](author)
            yield id, task, row, change(row)
    for id, again in planted.REPEATS.items():
        row = author.summary()
        yield id, "summarization", row, again(_small("summarization")[_PLACE // 2], row)


def _small(task: str) -> list[Row]:
    chance = random.Random(_SEED + 1)
    author = Author(chance, vocabulary(chance))
    return [_AUTHORS[task](author) for _ in range(_ROWS)]


def as_theirs(line: bytes) -> bytes:
    """Pairs and turns by the names that they know."""
    names = {b"input_text": b"prompt", b"output_text": b"completion"}
    if line.startswith(b'{"prompt"'):
        return line.replace(b"prompt", b"ask").replace(b"completion", b"answer")
    for ours, theirs in names.items():
        line = line.replace(ours, theirs)
    return line


def written(folder: Path, task: str, line: bytes, theirs: bool) -> Path:
    """A file whose line at a known place is this one."""
    lines = [line_of(row) for row in _small(task)]
    lines[_PLACE] = line
    (folder / "data").mkdir(parents=True)
    (folder / "jobs").mkdir()
    (folder / "jobs/a.yaml").write_text(_SPEC.format(task), "utf-8")
    path = folder / "data/train.jsonl"
    path.write_bytes(b"".join([as_theirs(one) if theirs else one for one in lines]))
    return path


def compare(folder: Path) -> None:
    """Of each defect, who finds it."""
    ids, ours, theirs = [], [], []
    for id, task, row, bad in defects():
        ids.append(id)
        for name, line in (("good", line_of(row)), ("bad", bad)):
            line = line if isinstance(line, bytes) else line_of(line)
            theirs.append(written(folder / f"theirs/{id}/{name}", task, line, theirs=True))
            ours.append(written(folder / f"ours/{id}/{name}", task, line, theirs=False))
    answers = {"vertune": [*_of_pairs(ids, [_ours(path) for path in ours])]}
    for name, peer in PEERS.items():
        if (said := peer.said(theirs)) is None:
            print(f"{name} does not install here and is left out")
        else:
            answers[name] = [good != bad for good, bad in _pairs([words for words, _ in said])]
    _print(ids, answers)


def _ours(path: Path) -> set[str]:
    from tests.benchmarks.findings import _found

    return {one.rule.id for one in _found(path.parents[1])}


def _pairs(said: list[str]) -> Iterator[tuple[str, str]]:
    return zip(said[::2], said[1::2], strict=True)


def _of_pairs(ids: list[str], found: list[set[str]]) -> Iterator[bool]:
    """Ours must call it by its name."""
    for id, good, bad in zip(ids, found[::2], found[1::2], strict=True):
        yield id in bad and id not in good


def _print(ids: list[str], answers: dict[str, list[bool]]) -> None:
    print(f"{'defect':<10}" + "".join(f"{name:>13}" for name in answers))
    for place, id in enumerate(ids):
        found = ["yes" if answers[name][place] else "-" for name in answers]
        print(f"{id:<10}" + "".join(f"{one:>13}" for one in found))
    print(f"{len(ids):<10}" + "".join(f"{sum(found):>13}" for found in answers.values()))


def race(folder: Path, count: int) -> None:
    """All on the same rows without a defect."""
    chance = random.Random(_SEED)
    author = Author(chance, vocabulary(chance))
    path = written(folder / "race", "summarization", line_of(author.summary()), theirs=False)
    lines = [line_of(author.summary()) for _ in range(count)]
    path.write_bytes(b"".join(lines))
    theirs = path.with_name("theirs.jsonl")
    theirs.write_bytes(b"".join(map(as_theirs, lines)))
    print(f"\n{count:,} examples, {path.stat().st_size / 1e6:,.0f} MB")
    names = ("form of every line", "everything")
    ours = {name: measured(name, folder / "race")[0] for name in names}
    said = {name: peer.said([theirs]) for name, peer in PEERS.items()}
    seconds = ours | {name: found[0][1] for name, found in said.items() if found}
    print(f"{'':<20}{'seconds':>9}" + "".join(f"{f'of {name}':>23}" for name in names))
    for name, took in seconds.items():
        print(f"{name:<20}{took:>9.2f}" + "".join(f"{took / ours[n]:>22.1f}x" for n in names))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int, nargs="?", default=300_000)
    with tempfile.TemporaryDirectory() as name:
        compare(Path(name))
        race(Path(name), parser.parse_args().count)
