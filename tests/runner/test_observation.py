"""Observation: what is read while others write is no difference."""

from typing import Any

import requests

from jobs.emulator.emulator import Emulator
from jobs.runner import storage
from jobs.runner.commands import Place
from jobs.runner.drift import Kind, differences
from jobs.runner.ledger import Ledger
from jobs.runner.observation import Sources, observe
from jobs.runner.pointer import ALIAS
from tests.conftest import Repository
from tests.runner.lines import line
from tests.runner.tuned import place_with


def test_an_entry_that_is_written_between_the_list_and_its_read_was_not_edited(
    provisioned: Repository, emulator: Emulator
) -> None:
    place, (entry,) = place_with(provisioned, "one")
    model = place.registry.model(str(entry.tuned_model))
    assert model is not None
    place.registry.give(model, ALIAS)
    lists: list[str] = []

    def write_after_the_second_list(request: str) -> bool:
        if "prefix=ledger" in request:
            lists.append(request)
            if len(lists) == 2:
                read = place.ledger.read("one", entry.fingerprint)
                assert read is not None
                place.ledger.update(read[0].model_copy(update={"stand_in": "other"}), read[1])
        return False

    with line(emulator.url) as way:
        way.cut = write_after_the_second_list
        ledger = Ledger(storage.bucket("vertune-local", "vertune-local", way.url))
        found = observe(_sources(place, ledger), {})
    assert len(lists) == 3
    assert differences(found) == []


def test_a_version_that_no_list_has_is_asked_for_by_its_name(provisioned: Repository) -> None:
    place, (entry,) = place_with(provisioned, "one")
    model, _, _ = str(entry.tuned_model).partition("@")
    parent = model.partition("/models/")[0]
    call(place, f"{parent}/models:copy", {"sourceModel": entry.tuned_model, "parentModel": model})
    call(place, f"{model}@2:mergeVersionAliases", {"versionAliases": ["default", ALIAS]})
    assert [one.name for one in place.registry.models(parent)] == [f"{model}@2"]

    found = observe(_sources(place, place.ledger), {})

    assert {f"{model}@{number}".partition("/locations/")[2] for number in (1, 2)} == {*found.models}
    assert {one.kind for one in differences(found)} == {Kind.ALIAS}


def call(place: Place, path: str, body: Any) -> None:
    url = f"{place.stack.endpoint}/v1/{path}"
    requests.post(url, json=body, timeout=20).raise_for_status()


def _sources(place: Place, ledger: Ledger) -> Sources:
    return Sources(place.name, place.settings, ledger, place.vertex, place.registry)
