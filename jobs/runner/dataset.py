"""Dataset: the splits a spec points at, read in one pass, with counts, digests and faults."""

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any

from jobs.runner import contents, rules
from jobs.runner.example import (
    BadExample,
    Example,
    converted_lines,
    joined,
    paired,
    parse,
    parse_all,
)
from jobs.runner.found import Found
from jobs.runner.lines import LONGEST_LINE, Block, Packed, Source, blocks, lines, opened
from jobs.runner.prompt import Prompt, Template
from jobs.runner.rows import Rows, SplitName, Watch
from jobs.runner.rules import Finding
from jobs.runner.seen import Seen
from jobs.runner.seen import key as keyed
from jobs.runner.tokens import Guess
from jobs.runner.weighing import Weighing

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")

_FEW = 8  # lines that are parsed one by one where one is in doubt
_RACY = 2.0  # seconds; some file systems tell no less
_TOO_LONG = f"is longer than {LONGEST_LINE >> 20} MiB; no example may be"


class NoDataset(Exception):
    """Why what a spec names is no dataset; who reads the spec adds its file and line."""


@dataclass(frozen=True)
class Split:
    """What one pass over a split found; `size` and `digest` (SHA-256) are of converted lines."""

    source: Source
    examples: int
    characters: int
    guess: Guess  # of their tokens
    size: int
    with_files: int  # examples that hold files, whose tokens only the service can count
    longest: tuple[int, int]  # (characters, line) of the longest example
    digest: str
    longest_answer: int  # in bytes: of them, not of characters, tokens have about the same number
    findings: tuple[Finding, ...]
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
    def sources(self) -> Mapping[SplitName, Source]:
        return {name: split.source for name, split in self.splits.items()}

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
        path = _inside(root, os.path.join(root, dataset), dataset)
        mode = os.stat(path).st_mode
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
    if not stat.S_ISREG(mode) or not path.endswith(".jsonl"):
        raise NoDataset(f"{dataset} is no .jsonl file, and no folder that holds train.jsonl")
    return {"train": _local(root, path)}


def _inside(root: Path, path: str, shown: str) -> str:
    """Where a path leads, links followed. A dataset that lies elsewhere is not in git."""
    found = os.path.realpath(path)
    if not os.path.join(found, "").startswith(_resolved(root)):
        raise NoDataset(f"{shown} lies outside of the repository; move it into datasets/")
    return found


def _folder(root: Path, folder: str, dataset: str) -> dict[SplitName, Source]:
    files = {name: os.path.join(folder, f"{name}.jsonl") for name in SPLITS}
    found = {
        name: _local(root, _followed(root, file, dataset))
        for name, file in files.items()
        if _there(file)
    }
    if "train" not in found:
        packed = next((path.name for path in Path(folder).glob("train.jsonl.*")), None)
        beside = f"; {packed} is not read, unpack it" if packed else ""
        raise NoDataset(f"{dataset} has no train.jsonl; that is the split to tune on{beside}")
    return found


def _followed(root: Path, file: str, dataset: str) -> str:
    """A file of a folder that was followed already."""
    if not os.path.islink(file):
        return file
    return _inside(root, file, f"{dataset.rstrip('/')}/{os.path.basename(file)}")


