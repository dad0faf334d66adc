"""What was fuzzed stays tested: every seed, and texts that made a pattern run for hours."""

import json
import time
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

SEEDS = sorted((Path(__file__).parent / "seeds").glob("*/*"))


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_holds_for_every_seed(target: str) -> None:
    for seed in SEEDS:
        TARGETS[target](seed.read_bytes())


def test_every_target_has_seeds() -> None:
    assert {seed.parent.name for seed in SEEDS} == set(TARGETS)


# Starts of what is looked for, over and over: a pattern that looks ahead without end takes
# the square of their number.
_AGAIN = [
    *("secret=", "secret:=", "password ", "://", "a://b:", "a@", "a.b@c.", "-----BEGIN A ", "sk-"),
    *("eyJ", "eyJaaaaaaaaaa.", "hooks.slack.com/services/TA/B", "AB12 ", "1 ", "+49 ", "1.1.", "("),
    *("{{a", "[insert ", '"', "{", "a:\n", "```", "context: ", "Ã", "日 ", "\n", " "),
]


@pytest.mark.parametrize("target", ["file", "text"])
def test_the_time_of_a_text_grows_with_its_length_alone(target: str) -> None:
    slow = []
    for again in _AGAIN:
        text = again * (100_000 // len(again))
        line = json.dumps({"input_text": text, "output_text": text[:60_000]}).encode()
        start = time.process_time()
        TARGETS[target](line if target == "file" else text.encode())
        if time.process_time() - start > 4:  # the square of it would be minutes
            slow.append(again)
    assert not slow
