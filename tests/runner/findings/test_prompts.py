"""Prompts: what stands before colons is found the same for many prompts as for each."""

import re

from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.findings.prompts import _starts

FRAMES = st.tuples(*[st.sampled_from(["", "A:", "\nA:", "Do it.\nA: ", "\nB: "])] * 2)
BODIES = st.text(st.sampled_from("ab:\n ")) | st.just("x" * 40 + ":")


@given(FRAMES, st.lists(BODIES, min_size=1, max_size=5))
def test_the_fields_of_many_prompts_are_those_of_each(
    frame: tuple[str, str], bodies: list[str]
) -> None:
    prompts = [body.join(frame) for body in bodies]
    each = [tuple(re.findall(r"\n([^\n:]{1,39}):", f"\n{one}")) for one in prompts]
    assert [*_starts(prompts)] == each
