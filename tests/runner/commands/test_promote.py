"""`vertune promote`: moves what is served, then the outputs; an apply moves the alias as well."""

from pathlib import Path

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner.pointer import ALIAS
from tests.conftest import SPEC, Repository
from tests.runner.commands.calls import vertune
from tests.runner.tuned import another, entries, place_of, record_of


@pytest.fixture
def place(provisioned: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Repository:
    """A provisioned repository on a machine without an engine."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return provisioned


@pytest.fixture
def tuned(place: Repository) -> Repository:
    place.job("one")
    vertune(place, "apply", "--yes")
    another(place, "one", 1)
    vertune(place, "apply", "--yes")
    return place


def test_an_apply_puts_the_alias_on_what_it_serves_and_takes_it_from_what_it_does_not(
    tuned: Repository,
) -> None:
    place = place_of(tuned)
    models = [place.registry.model(entry.tuned_model or "") for entry in entries(place, "one")]
    assert [ALIAS in model.aliases for model in models if model] == [False, True]


def test_an_apply_serves_even_where_the_alias_is_refused_and_the_next_one_moves_it(
    place: Repository, emulator: Emulator
) -> None:
    place.job("one")
    emulator.faults.set(Rule("no", path="*:mergeVersionAliases", status=403))
    result = vertune(place, "apply", "--yes")
    assert "it is served all the same; the next apply moves its alias" in result.stderr
    assert record_of(place_of(place), "one").served is not None
    assert not record_of(place_of(place), "one").aliased
    emulator.faults.clear()
    assert vertune(place, "apply", "--no-record").exit_code == 0
    assert record_of(place_of(place), "one").aliased
    (entry,) = entries(place_of(place), "one")
    model = place_of(place).registry.model(entry.tuned_model or "")
    assert model is not None
    assert ALIAS in model.aliases


def test_a_name_that_is_forgotten_leaves_no_alias(place: Repository) -> None:
    place.job("one")
    vertune(place, "apply", "--yes")
    (place.root / "jobs/one.yaml").unlink()
    vertune(place, "apply", "--yes")
    (entry,) = entries(place_of(place), "one")
    model = place_of(place).registry.model(entry.tuned_model or "")
    assert model is not None
    assert model.aliases == ("default",)


def test_without_an_engine_it_is_served_and_said_what_is_left_to_do(tuned: Repository) -> None:
    first, _ = entries(place_of(tuned), "one")
    result = vertune(tuned, "promote", "one", first.fingerprint[:6])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"one: {first.fingerprint[:12]} is served\n"
        "one: `vertune plan` says whether its spec asks for another one\n"
        "there is no Pulumi engine; `vertune doctor` says how to get it\n"
    )
    assert record_of(place_of(tuned), "one").active == first.fingerprint
    again = vertune(tuned, "promote", "one", first.fingerprint[:6])
    assert again.stderr.startswith(f"one: {first.fingerprint[:12]} is served already\n")


def test_the_mark_of_the_spec_counts_unless_it_is_lifted_by_name(tuned: Repository) -> None:
    first, _ = entries(place_of(tuned), "one")
    spec = SPEC.format(name="one").replace("accuracy}", "accuracy, at_least: 1.0}")
    tuned.spec("one", spec)
    tuned.spec("torn", "task: [\n")  # another's fault is no obstacle
    place = place_of(tuned)
    read = place.ledger.read("one", first.fingerprint)
    assert read is not None
    assert first.score is not None
    poor = first.model_copy(update={"score": first.score.model_copy(update={"tuned": 0.5})})
    place.ledger.update(poor, read[1])
    refused = vertune(tuned, "promote", "one", first.fingerprint)
    assert refused.exit_code == 1
    assert "reached 0.500, below its mark of 1; to serve it all the same: --below-mark" in (
        refused.stderr
    )
    vertune(tuned, "promote", "one", first.fingerprint, "--below-mark")
    assert record_of(place, "one").active == first.fingerprint


def test_a_spec_that_cannot_be_read_says_so_instead_of_having_no_mark(tuned: Repository) -> None:
    first, second = entries(place_of(tuned), "one")
    tuned.spec("one", "task: [\n")
    result = vertune(tuned, "promote", "one", first.fingerprint)
    assert result.exit_code == 1
    assert result.stderr.startswith("jobs/one.yaml:2: is not YAML")
    assert record_of(place_of(tuned), "one").active == second.fingerprint


def test_a_name_that_is_not_recorded_is_guessed_at(tuned: Repository) -> None:
    result = vertune(tuned, "promote", "oen")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == 'nothing is recorded as oen; did you mean "one"?\n'
