"""The ledger against itself, row by row."""

from typing import Any

import pytest

from jobs.runner.drift import Kind
from jobs.runner.entry import Recorded
from tests.runner.drift.sights import body, kinds, only, seen
from tests.runner.states import A1, A2, entry, score


def test_junk_is_named_with_what_is_wrong_and_what_mends_it() -> None:
    found = only(seen(junk=("gs://b/ledger/x.json is no entry of the ledger; remove it",)))
    assert (found.kind, found.name) == (Kind.UNREADABLE, "")
    assert found.resource == "gs://b/ledger/x.json"
    assert found.what == "is no entry of the ledger"
    assert found.advice == "remove it"


def test_an_entry_of_a_newer_vertune_asks_for_an_update() -> None:
    said = "gs://b/ledger/x.json is of format 2, newer than this vertune's 1: update vertune"
    found = only(seen(junk=(said,)))
    assert found.advice == "update vertune"


def test_a_body_that_cannot_be_read_is_a_difference_of_its_name() -> None:
    said = f"gs://b/ledger/a/{A1}.json is no entry of the ledger; restore it"
    found = only(seen(entry(), bodies={("a", A1): said}))
    assert (found.kind, found.name) == (Kind.UNREADABLE, "a")


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"tuned_model": "projects/1/locations/us/models/8@1"}, "tuned_model"),
        ({"score": score(0.99)}, "score"),
        ({"score": None, "stack": "prod"}, "score, stack"),
    ],
)
def test_a_body_that_says_something_else_was_edited(changed: dict[str, Any], fields: str) -> None:
    one = entry(holder="ci:1:ab")
    found = only(seen(one, bodies={("a", A1): body(one, **changed)}))
    assert found.kind is Kind.EDITED
    assert found.what == f"its metadata and its body differ in {fields}"
    assert found.resource == f"gs://b/ledger/a/{A1}.json"


def test_what_the_metadata_of_older_entries_does_not_have_is_no_edit() -> None:
    one = entry(holder="ci:1:ab")
    assert kinds(seen(one, bodies={("a", A1): body(one, epochs=2, estimated_tokens=9)})) == []


def test_a_complaint_that_is_too_long_for_metadata_is_no_edit() -> None:
    one = entry(A1, "failed", error="x" * 500, holder="ci:1:ab")
    assert kinds(seen(one, jobs={}, bodies={("a", A1): body(one, error="x" * 9000)})) == []


def test_a_pointer_to_nothing_means_that_an_entry_was_lost() -> None:
    lost = {"a": Recorded({}, A1)}
    found = only(seen(recorded=lost, wanted={"a": A1}))
    assert (found.kind, found.resource) == (Kind.DANGLING, f"gs://b/ledger/a/{A1}.json")
    assert found.advice.startswith("`vertune apply` finds its job")
    assert only(seen(recorded=lost, wanted={"a": A2})).advice.startswith("restore")
