"""Dataset: the splits a spec points at, read in one pass, with counts, digests and faults."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from jobs.runner import rules
from jobs.runner.example import BadExample, Example, parse
from jobs.runner.found import Found
from jobs.runner.prompt import Prompt, Template
from jobs.runner.rules import Finding

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")

# 131,072 tokens an example is the service's limit; text of that many tokens stays below this.
LONGEST_LINE = 4 * 1024 * 1024
_PIECE = 1024 * 1024
_TOO_LONG = f"is longer than {LONGEST_LINE >> 20} MiB; no example may be"


class NoDataset(Exception):
    """Why what a spec names is no dataset; who reads the spec adds its file and line."""


@dataclass(frozen=True)
class Source:
    """Where a split's bytes come from; `shown` is what messages call it."""

    shown: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True)
class Split:
    """What one pass over a split found; `size` and `digest` (SHA-256) are of converted lines."""

    source: Source
    examples: int
    characters: int
    size: int
    with_files: int  # examples that hold files, whose tokens only the service can count
    longest: tuple[int, int]  # (characters, line) of the longest example
    digest: str
    longest_answer: int  # in bytes: of them, not of characters, tokens have about the same number
    findings: tuple[Finding, ...]
    lines: Mapping[bytes, int] = field(repr=False)  # digest of an example -> its first line
    repeated: tuple[tuple[int, int], ...]  # (line, the first line with the same example)
    prompt: Prompt

    def read(self, instructions: str | None) -> Iterator[Example]:
        """The examples again, one at a time. Raises BadExample if a line has gone bad since."""
        for _, line in lines(self.source):
            if line is None:
                raise BadExample(rules.LONG_LINE, _TOO_LONG)
            yield parse(line, instructions)


@dataclass(frozen=True)
class Dataset:
    """The splits by name; `train` is always there once there are no errors."""

    splits: Mapping[SplitName, Split]
    findings: tuple[Finding, ...]

    @property
    def digest(self) -> str:
        """What is tuned on: train and validation; the test split is not part of it."""
        parts = [self.splits[n].digest if n in self.splits else "" for n in SPLITS[:2]]
        return hashlib.sha256(":".join(parts).encode()).hexdigest()

    @property
    def train(self) -> Split:
        return self.splits["train"]


def local_sources(root: Path, dataset: str) -> dict[SplitName, Source]:
    """The split files of a folder, or a file as the train split.

    Raises NoDataset with what is wrong about the path.
    """
    try:
        path = _inside(root, root / dataset, dataset)
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return _folder(root, path, dataset)
    except FileNotFoundError:
        raise NoDataset(
            f"{dataset} does not exist; it is a folder with train.jsonl or a .jsonl file"
        ) from None
    except OSError as error:
        raise NoDataset(f"{dataset} cannot be read: {error.strerror}") from None
    except ValueError:
        raise NoDataset(f"{dataset} is no path") from None
    if not stat.S_ISREG(mode) or path.suffix != ".jsonl":
        raise NoDataset(f"{dataset} is no .jsonl file, and no folder that holds train.jsonl")
    return {"train": _local(root, path)}


def _inside(root: Path, path: Path, shown: str) -> Path:
    """Where a path leads, links followed. A dataset that lies elsewhere is not in git."""
    found = Path(os.path.realpath(path))
    if not found.is_relative_to(root.resolve()):
        raise NoDataset(f"{shown} lies outside of the repository; move it into datasets/")
    return found


def _folder(root: Path, folder: Path, dataset: str) -> dict[SplitName, Source]:
    files = {name: folder / f"{name}.jsonl" for name in SPLITS}
    found = {
        name: _local(root, _inside(root, file, f"{dataset.rstrip('/')}/{file.name}"))
        for name, file in files.items()
        if os.path.lexists(file)
    }
    if "train" not in found:
        raise NoDataset(f"{dataset} has no train.jsonl; that is the split to tune on")
    return found


def _local(root: Path, path: Path) -> Source:
    return Source(path.relative_to(root.resolve()).as_posix(), lambda: _opened(path))


def _opened(path: Path) -> BinaryIO:
    """A file's bytes; a pipe of that name would be waited for without end."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError("it is not a file")
    return path.open("rb")


def read(sources: Mapping[SplitName, Source], instructions: str | None) -> Dataset:
    """Read every split once, collecting every fault of every line."""
    splits = {name: _read_split(source, instructions) for name, source in sources.items()}
    return Dataset(splits, tuple(f for split in splits.values() for f in split.findings))


def _read_split(source: Source, instructions: str | None) -> Split:
    tally = _Tally(source)
    try:
        for number, line in lines(source):
            tally.take(number, line, instructions)
    except OSError as error:
        tally.faults.add(rules.UNREADABLE, 0, f"cannot be read: {error.strerror or error}")
    if not tally.examples and not tally.faults:
        tally.faults.add(rules.NO_EXAMPLE, 0, "holds no example")
    return tally.split()


def lines(source: Source) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines without their end; None for one that is too long to be an example."""
    with source.open() as stream:
        number = 0
        while line := stream.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                while (rest := stream.readline(_PIECE)) and not rest.endswith(b"\n"):
                    continue
                yield number, None
            else:
                yield number, line.removesuffix(b"\n").removesuffix(b"\r")


class _Tally:
    """The running sums of one pass."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.examples = self.characters = self.size = self.with_files = self.longest_answer = 0
        self.longest = (0, 0)
        self.faults = Found(source.shown)
        self._hash = hashlib.sha256()
        self._lines: dict[bytes, int] = {}
        self._repeated: list[tuple[int, int]] = []
        self._template = Template()

    def take(self, number: int, line: bytes | None, instructions: str | None) -> None:
        if line is None:
            self.faults.add(rules.LONG_LINE, number, _TOO_LONG)
            return
        if number == 1 and line.startswith(b"\xef\xbb\xbf"):
            what = "starts with a byte-order mark; save the file as plain UTF-8"
            self.faults.add(rules.BYTE_ORDER_MARK, number, what)
            return
        if not line.strip():
            self.faults.add(rules.BLANK_LINE, number, "is blank; remove it")
            return
        try:
            self._add(number, parse(line, instructions))
        except BadExample as error:
            self.faults.add(error.rule, number, str(error))

    def _add(self, number: int, example: Example) -> None:
        line = example.line()
        characters = example.characters
        self.examples += 1
        self.characters += characters
        self.size += len(line)
        self.with_files += example.holds_files
        if characters > self.longest[0]:
            self.longest = (characters, number)
        self.longest_answer = max(self.longest_answer, len(example.answer.encode()))
        self._hash.update(line)
        first = self._lines.setdefault(hashlib.blake2b(line, digest_size=16).digest(), number)
        if first != number:
            self._repeated.append((number, first))
        self._template.narrow(example.system, example.prompt)

    def split(self) -> Split:
        return Split(
            source=self.source,
            examples=self.examples,
            characters=self.characters,
            size=self.size,
            with_files=self.with_files,
            longest=self.longest,
            digest=self._hash.hexdigest(),
            longest_answer=self.longest_answer,
            findings=self.faults.all(),
            lines=self._lines,
            repeated=tuple(self._repeated),
            prompt=self._template.prompt(),
        )
