"""Prune: nothing that is needed or another's is touched, and what was cut off is finished."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner.commands import Place
from jobs.runner.errors import VertuneError
from jobs.runner.ledger import Entry
from jobs.runner.leftovers import Keep
from jobs.runner.prune import Found, Prune, carry_out, find
from tests.conftest import Repository
from tests.runner.tuned import (
    another,
    applied,
    entries,
    place_of,
    place_with,
    planned,
    record_of,
    refused_at_each_call,
)

NONE = Keep(newest=0, days=0)


def opened(place: Place, settled: float = 0, stack: str = "local") -> Prune:
    return Prune(stack, place.bucket, place.ledger, place.registry, settled)


def found(place: Place, prune: Prune | None = None, keep: Keep = NONE) -> Found:
    desired = [one.desired for one in place.resolve() if one.desired]
    return find(prune or opened(place), place.ledger.recorded(), desired, keep)


def pruned(place: Place) -> dict[str, str]:
    return carry_out(opened(place), found(place))


def datasets(place: Place) -> set[str]:
    return {blob.name.split("/")[1] for blob in place.bucket.list_blobs(prefix="datasets/")}


def there(place: Place, entry: Entry) -> tuple[bool, list[bool]]:
    """Whether the tuned model is in the registry, and each of its endpoints."""
    names = {str(point["endpoint"]) for point in entry.checkpoints} | {entry.endpoint or ""}
    ends = [place.registry.endpoint(name) is not None for name in sorted(names)]
    return place.registry.model(entry.tuned_model or "") is not None, ends


def test_what_nobody_needs_is_shown_first_and_nothing_is_touched(provisioned: Repository) -> None:
    place, (first, second) = place_with(provisioned, "one", 2)
    (one,), (unused,) = found(place).leftovers, found(place).unused
    assert one.entry == first
    assert one.model is not None
    assert one.model.name == first.tuned_model
    assert len(one.endpoints) == 2  # one a checkpoint
    assert unused.digest == first.inputs["dataset"]
    assert unused.size > 0
    assert there(place, first) == (True, [True, True])
    assert entries(place, "one") == [first, second]


def test_what_nobody_needs_is_deleted_whole_and_what_is_served_stays(
    provisioned: Repository,
) -> None:
    place, (first, second) = place_with(provisioned, "one", 2)
    assert pruned(place) == {}
    assert there(place, first) == (False, [False, False])
    assert there(place, second) == (True, [True, True])
    assert entries(place, "one") == [second]
    assert datasets(place) == {second.inputs["dataset"]}
    assert not planned(place)
    assert found(place) == Found((), ())


def test_what_is_asked_for_again_after_it_was_pruned_is_tuned_anew(
    provisioned: Repository,
) -> None:
    place, (first, _) = place_with(provisioned, "one", 2)
    pruned(place)
    provisioned.job("one")
    applied(place)
    assert record_of(place, "one").active == first.fingerprint
    assert entries(place, "one")[-1].job != first.job


def test_refused_at_any_call_the_same_command_once_more_finishes(
    provisioned: Repository, emulator: Emulator
) -> None:
    place, _ = place_with(provisioned, "one", 2)

    def run() -> None:
        if failed := pruned(place):
            raise VertuneError(str(failed))

    for number, (call, done) in enumerate(refused_at_each_call(emulator, run), 2):
        assert not done, call
        run()
        (left,) = entries(place, "one")
        assert there(place, left) == (True, [True, True]), call
        assert datasets(place) == {left.inputs["dataset"]}, call
        another(provisioned, "one", number)
        applied(place)
    assert number > 20


def test_what_has_no_label_of_this_stack_is_not_touched(provisioned: Repository) -> None:
    place, (first, _) = place_with(provisioned, "one", 2)
    prune = opened(place, stack="other")
    (one,) = found(place, prune).leftovers
    assert one.stays == f"{first.tuned_model} has no label of this stack"
    assert carry_out(prune, found(place, prune)) == {}
    assert there(place, first) == (True, [True, True])
    assert len(entries(place, "one")) == 1


def test_a_tuned_model_that_another_name_needs_stays(provisioned: Repository) -> None:
    place, (first,) = place_with(provisioned, "old")
    spec = provisioned.root / "jobs/old.yaml"
    spec.rename(spec.with_name("new.yaml"))
    applied(place)
    assert found(place).leftovers == ()  # a spec asks for it, by whatever name
    another(provisioned, "old", 1)
    applied(place)
    asked = record_of(place, "new").active
    place.ledger.activate("new", first.fingerprint, instead_of=asked)
    (one,) = found(place).leftovers
    assert one.stays == "its tuned model is needed under another name"
    assert pruned(place) == {}
    assert entries(place, "old") == []
    assert there(place, first) == (True, [True, True])
    assert not planned(place)


def test_what_is_served_meanwhile_stays(provisioned: Repository) -> None:
    place, (first, _) = place_with(provisioned, "one", 2)
    before = found(place)
    place.ledger.activate("one", first.fingerprint)
    failed = carry_out(opened(place), before)
    unused = f"dataset {str(first.inputs['dataset'])[:12]}"
    assert list(failed) == [f"one {first.fingerprint[:12]}", unused]
    assert all("it stays" in why for why in failed.values())
    assert there(place, first) == (True, [True, True])
    assert len(entries(place, "one")) == 2
    assert first.inputs["dataset"] in datasets(place)


def test_what_is_taken_over_by_another_name_meanwhile_stays(provisioned: Repository) -> None:
    place, (first, _) = place_with(provisioned, "one", 2)
    before = found(place)
    provisioned.spec("two")
    provisioned.data("two", "train", ("one match", "sports"), ("bank merger", "business"))
    provisioned.data("two", "test", ("one match again", "sports"))
    applied(place)
    assert record_of(place, "two").active == first.fingerprint
    failed = carry_out(opened(place), before)
    assert "two is served by" in failed[f"one {first.fingerprint[:12]}"]
    assert there(place, first) == (True, [True, True])


def test_what_is_being_deleted_is_not_served_again_meanwhile(
    provisioned: Repository, emulator: Emulator
) -> None:
    """The pointer and the claim: each of the two writes its own before it reads the other's."""
    place, (first, second) = place_with(provisioned, "one", 2)
    before = found(place)
    emulator.faults.set(Rule("deletes", method="DELETE", path="*/models/*", hold=True))
    with ThreadPoolExecutor(1) as beside:
        pruning = beside.submit(carry_out, opened(place_of(provisioned)), before)
        emulator.faults.wait("deletes")
        provisioned.job("one")
        with pytest.raises(AssertionError, match="is being deleted by `vertune prune`"):
            applied(place)
        emulator.faults.clear()
        assert pruning.result() == {}
    assert record_of(place, "one").active == second.fingerprint
    assert there(place, first) == (False, [False, False])
    assert len(place.vertex.jobs({})) == 2


