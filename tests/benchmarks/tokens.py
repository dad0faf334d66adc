"""How good the estimate of tokens is: `python -m tests.benchmarks.tokens`.

Against Gemma 3's tokenizer, by which Google's own client counts for Gemini offline, on texts that
the estimate was not made from: the three shipped datasets, and the messages of Sphinx in many
languages, each alone and all of them mixed. Then the shipped datasets against countTokens of the
emulator, whose small model has a tokenizer of its own: what is off there, the first bill corrects.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from jobs.emulator.emulator import Emulator
from jobs.runner import dataset
from jobs.runner.dataset import Split
from jobs.runner.tokens import Guess, guess
from jobs.runner.vertex import Vertex
from jobs.runner.weighing import text
from tests.benchmarks.calibration import CACHE, ROOT, counter, fetch, messages, wheel

DATASETS = ("headlines", "dialogues", "handbook")
SPHINX = "sphinx==9.0.4"
BASE = "gemini-3.1-flash-lite"

Count = Callable[[Sequence[str]], int]
Found = tuple[str, int, Guess]  # of what, its tokens, what was guessed


def main() -> None:
    fetch()
    wheel("sphinx", SPHINX)
    tokenizer = counter()

    def gemma(texts: Sequence[str]) -> int:
        return sum(len(tokenizer.encode(one, add_special_tokens=False).ids) for one in texts)

    shipped = {name: texts_of(name) for name in DATASETS}
    planned = [(name, gemma(texts), split(name).guess) for name, texts in shipped.items()]
    table("shipped datasets as a plan shows them, by Gemma 3's tokenizer", planned)
    folders = sorted((CACHE / "sphinx/sphinx/locale").iterdir())
    spoken = {path.name: [*messages("sphinx", path.name)] for path in folders if path.is_dir()}
    spoken = {code: texts for code, texts in spoken.items() if sum(map(len, texts)) > 2000}
    spoken["mixed"] = [one for texts in spoken.values() for one in texts]
    table("messages of Sphinx by language, by Gemma 3's tokenizer", found(spoken, gemma))
    with tempfile.TemporaryDirectory() as folder, Emulator(Path(folder)) as emulator:
        vertex = Vertex("vertune-local", "us", emulator.url)

        def local(texts: Sequence[str]) -> int:
            return vertex.count_tokens(
                BASE, [{"role": "user", "parts": [{"text": one}]} for one in texts]
            )

        few = {name: texts[:25] for name, texts in shipped.items()}
        few["mixed"] = spoken["mixed"][::60]
        table("some of each, by the emulator's countTokens", found(few, local))


def split(name: str) -> Split:
    return dataset.read(dataset.local_sources(ROOT, f"datasets/{name}"), None).train


def texts_of(name: str) -> list[str]:
    return [text(example) for example in split(name).read(None)]


def found(texts: dict[str, list[str]], count: Count) -> list[Found]:
    return [(name, count(some), guess(some)) for name, some in texts.items()]


def table(title: str, rows: Iterable[Found]) -> None:
    rows = [*rows]
    print(f"\n{title}\n{'':<12} {'tokens':>8} {'estimate':>9} {'off':>7}   interval")
    for name, tokens, one in rows:
        off, holds = one.tokens / tokens - 1, one.low <= tokens <= one.high
        between = f"{one.low:,.0f} to {one.high:,.0f}"
        print(
            f"{name:<12} {tokens:>8,} {one.tokens:>9,.0f} {off:>+7.1%}   {between}"
            + ("" if holds else "  does not hold")
        )
    mean = statistics.fmean(abs(one.tokens / tokens - 1) for _, tokens, one in rows)
    held = sum(one.low <= tokens <= one.high for _, tokens, one in rows)
    print(f"mean error {mean:.1%}; the interval holds in {held} of {len(rows)}")


if __name__ == "__main__":
    main()
