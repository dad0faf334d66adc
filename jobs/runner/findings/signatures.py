"""Signatures: what is left of texts to find those that share most pairs of words.

All arithmetic is on whole batches of texts; a word or a pair of words is a number.
"""

from collections.abc import Sequence

import numpy as np

from jobs.runner.findings.groups import Numbers

_LEAST = 8  # pairs of words; of fewer a single word decides
BINS = 33
EMPTY = np.uint32(0xFFFFFFFF)
_SPACE, _END = 32, b"\0"
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
_WORD = np.uint64(0x9E3779B97F4A7C15)
_NEXT = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_KNOWN = np.array([(1 << (8 * count)) - 1 for count in range(9)], dtype=np.uint64)
_SMALL, _AS_IT_IS = np.uint64(0x2020202020202020), np.uint64(0)  # a small letter's bit, in ASCII
_WITH_IT = bytes(byte | 0x20 if 0x40 <= byte < 0x60 else byte for byte in range(256))
_AROUND = b" " * 8  # of any word eight bytes can be read


def signatures(texts: Sequence[bytes]) -> Numbers:
    """A row of bins for each text; all of them empty where it is too short to compare."""
    numbers, words = _pairs(texts)
    bins = ((numbers & _LOW) * np.uint64(BINS)) >> _HALF
    places = np.repeat(np.arange(len(texts)) * BINS, words)[:-1]
    places += bins.view(np.int64)
    places[_across(words)] = len(texts) * BINS  # a place of no text
    least = np.full(len(texts) * BINS + 1, EMPTY, dtype=np.uint32)
    np.minimum.at(least, places, (numbers >> _HALF).astype(np.uint32))
    found = least[:-1].reshape(len(texts), BINS)
    found[words <= _LEAST] = EMPTY
    return found


def pairs(text: bytes) -> frozenset[int]:
    """A number for each two words that follow each other."""
    return frozenset(_pairs([text])[0].tolist())


def _pairs(texts: Sequence[bytes]) -> tuple[Numbers, Numbers]:
    """A number for each word with the next one, and how many words each text has."""
    whole = _flat(texts)
    data = np.frombuffer(whole, dtype=np.uint8)
    gaps = np.flatnonzero(data <= _SPACE)[len(_AROUND) : -len(_AROUND)]
    starts, ends = gaps[:-1] + 1, gaps[1:]
    if not (there := starts < ends).all():
        starts, ends = starts[there], ends[there]
    before = np.searchsorted(starts, np.flatnonzero(data == 0))
    words = np.diff(before)
    if before[-1] < 2:
        return np.zeros(0, np.uint64), words
    found = _words(whole, starts, ends, _SMALL if whole.isascii() else _AS_IT_IS)
    mixed = found[:-1] * _NEXT
    mixed += found[1:]
    mixed ^= mixed >> np.uint64(29)
    mixed *= _MIX
    mixed ^= mixed >> _HALF
    return mixed, words


def _across(words: Numbers) -> Numbers:
    """Of the pairs those that are of the last word of a text and the first one of the next."""
    found: Numbers = np.cumsum(words[words > 0])[:-1] - 1
    return found


def _words(whole: bytes, starts: Numbers, ends: Numbers, small: np.uint64) -> Numbers:
    """A number for each word: of its first and last eight bytes and its length."""
    eights: Numbers = np.ndarray(len(whole) - 7, "<u8", whole, strides=(1,))  # from each byte on
    lengths = ends - starts
    words: Numbers = eights[starts]
    words |= small
    words &= _KNOWN[np.minimum(lengths, 8)]
    words *= _WORD
    words += lengths.view(np.uint64)
    long = np.flatnonzero(lengths > 8)
    words[long] += (eights[ends[long] - 8] | small) * _NEXT
    return words


def _flat(texts: Sequence[bytes]) -> bytes:
    """A zero before each and behind the last; what is not ASCII alone, in small letters."""
    whole = _END.join([_AROUND, *texts, _AROUND])
    if whole.isascii() and whole.count(_END) == len(texts) + 1:
        return whole
    return _END.join([_AROUND, *map(_spaced, texts), _AROUND]).translate(_WITH_IT)


def _spaced(text: bytes) -> bytes:
    """Small letters; of a script that does not part words, characters are words."""
    small = text.decode().casefold().replace("\n", " ").replace("\0", " ")
    if not small.isascii() and small.count(" ") * 12 < len(small) - 12:
        small = " ".join(small)
    return small.encode()