@pytest.mark.parametrize("shown", [True, False], ids=["served before", "never served"])
def test_what_was_deleted_after_an_apply_had_looked_at_it_is_not_served(
    provisioned: Repository, emulator: Emulator, shown: bool
) -> None:
    place, (first, second) = place_with(provisioned, "one", 2)
    if not shown:
        place.ledger.deactivate("one")
    before = found(place)
    provisioned.job("one")
    emulator.faults.set(Rule("serves", method="GET", path="*/active.json", nth=1, hold=True))
    with ThreadPoolExecutor(1) as beside:
        serving = beside.submit(applied, place_of(provisioned))
        emulator.faults.wait("serves")
        left = tuple(one for one in before.leftovers if one.entry == first)
        assert carry_out(opened(place), Found(left, ())) == {}
        emulator.faults.clear()
        with pytest.raises(AssertionError, match="is gone from the registry"):
            serving.result()
    assert record_of(place, "one").active == (second.fingerprint if shown else None)
    assert len(place.vertex.jobs({})) == 2


def test_a_claim_that_a_prune_left_behind_long_ago_keeps_nothing_from_being_served(
    provisioned: Repository, emulator: Emulator
) -> None:
    place, (first, _) = place_with(provisioned, "one", 2)
    _, generation = place.ledger.claimant(first.fingerprint)
    place.ledger.condemn(first.fingerprint, generation, "2026-01-01T10:00:00+00:00")
    provisioned.job("one")
    applied(place)
    assert record_of(place, "one").active == first.fingerprint
    place.ledger.condemn(first.fingerprint, place.ledger.claimant(first.fingerprint)[1])
    assert place.ledger.condemned(first.fingerprint)


def test_a_dataset_that_is_tuned_on_anew_meanwhile_stays(provisioned: Repository) -> None:
    place, (first, _) = place_with(provisioned, "one", 2)
    before = found(place)
    provisioned.job("one")
    text = (provisioned.root / "jobs/one.yaml").read_text("utf-8")
    provisioned.spec("one", text.replace("epochs: 2", "epochs: 3"))
    applied(place)
    assert "it stays" in carry_out(opened(place), before)[before.unused[0].title]
    assert first.inputs["dataset"] in datasets(place)


def test_one_refusal_keeps_nothing_else_from_being_deleted(
    provisioned: Repository, emulator: Emulator
) -> None:
    place, (first, second, _) = place_with(provisioned, "one", 3)
    id = (first.tuned_model or "").rpartition("/")[2].partition("@")[0]
    emulator.faults.set(Rule("no", method="DELETE", path=f"*/models/{id}", status=403))
    kept = [f"one {first.fingerprint[:12]}", f"dataset {str(first.inputs['dataset'])[:12]}"]
    assert list(pruned(place)) == kept
    assert there(place, second) == (False, [False, False])
    assert entries(place, "one")[0] == first


def test_a_young_dataset_may_be_of_a_submission_that_begins(provisioned: Repository) -> None:
    place, _ = place_with(provisioned, "one")
    place.bucket.blob("datasets/new/train.jsonl").upload_from_string("{}")
    assert [one.digest for one in found(place).unused] == ["new"]
    assert found(place, opened(place, settled=3600)).unused == ()


@pytest.mark.parametrize("gone", ["model", "endpoint"])
def test_what_was_deleted_by_hand_is_no_obstacle(provisioned: Repository, gone: str) -> None:
    place, (first, _) = place_with(provisioned, "one", 2)
    (one,) = found(place).leftovers
    registry: Any = place.registry
    for endpoint in one.endpoints:
        for id in endpoint.deployed:
            registry.undeploy(endpoint, id)
    if gone == "model":
        registry.delete_model(one.model)
    else:
        registry.delete_endpoint(one.endpoints[0])
    assert pruned(place) == {}
    assert there(place, first) == (False, [False, False])
