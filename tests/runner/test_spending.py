"""Spending: a month's bills, what is under way, and what nobody knows, which is not nothing."""

from typing import Any

from jobs.runner.entry import Summary
from jobs.runner.spending import Spent, by_label, in_month, spent, total
from tests.runner.states import A1, A2, A3, entry, record

PRICED: dict[str, Any] = {"epochs": 3, "estimated_tokens": 1_000_000, "usd_per_million": 2.0}


def billed(fingerprint: str = A1, **values: Any) -> Summary:
    return entry(fingerprint, **(PRICED | {"billed_tokens": 1_250_000} | values))


def test_bills_estimates_and_the_unknown_are_kept_apart() -> None:
    assert spent(billed()) == Spent(billed=2.5)
    assert spent(entry(A1, "submitted", **PRICED)) == Spent(under_way=2.0)
    assert spent(entry(A1)) == spent(entry(A1, "failed", **PRICED)) == Spent(unknown=1)
    assert spent(billed(previous=["tuningJobs/3"])) == Spent(billed=2.5, unknown=1)
    found = total([billed(), entry(A2, "submitted", **PRICED), entry(A3, "failed")])
    assert (found.usd, found.unknown) == (4.5, 1)


def test_a_tuning_counts_in_the_month_it_ends() -> None:
    over = billed(created="2026-10-31T22:00:00+00:00", finished="2026-11-01T01:00:00+00:00")
    recorded = {"a": record(over, entry(A2, "submitted", created="2026-10-31T23:00:00+00:00"))}
    assert [one.fingerprint for one in in_month(recorded, "2026-11")] == [A1]
    assert [one.fingerprint for one in in_month(recorded, "2026-10")] == [A2]


def test_a_job_that_two_names_share_is_paid_once() -> None:
    month = "2026-11"
    one, renamed = record(billed()), record(billed(name="b"))
    assert in_month({"a": one, "b": renamed}, month) == in_month({"a": one}, month)
    begun = {name: record(entry(A1, "submitting", name)) for name in ("a", "b")}
    assert len(in_month(begun, month)) == 2  # nobody knows yet whose job there will be


def test_what_never_became_a_job_cost_nothing() -> None:
    recorded = {"a": record(entry(A1, "failed", job=None))}
    assert in_month(recorded, "2026-11") == []


def test_costs_are_summed_by_the_value_of_a_label() -> None:
    found = by_label(
        [billed(A1), billed(A2), billed(A3)],
        {A1: {"team": "search"}, A2: {"team": "search"}},
        "team",
    )
    assert {value: one.billed for value, one in found.items()} == {
        "": 2.5,
        "search": 5.0,
    }
