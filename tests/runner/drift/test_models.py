"""Tuned models that are not as they are recorded, row by row."""

from datetime import date
from typing import Any

import pytest

from jobs.runner.drift import Kind
from jobs.runner.entry import Copied
from jobs.runner.pointer import ALIAS
from tests.runner.drift.sights import by_name, endpoint, kinds, labels, model, only, seen
from tests.runner.states import A1, A2, ENDPOINT, MODEL, entry

SECOND = MODEL.replace("@1", "@2")


def test_a_served_tuned_model_that_is_gone_is_tuned_again_if_a_spec_asks_for_it() -> None:
    found = only(seen(entry(), active=A1, models={}, wanted={"a": A1}))
    assert (found.kind, found.resource) == (Kind.MODEL_MISSING, MODEL)
    assert found.means == "predictions fail"
    assert found.advice.startswith("`vertune apply --retry a`")


def test_a_copy_that_is_gone_is_copied_again_for_nothing() -> None:
    copy = entry(job=None, copied=Copied(stack="dev", tuned_model=SECOND))
    found = only(seen(copy, active=A1, models={}, wanted={"a": A1}))
    assert found.advice == "`vertune apply --retry a` copies it again"


def test_a_served_tuned_model_that_is_gone_and_not_asked_for_gives_way() -> None:
    found = only(seen(entry(), active=A1, models={}))
    assert found.advice.startswith("`vertune promote a FINGERPRINT`")


def test_an_older_tuned_model_that_is_gone_cannot_be_gone_back_to() -> None:
    found = only(seen(entry(), models={}))
    assert "going back" in found.means
    assert f"gs://b/ledger/a/{A1}.json" in found.advice


def test_an_endpoint_that_is_gone_answers_nobody() -> None:
    found = only(seen(entry(), active=A1, endpoints={}, wanted={"a": A1}))
    assert (found.kind, found.resource) == (Kind.ENDPOINT_MISSING, ENDPOINT)
    assert "--retry a" in found.advice


@pytest.mark.parametrize("there", [(), (SECOND,), ("projects/1/locations/us/models/8@1",)])
def test_an_endpoint_that_serves_something_else_is_undeployed(there: tuple[str, ...]) -> None:
    found = only(seen(entry(), active=A1, endpoints=by_name(endpoint(*there))))
    assert found.kind is Kind.UNDEPLOYED
    assert found.what.startswith(f"serves {there[0] if there else 'nothing'}, not ")


def test_of_a_tuned_model_that_is_gone_the_endpoint_is_not_told_of_too() -> None:
    assert kinds(seen(entry(), active=A1, models={}, endpoints={})) == [Kind.MODEL_MISSING]


@pytest.mark.parametrize(
    ("changed", "advice"),
    [
        ({"vertune-spec": "b"}, "set them again: vertune-spec=a"),
        ({"vertune-spec": None, "vertune-stack": None}, "set them again: vertune-spec=a,"),
        ({"vertune-mine": "x"}, "remove them: vertune-mine"),
    ],
)
def test_labels_of_a_tuned_model_are_those_of_its_job(changed: Any, advice: str) -> None:
    now = {k: v for k, v in (labels(entry()) | changed).items() if v is not None}
    found = only(seen(entry(), active=A1, models=by_name(model(entry(), ALIAS, labels=now))))
    assert found.kind is Kind.LABELS
    assert found.advice.startswith(advice)


def test_others_may_label_a_tuned_model_as_they_like() -> None:
    more = labels(entry()) | {"team": "search", "tune-type": "supervised"}
    assert kinds(seen(entry(), active=A1, models=by_name(model(entry(), ALIAS, labels=more)))) == []


# The alias


def test_the_alias_stands_on_what_is_served() -> None:
    found = only(seen(entry(), active=A1, models=by_name(model(entry()))))
    assert found.kind is Kind.ALIAS
    assert found.what == f"the alias {ALIAS} does not stand on it, and it is served"
    assert found.advice.startswith("`vertune promote a ")


def test_the_alias_stands_on_nothing_else() -> None:
    found = only(seen(entry(), models=by_name(model(entry(), ALIAS))))
    assert (found.kind, found.name) == (Kind.ALIAS, "a")
    assert "it is not served" in found.what
    assert found.advice.startswith("remove it in the console")


def test_the_alias_of_another_version_is_a_difference_of_both() -> None:
    moved = by_name(model(entry()), model(entry(), ALIAS, name=SECOND))
    assert kinds(seen(entry(), active=A1, models=moved)) == [Kind.ALIAS, Kind.ALIAS]


def test_the_alias_on_tuned_models_of_others_is_theirs() -> None:
    foreign = model(entry(), ALIAS, name="projects/1/locations/us/models/9@1", labels={})
    models = by_name(model(entry(), ALIAS), foreign)
    assert kinds(seen(entry(), active=A1, models=models)) == []


# What nothing records


def test_a_tuned_model_with_our_labels_that_nothing_records_is_told_of() -> None:
    stray = model(entry(name="b"), name="projects/1/locations/us/models/9@1")
    found = only(seen(entry(), models=by_name(model(entry()), stray)))
    assert (found.kind, found.name) == (Kind.MODEL_UNKNOWN, "b")
    assert "`vertune import b --model projects/1/locations/us/models/9@1`" in found.advice


def test_of_a_recorded_tuned_model_every_version_is_known() -> None:
    assert kinds(seen(entry(), models=by_name(model(entry()), model(entry(), name=SECOND)))) == []


def test_tuned_models_of_other_stacks_are_not_ours() -> None:
    stray = model(entry(stack="prod"), name="projects/1/locations/us/models/9@1")
    assert kinds(seen(models=by_name(stray))) == []


# The end of a base model


@pytest.mark.parametrize(
    ("today", "kind"),
    [
        (date(2027, 2, 5), None),
        (date(2027, 2, 6), Kind.RETIRING),
        (date(2027, 5, 6), Kind.RETIRING),
        (date(2027, 5, 7), Kind.RETIRED),
    ],
)
def test_a_served_base_model_in_its_notice_or_after_it(today: date, kind: Kind | None) -> None:
    assert kinds(seen(entry(), active=A1, today=today)) == ([kind] if kind else [])


def test_only_what_is_served_from_google_cloud_comes_to_an_end() -> None:
    late = date(2030, 1, 1)
    assert kinds(seen(entry(), today=late)) == []
    assert kinds(seen(entry(stand_in="small"), active=A1, today=late)) == []
    unknown = entry(inputs={"base_model": "gemini-9"})
    assert kinds(seen(unknown, active=A1, today=late)) == []


def test_what_failed_has_no_tuned_model_to_miss() -> None:
    assert kinds(seen(entry(A2, "failed"), jobs={}, models={}, endpoints={})) == []