def _there(path: str) -> bool:
    """Raises OSError where it may not be known: no file is not the same as no permission."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _local(root: Path, path: str) -> Source:
    shown, size = path.removeprefix(_resolved(root)), partial(_size, path)
    return Source(shown, partial(opened, Path(path)), partial(_state, path), size, at_hand=True)


def _size(path: str) -> int:
    return os.stat(path).st_size


@cache
def _resolved(root: Path) -> str:
    """As other paths begin: with a slash at its end."""
    return os.path.join(os.path.realpath(root), "")


def _state(path: str) -> str:
    """Not of a file that was written just now: the next write may leave its times as they are."""
    found = os.stat(path)
    if time.time() - max(found.st_mtime, found.st_ctime) < _RACY:
        return ""
    return f"{path}:{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_ino}"


def read(
    sources: Mapping[SplitName, Source],
    instructions: str | None,
    watches: Sequence[Watch] = (),
    seen: Seen | None = None,
) -> Dataset:
    """Read every split once, collecting every fault of every line; `watches` see every example.

    With `seen`, what was read before and is what it was is not read again.
    """
    splits = {
        name: _remembered(name, source, instructions, seen)
        if seen is not None and not watches
        else _read_split(name, source, instructions, watches)
        for name, source in sources.items()
    }
    return Dataset(splits, tuple(f for split in splits.values() for f in split.findings))


def _remembered(name: SplitName, source: Source, instructions: str | None, seen: Seen) -> Split:
    """Only what is without a fault is remembered; faults are looked at anew, with their lines."""
    read = contents.of(source, seen)
    key = keyed(source.shown, read, instructions)
    if read and (found := seen.get(key)):
        return unpacked(source, found)
    split = _read_split(name, source, instructions, ())
    if read and not split.findings and contents.of(source, seen) == read:
        seen.put(key, packed(split))
    return split


def packed(split: Split) -> dict[str, Any]:
    """A split as plain values, without its source and its faults."""
    values = {f.name: getattr(split, f.name) for f in fields(split)}
    del values["source"], values["findings"]
    return values | {"guess": asdict(split.guess), "prompt": asdict(split.prompt)}


def unpacked(source: Source, values: Mapping[str, Any]) -> Split:
    whole: dict[str, Any] = {"longest": tuple(values["longest"]), "findings": ()}
    whole |= {"guess": Guess(**values["guess"]), "prompt": Prompt(**values["prompt"])}
    return Split(source, **{**values, **whole})


def size(source: Source) -> int:
    try:
        return source.size()
    except OSError:
        return 0


def _read_split(
    name: SplitName, source: Source, instructions: str | None, watches: Sequence[Watch]
) -> Split:
    tally = _Tally(source)
    try:
        for some in _rows(name, source, instructions, tally.faults):
            tally.take(some)
            for watch in watches:
                watch.take(some)
    except OSError as error:
        rule = rules.PACKED if isinstance(error, Packed) else rules.UNREADABLE
        tally.faults.add(rule, 0, f"cannot be read: {error.strerror or error}")
    if not tally.examples and not tally.faults:
        tally.faults.add(rules.NO_EXAMPLE, 0, "holds no example")
    return tally.split()


def rows(sources: Mapping[SplitName, Source], instructions: str | None) -> Iterator[Rows]:
    """The good examples again; what else there is to say, a reading says."""
    for name, source in sources.items():
        with suppress(OSError):
            yield from _rows(name, source, instructions, Found(source.shown))


def _rows(
    name: SplitName, source: Source, instructions: str | None, faults: Found
) -> Iterator[Rows]:
    for numbers, some in examples(source, instructions, faults):
        yield Rows(name, source.shown, numbers, some)


def examples(
    source: Source, instructions: str | None, faults: Found
) -> Iterator[tuple[Sequence[int], Sequence[Example]]]:
    """The good examples, some at a time, with their lines; the others become faults."""
    returns = 0
    for block in blocks(source):
        if b"\r" in block.whole:  # within a text it would be written as an escape
            returns += sum([line is not None and line.endswith(b"\r") for line in block.lines])
        numbers, good = _some(block, instructions, faults)
        if good:
            yield numbers, good
    if returns:
        what = f"has {returns:,} line{'s' * (returns > 1)} with a carriage return at the end"
        faults.add(rules.CRLF, 0, what)


def _some(
    block: Block, instructions: str | None, faults: Found
) -> tuple[Sequence[int], Sequence[Example]]:
    """All at once but for those in doubt; where they are not told, each half by itself."""
    known = [line or b"" for line in block.lines]  # what is too long is in doubt
    found = parse_all(block.whole, known, instructions)
    if found is not None:
        return _with_doubts(block, *found, instructions, faults)
    if len(known) <= _FEW:
        return _one_by_one(enumerate(block.lines, block.first), instructions, faults)
    half = len(known) // 2
    numbers, good = _some(block.part(0, half), instructions, faults)
    more, others = _some(block.part(half, len(known)), instructions, faults)
    return [*numbers, *more], joined(good, others)


def _with_doubts(
    block: Block,
    sure: Sequence[Example],
    doubts: Sequence[int],
    instructions: str | None,
    faults: Found,
) -> tuple[Sequence[int], Sequence[Example]]:
    numbers: Sequence[int] = range(block.first, block.first + len(block.lines))
    if not doubts:
        return numbers, sure
    doubted = [(numbers[place], block.lines[place]) for place in doubts]
    later, slow = _one_by_one(doubted, instructions, faults)
    out = {number for number, _ in doubted}
    numbers = [number for number in numbers if number not in out]
    if not slow:
        return numbers, sure
    both = sorted(zip([*numbers, *later], [*sure, *slow], strict=True), key=itemgetter(0))
    return [number for number, _ in both], paired([example for _, example in both])


def _one_by_one(
    lines: Iterable[tuple[int, bytes | None]], instructions: str | None, faults: Found
) -> tuple[list[int], Sequence[Example]]:
    numbers: list[int] = []
    examples: list[Example] = []
    for number, line in lines:
        try:
            examples.append(_example(number, line, instructions))
        except BadExample as error:
            faults.add(error.rule, number, str(error))
        else:
            numbers.append(number)
    return numbers, paired(examples)


def _example(number: int, line: bytes | None, instructions: str | None) -> Example:
    if line is None:
        raise BadExample(rules.LONG_LINE, _TOO_LONG)
    if number == 1 and line.startswith(b"\xef\xbb\xbf"):
        what = "starts with a byte-order mark; save the file as plain UTF-8"
        raise BadExample(rules.BYTE_ORDER_MARK, what)
    if line.isspace() or not line:
        raise BadExample(rules.BLANK_LINE, "is blank; remove it")
    return parse(line, instructions)


class _Tally:
    """The running sums of one pass."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.examples = self.characters = self.size = self.with_files = self.longest_answer = 0
        self.longest = (0, 0)
        self.faults = Found(source.shown)
        self._hash = hashlib.sha256()
        self._template = Template()
        self._weighing = Weighing()

    def take(self, rows: Rows) -> None:
        converted = converted_lines(rows.examples)
        self._hash.update(converted)
        self.size += len(converted)
        self.examples += len(rows.examples)
        self.with_files += rows.with_files
        self.characters += sum(rows.characters)
        self._weighing.take(rows.examples, rows.characters)
        if (most := max(rows.characters)) > self.longest[0]:
            self.longest = (most, rows.numbers[rows.characters.index(most)])
        self.longest_answer = max(self.longest_answer, _most_bytes(rows.answers))
        self._template.narrow_all(rows.systems, rows.prompts)

    def split(self) -> Split:
        return Split(
            source=self.source,
            examples=self.examples,
            characters=self.characters,
            guess=self._weighing.total(),
            size=self.size,
            with_files=self.with_files,
            longest=self.longest,
            digest=self._hash.hexdigest(),
            longest_answer=self.longest_answer,
            findings=self.faults.all(),
            prompt=self._template.prompt(),
        )


def _most_bytes(texts: Sequence[str]) -> int:
    return max(map(len, texts if "".join(texts).isascii() else map(str.encode, texts)))
