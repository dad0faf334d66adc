"""Commands after tuning, killed by SIGKILL at each change they make: once more finishes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobs.emulator.faults.rule import Rule
from jobs.runner.pointer import ALIAS, follow
from jobs.runner.upload import upload
from tests.faults.station import Case, Station
from tests.runner.asking import order
from tests.runner.tuned import another, applied, entries

POINTER = Rule("here", method="POST", path="/upload/*")
GIVE = Rule("here", method="POST", path="*:mergeVersionAliases", nth=1)
TAKE = Rule("here", method="POST", path="*:mergeVersionAliases", nth=2)
UNDEPLOY = Rule("here", method="POST", path="*:undeployModel", nth=2)
MODEL = Rule("here", method="DELETE", path="*/models/*")
ENDPOINT = Rule("here", method="DELETE", path="*/endpoints/*", nth=2)
DATASET = Rule("here", method="DELETE", path="*/datasets/*")
ENTRY = Rule("here", method="DELETE", path="*/ledger/*")
CANCEL = Rule("here", method="POST", path="*:cancel")
PRUNE = ("prune", "--yes", "--keep", "0")


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with Station(tmp_path_factory.mktemp("life")) as station:
        yield station


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with Station(tmp_path_factory.mktemp("idle"), idle=True) as station:
        yield station


@pytest.fixture
def case(station: Station) -> Case:
    """A spec that was tuned twice; the second tuning is served."""
    case = station.case()
    place = case.place
    applied(place)
    another(case.repository, case.name, 1)
    applied(place)
    follow(place.ledger, place.registry, place.ledger.recorded(), case.name)
    return case


def killed(station: Station, case: Case, rule: Rule, *words: str) -> None:
    station.arm(rule)
    process = case.start(*words)
    assert station.reached("here", process), case.said()
    case.kill(process)
    station.disarm()


def held(rule: Rule, when: str) -> Rule:
    return Rule(**(rule.given() | {"when": when, "hold": True}))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("rule", [POINTER, GIVE, TAKE], ids=["pointer", "give", "take"])
def test_a_rollback_that_was_killed_is_finished_by_the_same_command(
    station: Station, case: Case, rule: Rule, when: str
) -> None:
    place = case.place
    before = place.ledger.recorded()[case.name]
    killed(station, case, held(rule, when), "rollback", case.name)
    case.run("rollback", case.name)  # there is no engine here to refresh the outputs with
    after = place.ledger.recorded()[case.name]
    assert after.instead_of == before.active
    assert after.aliased
    aliases = {
        key: ALIAS in model.aliases
        for key, entry in after.entries.items()
        if (model := place.registry.model(entry.tuned_model or ""))
    }
    assert aliases == {str(after.active): True, str(before.active): False}
    assert case.faults() == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "rule",
    [UNDEPLOY, MODEL, ENDPOINT, DATASET, ENTRY],
    ids=["undeploy", "model", "endpoint", "dataset", "entry"],
)
def test_a_prune_that_was_killed_is_finished_by_the_same_command(
    station: Station, case: Case, rule: Rule, when: str
) -> None:
    place = case.place
    before = place.ledger.recorded()[case.name]
    (gone,) = (entry for key, entry in before.entries.items() if key != before.active)
    read = place.ledger.read(case.name, gone.fingerprint)
    assert read is not None
    killed(station, case, held(rule, when), *PRUNE)
    assert case.run(*PRUNE) == 0, case.said()
    after = place.ledger.recorded()[case.name]
    assert (after.active, [*after.entries]) == (before.active, [before.active])
    assert place.registry.model(gone.tuned_model or "") is None
    endpoints = [str(point["endpoint"]) for point in read[0].checkpoints]
    assert [place.registry.endpoint(name) for name in endpoints] == [None, None]
    datasets = {blob.name.split("/")[1] for blob in place.bucket.list_blobs(prefix="datasets/")}
    assert datasets == {after.entries[str(after.active)].inputs["dataset"]}
    assert case.faults() == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("rule", [CANCEL, POINTER], ids=["cancel", "record"])
def test_a_cancel_that_was_killed_is_finished_by_the_same_command(
    idle: Station, rule: Rule, when: str
) -> None:
    case = idle.case()
    applied(case.place, wait=False)
    command = ("cancel", case.name, "--yes")
    killed(idle, case, held(rule, when), *command)
    assert case.run(*command) == 0, case.said()
    (entry,) = entries(case.place, case.name)
    assert entry.state == "cancelled"
    assert case.place.vertex.job(entry.job or "").state == "CANCELLED"
    assert case.submitted().total() == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3], ids=["entry", "score", "pointer"])
def test_an_import_that_was_killed_is_finished_by_the_same_command(
    station: Station, nth: int, when: str
) -> None:
    case = station.case()
    place = case.place
    (resolved,) = place.resolve()
    uri = upload(resolved.dataset, None, place.bucket)["train"]
    job = place.vertex.submit(order(train_uri=uri))
    while not job.done:
        job = place.vertex.job(job.name)
    jobs = len(place.vertex.jobs({}))
    command = ("import", case.name, "--job", job.name, "--as-desired")
    rule = Rule("here", method="POST", path="/upload/*", nth=nth)
    killed(station, case, held(rule, when), *command)
    case.run(*command)  # there is no engine here to refresh the outputs with
    (entry,) = entries(place, case.name)
    assert (entry.job, entry.imported, entry.state) == (job.name, True, "succeeded")
    assert entry.score is not None
    assert place.ledger.recorded()[case.name].active == entry.fingerprint
    assert case.run("plan") == 0
    assert len(place.vertex.jobs({})) == jobs
