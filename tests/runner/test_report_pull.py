"""Report of a pull request: what it touches first, the rest folded, and never too long."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.runner import report_pull
from jobs.runner.diff import diff
from jobs.runner.guards import Guard
from jobs.runner.plan import Plan
from jobs.runner.report import Shown
from jobs.runner.touched import Touched
from tests.runner.golden import golden
from tests.runner.states import by_name, entry, record, wanted
from tests.runner.test_report import CLOUD

_MOST = 65_536  # characters of a comment, says GitHub
_TOUCHED = Touched(frozenset({"jobs/faq.yaml"}))


def planned(*names: str, error: str = "no room") -> Plan:
    """Every second one failed before."""
    prints = {name: f"{number:064x}" for number, name in enumerate(names)}
    ledger = {
        name: record(entry(prints[name], "failed", name, error=error)) for name in names[1::2]
    }
    return diff(by_name(*(wanted(name, prints[name]) for name in names)), ledger)


def said(plan: Plan, names: set[str], touched: Touched = _TOUCHED, *against: Guard) -> str:
    return report_pull.markdown(Shown(plan, "dev", CLOUD, against), frozenset(names), touched)


def test_what_is_touched_comes_first_and_the_rest_is_folded() -> None:
    plan = planned("faq", "headlines", "news", "open")
    guard = Guard("cap", "the price is about $0.36, and vertune:maxUsd of this stack is $0.2")
    mixed = Touched(
        frozenset({"jobs/news.yaml", ".github/workflows/apply.yml", "infra/storage.py"})
    )
    golden("plan-pull.md", said(plan, {"news"}, mixed, guard))


def test_a_pull_request_that_changes_no_model_says_so() -> None:
    assert "It changes no model of this stack." in said(planned("faq"), set())
    assert "It changes no model of this stack." in said(Plan(), {"faq"})


@pytest.mark.parametrize("count", [1, 2000])
@pytest.mark.parametrize("share", [0, 1])
def test_the_checksum_is_told_however_much_is_left_out(count: int, share: int) -> None:
    names = [f"spec-{number}" for number in range(count)]
    text = said(planned(*names), set(names) if share else set())
    assert "Checksum: `" in text.splitlines()[-1]
    assert ("more: `vertune plan` shows them." in text) is (count > 1)


@settings(deadline=None, max_examples=30)
@given(
    count=st.integers(1, 120),
    error=st.sampled_from(("é" * 4000, "|<@#" * 900, "x")),
    cut=st.floats(0, 1),
)
def test_no_comment_is_longer_than_it_may_be(count: int, error: str, cut: float) -> None:
    names = [f"spec-{number}" for number in range(count)]
    text = said(planned(*names, error=error), set(names[: int(cut * count)]))
    assert len(text.encode()) <= _MOST
    shown = sum(line.startswith(("| + ", "| ! ")) for line in text.splitlines())
    left_out = sum(
        int(line.split()[0].replace(",", "")) for line in text.splitlines() if " more: `" in line
    )
    assert shown + left_out == count
