"""Gone: what is no longer there has failed, once a person asks for it again and not before."""

import pytest
import requests

from jobs.emulator.emulator import Emulator
from jobs.runner import gone
from jobs.runner.commands import Place
from jobs.runner.entry import Entry, Recorded
from jobs.runner.plan import Action, Plan
from jobs.runner.reconcile import reconcile
from tests.conftest import Repository
from tests.runner.tuned import place_with


@pytest.fixture
def tuned(provisioned: Repository) -> tuple[Place, Entry]:
    place, (entry,) = place_with(provisioned, "one")
    return place, entry


def delete(emulator: Emulator, name: str) -> None:
    requests.delete(f"{emulator.url}/v1/{name}", timeout=20).raise_for_status()


def undeployed(emulator: Emulator, entry: Entry) -> None:
    endpoint = f"{emulator.url}/v1/{entry.endpoint}"
    for one in requests.get(endpoint, timeout=20).json()["deployedModels"]:
        body = {"deployedModelId": one["id"]}
        requests.post(f"{endpoint}:undeployModel", json=body, timeout=20).raise_for_status()


def seen(place: Place, *retry: str) -> dict[str, Recorded]:
    recorded = place.ledger.recorded()
    return gone.without(recorded, place.resolve(), retry, place.registry)


def planned(place: Place) -> Plan:
    return reconcile(place.resolve(), seen(place, "one"), retry=("one",)).plan


def test_what_is_there_is_left_as_it_is(tuned: tuple[Place, Entry]) -> None:
    place, _ = tuned
    assert seen(place, "one") == place.ledger.recorded()


def test_nothing_is_asked_about_other_names(tuned: tuple[Place, Entry], emulator: Emulator) -> None:
    place, _ = tuned
    emulator.faults.write('- {path: "*/models/*", status: 403}', "rules")
    assert seen(place, "two") == place.ledger.recorded()


def test_without_its_endpoint_a_tuning_has_failed_to_a_plan_and_not_yet_in_the_ledger(
    tuned: tuple[Place, Entry], emulator: Emulator
) -> None:
    place, entry = tuned
    undeployed(emulator, entry)
    delete(emulator, str(entry.endpoint))
    found = seen(place, "one")["one"].entries[entry.fingerprint]
    assert (found.state, found.tuned_model) == ("failed", None)
    assert str(entry.tuned_model) in (found.error or "")
    assert place.ledger.recorded()["one"].entries[entry.fingerprint].state == "succeeded"


def test_what_is_to_be_tuned_again_is_recorded_as_failed_unless_somebody_was_faster(
    tuned: tuple[Place, Entry], emulator: Emulator
) -> None:
    place, entry = tuned
    undeployed(emulator, entry)
    delete(emulator, str(entry.endpoint))
    plan, taken = planned(place), seen(place, "one")
    assert [change.action for change in plan.changes] == [Action.SUBMIT]
    read = place.ledger.read("one", entry.fingerprint)
    assert read is not None
    again = read[0].model_copy(update={"job": f"{entry.job}0"})
    generation = place.ledger.update(again, read[1])

    gone.record(place.ledger, plan, taken)
    assert place.ledger.read("one", entry.fingerprint) == (again, generation)

    place.ledger.update(entry, generation)
    gone.record(place.ledger, plan, taken)
    after = place.ledger.read("one", entry.fingerprint)
    assert after is not None
    assert (after[0].state, after[0].tuned_model, after[0].job) == ("failed", None, entry.job)
    gone.record(place.ledger, Plan(), taken)
    assert place.ledger.read("one", entry.fingerprint) == after
