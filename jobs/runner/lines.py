"""Lines of a source, read some at a time; what is no plain text of lines is refused at once."""

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import UnsupportedOperation
from pathlib import Path
from typing import BinaryIO

# 131,072 tokens an example is the service's limit; text of that many tokens stays below this.
LONGEST_LINE = 4 * 1024 * 1024
_PIECE = 256 * 1024  # of a file, which is looked at together

# How files start that hold others: they are named, never unpacked, so that none can swell.
_PACKED: Mapping[bytes, str] = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
}


class Packed(OSError):
    """A file that holds others."""


@dataclass(frozen=True)
class Source:
    """Where a split's bytes come from; `shown` is what messages call it.

    `state` is another text whenever the bytes are, and empty where that cannot be told. Of bytes
    `at_hand` it says so on this machine alone, and reading them costs little.
    """

    shown: str
    open: Callable[[], BinaryIO]
    state: Callable[[], str] = str
    size: Callable[[], int] = int  # in bytes; 0 where that cannot be told
    at_hand: bool = False


class Block:
    """Some lines that follow each other, parted when they are asked for.

    A line that is too long to be an example is None, and not in `whole`.
    """

    def __init__(
        self, first: int, whole: bytes, lines: Sequence[bytes | None] | None = None
    ) -> None:
        self.first = first
        self.whole = whole
        self._lines = lines

    def __len__(self) -> int:
        return self._count if self._lines is None else len(self._lines)

    @cached_property
    def _count(self) -> int:
        return self.whole.count(b"\n") + 1

    @property
    def lines(self) -> Sequence[bytes | None]:
        """Without their ends."""
        if self._lines is None:
            self._lines = self.whole.split(b"\n")
        return self._lines

    def part(self, start: int, end: int) -> "Block":
        some = self.lines[start:end]
        return Block(self.first + start, b"\n".join([line for line in some if line]), some)


def opened(path: Path) -> BinaryIO:
    """A file's bytes; a pipe of that name would be waited for, and a device read, without end."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError("it is not a file")
    return path.open("rb")


def lines(source: Source) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines without their end; None for one that is too long to be an example."""
    for block in blocks(source):
        yield from enumerate(block.lines, block.first)


def blocks(source: Source) -> Iterator[Block]:
    """Some lines at a time.

    Raises OSError: Packed at the start, another in the end where the file changed meanwhile.
    """
    number, rest, too_long = 1, b"", False
    with source.open() as stream:
        before = _times(stream)
        left = before[0] if before else None  # of a file that grows, what it was
        while piece := stream.read(_PIECE if left is None else min(_PIECE, left)):
            left = None if left is None else left - len(piece)
            if number == 1 and not rest:
                _refuse_packed(piece)
            whole, end, rest = (rest + piece).rpartition(b"\n")
            if end:
                block = _block(number, whole, too_long)
                too_long = False
                yield block
                number += len(block)
            if len(rest) >= LONGEST_LINE:
                rest, too_long = b"", True
        if _times(stream) != before:
            raise OSError("it changed while it was read")
    if rest or too_long:
        yield _block(number, rest, too_long)


def _block(first: int, whole: bytes, too_long: bool) -> Block:
    """`too_long`: the first line began before, and is."""
    if not too_long and (len(whole) < LONGEST_LINE or 0 <= whole.find(b"\n") < LONGEST_LINE):
        return Block(first, whole)
    _, more, whole = whole.partition(b"\n")
    return Block(first, whole, [None, *(whole.split(b"\n") if more else ())])


def _refuse_packed(start: bytes) -> None:
    for mark, packer in _PACKED.items():
        if start.startswith(mark):
            raise Packed(f"it is a {packer} file; unpack it")


def _times(stream: BinaryIO) -> tuple[int, int] | None:
    """What tells one state of an open file from the next; of another stream nothing does."""
    try:
        found = os.fstat(stream.fileno())
    except (AttributeError, UnsupportedOperation):
        return None
    return found.st_size, found.st_mtime_ns
