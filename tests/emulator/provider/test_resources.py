"""Resources: every type the provider serves, made, looked at, planned, taken over and deleted."""

from collections.abc import Mapping
from typing import Any

import pytest

from jobs.emulator.provider.catalog import RESOURCES
from jobs.emulator.provider.protocol import UNKNOWN
from tests.emulator.provider.engine import Engine
from tests.emulator.provider.samples import IDENTITY, SAMPLES, SERVICE

EVERY = pytest.mark.parametrize("type", sorted(RESOURCES))
STAYING = (SERVICE, IDENTITY)  # a delete leaves them as they are, unless it is asked to


def folded(value: Any) -> Any:
    """The value with case and forms of plain values made one; a mapping has no order."""
    if isinstance(value, Mapping):
        return {name: folded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [folded(inner) for inner in value]
    return str(value).lower()


def test_there_is_a_sample_of_every_type() -> None:
    assert SAMPLES.keys() == RESOURCES.keys()


@EVERY
def test_what_was_made_is_found_and_needs_no_change(engine: Engine, type: str) -> None:
    inputs, _ = SAMPLES[type]
    assert engine.check(type, inputs) == {}
    made = engine.create(type, inputs)
    found = engine.refresh(made)
    assert found is not None
    assert (found.id, found.state) == (made.id, made.state)
    assert not engine.diff(found, inputs).diffs


@EVERY
def test_a_plan_says_what_is_known_and_what_is_not(engine: Engine, type: str) -> None:
    inputs, _ = SAMPLES[type]
    planned, made = engine.plan(type, inputs), engine.create(type, inputs)
    assert planned.keys() >= RESOURCES[type].outputs
    known = {name: value for name, value in planned.items() if value != UNKNOWN}
    for name, value in known.items():
        assert folded(made.state[name]) == folded(value)


@EVERY
def test_what_exists_is_taken_over_and_needs_no_change(engine: Engine, type: str) -> None:
    inputs, id = SAMPLES[type]
    made = engine.create(type, inputs)
    taken = engine.take_over(type, id or made.id)
    assert taken is not None
    assert taken.id == made.id
    assert not engine.diff(taken, inputs).diffs
    assert engine.check(type, taken.inputs) == {}
    assert not engine.diff(made, taken.inputs).diffs


@EVERY
def test_what_was_deleted_is_gone_and_a_second_delete_is_no_error(
    engine: Engine, type: str
) -> None:
    made = engine.create(type, SAMPLES[type][0])
    engine.delete(made)
    engine.delete(made)
    assert (engine.refresh(made) is None) is (type not in STAYING)
