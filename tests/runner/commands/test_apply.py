"""`vertune apply` over several rounds: what no plan has shown is shown first, or not done."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner.commands import Place
from jobs.runner.ledger import Owner
from jobs.runner.pointer import ALIAS
from tests.conftest import Repository
from tests.runner.commands.calls import vertune
from tests.runner.tuned import another, in_flight

APPLY = ("apply", "--yes", "--no-record")


@pytest.fixture
def edited(provisioned: Repository) -> Repository:
    """A spec whose data was edited while its job is in flight: the plan shows the job alone."""
    in_flight(provisioned, "one")
    another(provisioned, "one", 1)
    (change,) = planned(provisioned)
    assert change["action"] == "resume"
    return provisioned


def planned(repository: Repository) -> Any:
    return json.loads(vertune(repository, "plan", "-o", "json").stdout)["changes"]


def jobs(repository: Repository) -> int:
    return len(Place("local", repository.root).vertex.jobs({}))


def test_what_an_end_in_flight_makes_necessary_is_planned_before_it_is_done(
    edited: Repository,
) -> None:
    result = vertune(edited, "apply", "--yes", "--no-record")
    assert result.exit_code == 0, result.output
    shown, done = result.stderr.index("~ retrain one"), result.stderr.index("one: submitted ")
    assert shown < done
    assert jobs(edited) == 2
    assert planned(edited) == []


def test_of_a_plan_that_was_reviewed_no_later_round_does_more(edited: Repository) -> None:
    plan = json.loads(vertune(edited, "plan", "-o", "json").stdout)
    words = ("apply", "--checksum", plan["checksum"], "--yes", "--no-record")
    result = vertune(edited, *words)
    assert result.exit_code == 0, result.output
    assert jobs(edited) == 1
    assert [change["action"] for change in planned(edited)] == ["retrain"]


def test_a_later_round_that_nobody_confirms_pays_for_nothing(edited: Repository) -> None:
    result = vertune(edited, "apply", "--no-record")
    assert result.exit_code == 1
    said = "nothing was done: this tunes, simulated and at no cost, and nobody can be asked"
    assert said in result.stderr
    assert jobs(edited) == 1
    (recorded,) = Place("local", edited.root).ledger.recorded().values()
    assert [entry.state for entry in recorded.entries.values()] == ["succeeded"]


def test_what_a_guard_refuses_keeps_nothing_that_is_paid_for_from_being_finished(
    provisioned: Repository,
) -> None:
    place, entry = in_flight(provisioned, "one")
    provisioned.job("two")
    cap = provisioned.root / "Pulumi.local.yaml"
    cap.write_text(cap.read_text("utf-8") + "  vertune:maxUsd: 0.00001\n", "utf-8")
    result = vertune(provisioned, "apply", "--yes", "--no-record")
    assert result.exit_code == 1
    assert "--allow cap" in result.stderr
    assert place.ledger.recorded()["one"].active == entry.fingerprint
    assert "two" not in place.ledger.recorded()
    assert jobs(provisioned) == 1


def test_of_two_stacks_that_come_to_a_new_bucket_at_once_one_is_refused(
    provisioned: Repository, emulator: Emulator
) -> None:
    provisioned.job("one")
    place = Place("local", provisioned.root)
    emulator.faults.set(Rule("looks", path="*/owner.json", nth=1, when="after", hold=True))
    with ThreadPoolExecutor(1) as beside:
        late = beside.submit(vertune, provisioned, *APPLY)
        emulator.faults.wait("looks")
        place.ledger.mark(Owner(project="vertune", stack="other"))
        emulator.faults.clear()
        refused = late.result()
    assert refused.exit_code == 1
    assert "belongs to stack other of project vertune" in refused.stderr
    assert jobs(provisioned) == 0
    assert str(place.ledger.owner()) == "stack other of project vertune"


# The alias of what is forgotten


def marked(repository: Repository) -> list[str]:
    """The tuned models that carry the alias."""
    place = Place("local", repository.root)
    models = place.registry.models("projects/vertune-local/locations/us")
    return [model.name for model in models if ALIAS in model.aliases]


def test_what_is_forgotten_keeps_no_alias_wherever_it_was_cut_off(
    provisioned: Repository, emulator: Emulator
) -> None:
    provisioned.job("one")
    assert vertune(provisioned, *APPLY).exit_code == 0
    assert len(marked(provisioned)) == 1
    (provisioned.root / "jobs/one.yaml").unlink()
    emulator.faults.set(Rule("no", path="*:mergeVersionAliases", when="before", status=403))
    refused = vertune(provisioned, *APPLY)
    assert refused.exit_code == 1
    assert "one: moving an alias" in refused.stderr
    emulator.faults.clear()
    assert [change["action"] for change in planned(provisioned)] == ["forget"]
    provisioned.job("two")
    assert vertune(provisioned, *APPLY, "--select", "one").exit_code == 0
    (provisioned.root / "jobs/two.yaml").unlink()
    assert marked(provisioned) == []
    assert planned(provisioned) == []


def test_what_is_renamed_keeps_its_alias_all_the_time(
    provisioned: Repository, emulator: Emulator
) -> None:
    provisioned.job("old")
    assert vertune(provisioned, *APPLY).exit_code == 0
    before = marked(provisioned)
    (provisioned.root / "jobs/old.yaml").rename(provisioned.root / "jobs/new.yaml")
    emulator.faults.set(Rule("no", path="*:mergeVersionAliases", status=403))
    assert vertune(provisioned, *APPLY).exit_code == 0
    assert marked(provisioned) == before
