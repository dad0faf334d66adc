"""Signatures: what is left of texts to find those that share most pairs of words.

All arithmetic is on whole batches of texts; a word or a pair of words is a number.
"""

from collections.abc import Sequence

import numpy as np

from jobs.runner.findings.groups import Numbers, meeting

_LEAST = 8  # pairs of words; of fewer a single word decides
_BINS, _BAND = 33, 3
_EMPTY = np.uint32(0xFFFFFFFF)
_SPACE, _END = 32, b"\0"
_LOW = np.uint64(0xFFFFFFFF)
_WORD = np.uint64(0x9E3779B97F4A7C15)
_NEXT = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_KNOWN = np.array([(1 << (8 * count)) - 1 for count in range(9)], dtype=np.uint64)
_AROUND = b" " * 8  # of any word eight bytes can be read


def signatures(texts: Sequence[str]) -> Numbers:
    """A row of bins for each text; all of them empty where it is too short to compare."""
    numbers, counts = _pairs(texts)
    least = np.full((len(texts), _BINS), _EMPTY, dtype=np.uint32)
    bins = (numbers & _LOW) * np.uint64(_BINS) >> np.uint64(32)
    places = np.repeat(np.arange(len(texts)) * _BINS, counts) + bins.astype(np.int64)
    np.minimum.at(least.reshape(-1), places, (numbers >> np.uint64(32)).astype(np.uint32))
    long = counts >= _LEAST
    least[~long] = _EMPTY
    least[long] = _filled(least[long])
    return least


def pairs(text: str) -> frozenset[int]:
    """A number for each two words that follow each other."""
    return frozenset(_pairs([text])[0].tolist())


def candidates(batches: Sequence[Numbers], agreeing: float) -> dict[int, int]:
    """For each row at most one earlier row whose signature agrees with its own in so many bins."""
    whole = np.concatenate(batches)
    rows = np.flatnonzero(whole[:, 0] != _EMPTY)
    if len(rows) < len(whole):
        whole = whole[rows]
    found: dict[int, int] = {}
    for start in range(0, _BINS, _BAND):
        later, first = meeting(_key(whole[:, start : start + _BAND]))
        alike = np.mean(whole[later] == whole[first], axis=1) >= agreeing
        pairs = rows[later[alike]].tolist(), rows[first[alike]].tolist()
        for row, other in zip(*pairs, strict=True):
            found.setdefault(row, other)
    return found


def _key(band: Numbers) -> Numbers:
    key: Numbers = (band[:, 0] * _WORD + band[:, 1]) * _NEXT + band[:, 2]
    return key


def _filled(least: Numbers) -> Numbers:
    """An empty bin takes what the next one has, turned by the distance: short texts have many."""
    found, left = least.copy(), np.arange(len(least))
    for away in range(1, _BINS):
        left = left[(found[left] == _EMPTY).any(axis=1)]  # fewer each time
        if not len(left):
            break
        turned = np.roll(least[left], -away, axis=1)
        usable = (found[left] == _EMPTY) & (turned != _EMPTY)
        turned += np.uint32(away * 0x9E3779B1 & 0xFFFFFFF)
        found[left] = np.where(usable, turned, found[left])
    return found


def _pairs(texts: Sequence[str]) -> tuple[Numbers, Numbers]:
    """The numbers of all pairs of words, and how many of them each text has."""
    whole = b"".join([_AROUND, _flat(texts), _END, _AROUND])
    data = np.frombuffer(whole, dtype=np.uint8)
    within = data > _SPACE
    edges = np.flatnonzero(within[1:] != within[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    before = np.searchsorted(starts, np.flatnonzero(data == 0))  # words up to each text's end
    counts = np.maximum(np.diff(before, prepend=0) - 1, 0)
    if len(starts) < 2:
        return np.zeros(0, np.uint64), counts
    words = _words(whole, starts, ends)
    mixed = words[:-1] * _NEXT + words[1:]
    across = (
        before[(before > 0) & (before < len(words))] - 1
    )  # the last word of one, and the next's
    mixed = np.delete(mixed, across)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX
    return mixed ^ (mixed >> np.uint64(32)), counts


def _words(whole: bytes, starts: Numbers, ends: Numbers) -> Numbers:
    """A number for each word: of its first and last eight bytes and its length."""
    eights: Numbers = np.ndarray(len(whole) - 7, "<u8", whole, strides=(1,))  # from each byte on
    lengths = ends - starts
    words: Numbers = (eights[starts] & _KNOWN[np.minimum(lengths, 8)]) * _WORD
    words += lengths.astype(np.uint64)
    long = np.flatnonzero(lengths > 8)
    words[long] += eights[ends[long] - 8] * _NEXT
    return words


def _flat(texts: Sequence[str]) -> bytes:
    """All in small letters, with a zero between them."""
    whole = "\0".join(texts)
    if whole.isascii() and whole.count("\0") == len(texts) - 1:
        return whole.encode().lower()
    return _END.join(map(_spaced, texts))


def _spaced(text: str) -> bytes:
    """Small letters; of a script that does not part words, characters are words."""
    text = text.casefold().replace("\n", " ").replace("\0", " ")
    if not text.isascii() and text.count(" ") * 12 < len(text) - 12:
        text = " ".join(text)
    return text.encode()
