"""Promise: what was reviewed is what is done, or the rest of it."""

from pathlib import Path

import pytest

from jobs.runner.diff import diff
from jobs.runner.entry import Recorded
from jobs.runner.errors import VertuneError
from jobs.runner.estimate import Estimate
from jobs.runner.promise import Promise, hold, hold_checksum, parse, promise, read
from tests.runner.states import A1, A2, A3, by_name, entry, record, served, wanted

TWO = by_name(wanted("a", A1), wanted("b", A2))


def made(desired: object, recorded: object) -> Promise:
    return promise(diff(desired, recorded), "dev", "acme")  # type: ignore[arg-type]


def test_the_same_plan_has_the_same_checksum_and_any_other_another_one() -> None:
    one = made(TWO, {})
    assert made(dict(reversed(TWO.items())), {}) == one
    dearer = by_name(
        wanted("a", A1, estimate=Estimate(epochs=3, tokens=1, price_usd=9.0, notes=())),
        wanted("b", A2),
    )
    others = [
        made(by_name(wanted("a", A1)), {}),
        made(by_name(wanted("a", A1), wanted("b", A3)), {}),
        made(dearer, {}),
        promise(diff(TWO, {}), "prod", "acme"),
        promise(diff(TWO, {}), "dev", "other"),
    ]
    assert len({one.checksum, *(other.checksum for other in others)}) == 6


def test_what_was_written_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(made(TWO, {}).model_dump_json())
    assert read(path) == made(TWO, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no plan"),
        ("[]", "is no plan"),
        ('{"format": 1}', "is no plan"),
        ('{"format": 2, "stack": 7}', "written by a newer vertune"),
        ("\x00", "is no plan"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(VertuneError, match=said):
        read(path)
    with pytest.raises(VertuneError, match="cannot be read"):
        read(tmp_path / "none.json")


def test_the_reviewed_plan_and_the_rest_of_it_are_done() -> None:
    reviewed = made(TWO, {})
    hold(reviewed, made(TWO, {}), {})
    begun = {"a": record(entry(A1, "submitted", "a"))}
    hold(reviewed, made(TWO, begun), begun)
    half = served(entry(A1, name="a"))
    hold(reviewed, made(TWO, half), half)
    done = {**half, **served(entry(A2, name="b"))}
    hold(reviewed, made(TWO, done), done)


def test_what_nobody_reviewed_is_refused_by_name() -> None:
    reviewed = made(by_name(wanted("a", A1)), {})
    with pytest.raises(VertuneError, match=r"new: submit b \(a2a2a2a2a2a2\)"):
        hold(reviewed, made(TWO, {}), {})
    with pytest.raises(VertuneError, match="new: submit a") as error:
        hold(reviewed, made(by_name(wanted("a", A3)), {}), {})
    assert "gone: submit a (a1a1a1a1a1a1)" in str(error.value)


def test_a_price_that_rose_since_is_refused() -> None:
    dear = Estimate(epochs=3, tokens=1000, price_usd=9.0, notes=())
    with pytest.raises(VertuneError, match=r"changed: submit a .*\$0.09 → submit a .*\$9.0"):
        hold(
            made(by_name(wanted("a", A1)), {}),
            made(by_name(wanted("a", A1, estimate=dear)), {}),
            {},
        )


def test_a_plan_of_another_stack_is_refused() -> None:
    other = promise(diff(TWO, {}), "prod", "acme")
    with pytest.raises(VertuneError, match="is of stack prod"):
        hold(other, made(TWO, {}), {})


def test_what_was_to_be_forgotten_may_be_forgotten_already() -> None:
    ledger = served(entry(A1, name="a"))
    reviewed = made({}, ledger)
    after = {"a": Recorded(ledger["a"].entries, None)}
    hold(reviewed, made({}, after), after)


def test_a_checksum_holds_only_for_its_very_plan() -> None:
    now = made(TWO, {})
    hold_checksum(now.checksum, now)
    with pytest.raises(VertuneError, match=f"checksum is {now.checksum} now, not 0123"):
        hold_checksum("0123", now)


def test_a_retry_that_failed_again_is_not_the_one_that_was_reviewed() -> None:
    def failed(job: str) -> dict[str, Recorded]:
        return {"a": record(entry(A1, "failed", "a", job=job))}

    def retried(job: str) -> Promise:
        plan = diff(by_name(wanted("a", A1)), failed(job), retry=["a"])
        return promise(plan, "dev", "acme")

    hold(retried("jobs/1"), retried("jobs/1"), failed("jobs/1"))
    with pytest.raises(VertuneError, match="changed: submit a"):
        hold(retried("jobs/1"), retried("jobs/2"), failed("jobs/2"))
    with pytest.raises(VertuneError, match="checksum"):
        hold_checksum(retried("jobs/1").checksum, retried("jobs/2"))


def test_going_on_does_what_was_approved_at_the_price_that_was() -> None:
    plan = diff(by_name(wanted()), {})
    approved = promise(plan, "dev", "p")
    (change,) = plan.changes
    assert approved.goes_on(change)
    dearer = approved.model_copy(
        update={"changes": (approved.changes[0].model_copy(update={"price_usd": 0.0001}),)}
    )
    assert not dearer.goes_on(change)


def test_a_saved_plan_that_was_edited_is_refused() -> None:
    text = promise(diff(by_name(wanted()), {}), "dev", "p").model_dump_json()
    assert parse(text.encode(), "x.json").stack == "dev"
    with pytest.raises(VertuneError, match="was edited"):
        parse(text.replace('"dev"', '"prod"').encode(), "x.json")
