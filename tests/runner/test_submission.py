"""Submission: a claim, a look, one create, a record; what each refusal and each race leaves."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner import gone
from jobs.runner.apply import Outcome, apply
from jobs.runner.commands import Place
from jobs.runner.entry import Entry
from jobs.runner.events import Events
from jobs.runner.flight import Flight
from jobs.runner.lease import lease
from jobs.runner.plan import Action
from jobs.runner.reconcile import reconcile
from jobs.runner.storage import Changed
from jobs.runner.submission import Submission, labels
from jobs.runner.upload import upload
from jobs.runner.vertex import Order
from tests.conftest import Repository
from tests.runner.test_apply import (
    OVER,
    Silent,
    all_jobs,
    applied,
    entry_of,
    planned,
    tools,
)


@pytest.fixture
def place(provisioned: Repository) -> Place:
    provisioned.job("one")
    return Place("local", provisioned.root)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, soon_done: None) -> None:
    """What waits for room waits less, too."""
    monkeypatch.setattr("jobs.runner.apply._QUOTA_SECONDS", 0.6)


class Stopping(threading.Event):
    """A person who stops an apply after so many waits."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self._waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        self._waits -= 1
        if not self._waits:
            self.set()
        return super().wait(0)


class Meanwhile(threading.Event):
    """Something that happens while an apply waits for the first time."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self._happens = [happens]

    def wait(self, timeout: float | None = None) -> bool:
        while self._happens:
            self._happens.pop()()
        return super().wait(0)


def said_by(place: Place, **given: object) -> tuple[Outcome, list[str]]:
    found = planned(place)
    used = tools(place, **given)  # type: ignore[arg-type]
    outcome = apply(used, found.plan, found.resolved)
    assert isinstance(used.watcher, Silent)
    return outcome, used.watcher.lines


# Room


def test_without_waiting_what_has_room_is_submitted_and_the_rest_stays_queued(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("two")
    outcome, _ = said_by(place, wait=False, at_once=1)
    assert (outcome.running, outcome.queued) == (["one"], ["two"])
    assert [job.labels["vertune-spec"] for job in all_jobs(place)] == ["one"]


def test_runs_that_do_not_wait_come_to_the_same_end(place: Place, provisioned: Repository) -> None:
    provisioned.job("two")
    tuned: list[str] = []
    while planned(place).plan:
        outcome, _ = said_by(place, wait=False, at_once=1)
        assert not outcome.failed
        tuned += outcome.tuned
    assert sorted(tuned) == ["one", "two"]
    assert len(all_jobs(place)) == 2


def test_what_waits_for_jobs_of_others_says_so_once(place: Place) -> None:
    full, found = replace(tools(place, at_once=0), stop=Stopping(3)), planned(place)
    outcome = apply(full, found.plan, found.resolved)
    assert outcome.queued == ["one"]
    assert isinstance(full.watcher, Silent)
    assert len([line for line in full.watcher.lines if "waits for room" in line]) == 1


@pytest.mark.usefixtures("quick")
def test_a_refusal_for_want_of_quota_is_waited_out(place: Place, emulator: Emulator) -> None:
    emulator.faults.set(Rule("full", method="POST", path="*/tuningJobs", times=2, status=429))
    outcome, said = said_by(place)
    assert outcome.tuned == ["one"]
    assert sum("one: waits for quota" in line for line in said) == 2
    assert len(all_jobs(place)) == 1


@pytest.mark.usefixtures("quick")
def test_a_job_that_was_created_though_it_was_refused_is_found_before_the_next_try(
    place: Place, emulator: Emulator
) -> None:
    emulator.faults.set(
        Rule("full", method="POST", path="*/tuningJobs", when="after", times=1, status=429)
    )
    outcome, said = said_by(place)
    (job,) = all_jobs(place)
    assert outcome.tuned == ["one"]
    assert f"one: found {job.name}" in said


@pytest.mark.parametrize("status", [499, 501, 520])
def test_a_failure_of_any_kind_is_no_word_on_whether_a_job_was_created(
    place: Place, emulator: Emulator, status: int
) -> None:
    emulator.faults.set(
        Rule("no", method="POST", path="*/tuningJobs", when="after", times=1, status=status)
    )
    outcome, said = said_by(place)
    assert outcome.tuned == ["one"]
    assert any("whether a job was created is looked up" in line for line in said)
    assert len(all_jobs(place)) == 1


def test_without_waiting_it_stays_queued_and_leaves_no_trace(
    place: Place, emulator: Emulator
) -> None:
    emulator.faults.set(Rule("full", method="POST", path="*/tuningJobs", status=429))
    outcome, _ = said_by(place, wait=False)
    assert (outcome.queued, outcome.failed) == (["one"], {})
    assert place.ledger.recorded() == {}


# Refusals


def test_a_complaint_about_a_field_is_said_at_the_line_of_the_spec(
    place: Place, emulator: Emulator, provisioned: Repository
) -> None:
    found = planned(place)
    text = (provisioned.root / "jobs/one.yaml").read_text()
    assert text.splitlines()[1].startswith("base_model")
    resolved = found.resolved["one"]
    spec = resolved.file.spec.model_copy(update={"base_model": "gemini-9"})
    file = replace(resolved.file, spec=spec)
    outcome = apply(tools(place), found.plan, {"one": replace(resolved, file=file)})
    assert outcome.failed["one"].startswith("jobs/one.yaml:2: base_model: ")
    assert "gemini-9" in outcome.failed["one"]


def test_a_retry_that_is_refused_leaves_the_failure_on_record(
    place: Place, emulator: Emulator
) -> None:
    applied(place)
    entry, generation = entry_of(place, "one")
    update = {"state": "failed", "error": "no room", "score": None}
    place.ledger.update(entry.model_copy(update=update), generation)
    emulator.faults.set(Rule("no", method="POST", path="*/tuningJobs", status=403))
    found = planned(place, retry=("one",))
    assert "403" in apply(tools(place), found.plan, found.resolved).failed["one"]
    again, _ = entry_of(place, "one")
    assert again == entry.model_copy(update=update)
    assert [change.action for change in planned(place).plan.changes] == [Action.BLOCKED]


@pytest.mark.usefixtures("quick")
def test_a_retry_of_what_was_cancelled_before_it_had_a_job_waits_for_quota_as_others_do(
    place: Place, emulator: Emulator
) -> None:
    place.ledger.create(intent_of_another(place).model_copy(update={"state": "cancelled"}))
    emulator.faults.set(Rule("full", method="POST", path="*/tuningJobs", times=1, status=429))
    found = planned(place, retry=("one",))
    outcome = apply(tools(place), found.plan, found.resolved)
    assert (outcome.tuned, outcome.failed) == (["one"], {})


# What was lost


def test_a_lost_ledger_entry_is_made_anew_from_the_job_without_paying_again(place: Place) -> None:
    applied(place)
    entry, generation = entry_of(place, "one")
    place.ledger.remove(entry, generation)
    outcome, said = said_by(place)
    assert outcome.tuned == ["one"]
    assert f"one: found {entry.job}" in said
    again, _ = entry_of(place, "one")
    assert (again.job, again.tuned_model) == (entry.job, entry.tuned_model)
    assert len(all_jobs(place)) == 1
    assert not planned(place).plan


def intent_of_another(place: Place) -> Entry:
    """An entry as an applier leaves it that died right after its claim."""
    one = planned(place).resolved["one"]
    desired = one.desired
    assert desired is not None
    return Entry(
        name="one",
        fingerprint=desired.fingerprint,
        stack="local",
        state="submitting",
        inputs=dict(desired.inputs),
        created=place.ledger.clock.stamp(),
        leased=place.ledger.clock.stamp(),
        spec="jobs/one.yaml",
        holder="elsewhere:7:abc",
        dataset_uri=upload(one.dataset, None, place.bucket)["train"],
        splits={"train": 2},
    )


def test_of_a_claim_that_is_held_the_holder_is_said(place: Place) -> None:
    place.ledger.create(intent_of_another(place))
    outcome, said = said_by(place, wait=False)
    assert outcome.running == ["one"]
    assert any("was being submitted by elsewhere:7:abc" in line for line in said)
    assert all_jobs(place) == []


def test_a_job_of_the_stack_that_had_the_bucket_before_is_found_and_not_paid_for_again(
    place: Place,
) -> None:
    applied(place, wait=False)
    entry, generation = entry_of(place, "one")
    lost = {"state": "submitting", "job": None}
    place.ledger.update(entry.model_copy(update=lost), generation)
    found = planned(place)
    outcome = apply(replace(tools(place, OVER), stack="renamed"), found.plan, found.resolved)
    assert outcome.tuned == ["one"]
    assert [job.name for job in place.vertex.jobs({})] == [entry.job]


@pytest.mark.parametrize("planned_before", [True, False])
def test_what_another_began_and_was_refused_for_quota_is_submitted_by_who_waited_for_it(
    place: Place, planned_before: bool
) -> None:
    """Planned before it was begun, it is queued; planned as under way, it is planned anew."""
    found, intent = planned(place), intent_of_another(place)
    generation = place.ledger.create(intent)
    found = found if planned_before else planned(place)
    refused = Meanwhile(lambda: place.ledger.remove(intent, generation))
    outcome = apply(replace(tools(place), stop=refused), found.plan, found.resolved)
    assert outcome.failed == {}
    assert outcome.tuned == (["one"] if planned_before else [])
    assert applied(place).failed == {}
    assert len(all_jobs(place)) == 1
    assert not planned(place).plan


def test_a_retry_that_another_began_and_was_refused_for_quota_is_done_by_who_waited_for_it(
    place: Place,
) -> None:
    failed = intent_of_another(place).model_copy(update={"state": "failed", "job": "tuningJobs/7"})
    generation = place.ledger.create(failed)
    found = planned(place, retry=("one",))
    begun = failed.model_copy(
        update={"state": "submitting", "job": None, "previous": ["tuningJobs/7"]}
    )
    generation = place.ledger.update(begun, generation)
    refused = Meanwhile(lambda: place.ledger.update(failed, generation))
    outcome = apply(replace(tools(place), stop=refused), found.plan, found.resolved)
    assert (outcome.tuned, outcome.failed) == (["one"], {})
    assert len(all_jobs(place)) == 1


def test_a_claim_that_nobody_holds_and_no_spec_wants_is_removed(
    place: Place, provisioned: Repository
) -> None:
    place.ledger.create(intent_of_another(place))
    (provisioned.root / "jobs/one.yaml").unlink()
    applied(place, OVER)
    assert place.ledger.recorded() == {}
    assert all_jobs(place) == []


def test_of_a_retry_that_nobody_holds_and_no_spec_wants_the_failure_stays_on_record(
    place: Place, provisioned: Repository
) -> None:
    intent = intent_of_another(place).model_copy(update={"previous": ["tuningJobs/7"]})
    place.ledger.create(intent)
    (provisioned.root / "jobs/one.yaml").unlink()
    applied(place, OVER)
    entry, _ = entry_of(place, "one")
    assert (entry.state, entry.job, entry.previous) == ("failed", "tuningJobs/7", [])


def test_a_claim_that_nobody_holds_is_not_taken_over_against_a_guard(
    place: Place, provisioned: Repository
) -> None:
    place.ledger.create(intent_of_another(place))
    path = provisioned.root / "jobs/one.yaml"
    path.write_text(path.read_text("utf-8") + "budget_usd: 0.0000001\n", "utf-8")
    _, said = said_by(place, lease=OVER)
    assert any("was never submitted, and" in line and "over the budget" in line for line in said)
    assert all_jobs(place) == []
    assert [change.action for change in planned(place).plan.changes] == [Action.BLOCKED]


def test_of_two_jobs_for_one_claim_the_second_one_is_cancelled(place: Place) -> None:
    """It takes a service that acts long after its answer was given up."""
    applied(place)
    entry, _ = entry_of(place, "one")
    order = Order(
        "twice", "gemini-3.1-flash-lite", entry.dataset_uri, None, 2, None, None, labels(entry)
    )
    said: list[str] = []
    submission = Submission(
        *("local", place.ledger, place.vertex, lease(True)),
        said=lambda name, text: said.append(text),
        happened=Events().happened,
    )
    late = Flight(entry.model_copy(update={"state": "submitting", "job": None}), 1, None)
    second = place.vertex.submit(order)
    submission._adopt(late, second, "submitted")
    assert late.entry.job == entry.job
    (line,) = said
    assert line.startswith(f"{entry.job} was recorded meanwhile; the second one, {second.name}, ")
    assert "cancelled" in line  # or that it cannot be, where it has ended by itself


def missing_once(emulator: Emulator) -> None:
    emulator.faults.set(Rule("no", method="GET", path="*/tuningJobs/*", times=1, status=404))


def test_a_job_that_the_service_does_not_know_yet_is_asked_for_again(
    place: Place, emulator: Emulator
) -> None:
    missing_once(emulator)
    assert said_by(place)[0].tuned == ["one"]


def test_a_job_that_is_gone_when_it_must_be_known_has_failed(
    place: Place, emulator: Emulator
) -> None:
    applied(place, wait=False)
    entry, generation = entry_of(place, "one")
    lost = {"state": "submitted", "lease": 0.0}
    place.ledger.update(entry.model_copy(update=lost), generation)
    missing_once(emulator)
    assert "is gone" in said_by(place)[0].failed["one"]
    assert entry_of(place, "one")[0].state == "failed"


# Clocks


def test_a_clock_that_is_wrong_here_does_not_make_a_lease_stale(place: Place) -> None:
    """The stamps are the service's: what this machine thinks the time is does not matter."""
    intent = intent_of_another(place)
    place.ledger.create(intent)
    assert place.ledger.clock.age(intent.leased or "") < 5
    assert said_by(place, wait=False)[0].running == ["one"]


def test_a_job_that_cannot_be_recorded_for_want_of_quota_is_found_and_not_created_again(
    place: Place, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cloud Storage refuses with 429 as well; that says nothing of the job."""
    monkeypatch.setenv("VERTUNE_PATIENCE", "0.05")
    # Uploaded are the examples, the intent and the claim, and then what records the job.
    emulator.faults.set(
        Rule("busy", method="POST", path="/upload/*", nth=4, times=8, status=429),
    )
    said_by(place)
    assert len(all_jobs(place)) == 1
    emulator.faults.clear()
    while planned(place).plan:
        assert not said_by(place, lease=OVER)[0].failed
    assert len(all_jobs(place)) == 1


def test_what_a_rollback_took_back_is_scored_anew_and_not_served(
    place: Place, provisioned: Repository
) -> None:
    applied(place)
    first, _ = entry_of(place, "one")
    provisioned.data("one", "train", ("one match", "sports"), ("a new bank", "business"))
    applied(place)
    second = place.ledger.recorded()["one"].active
    assert second is not None
    place.ledger.activate("one", first.fingerprint, second)
    read = place.ledger.read("one", second)
    assert read is not None
    place.ledger.update(read[0].model_copy(update={"score": None}), read[1])
    applied(place)
    assert place.ledger.recorded()["one"].active == first.fingerprint
    assert not planned(place).plan


def two_names_for_one_tuning(provisioned: Repository) -> None:
    text = (provisioned.root / "jobs/one.yaml").read_text("utf-8")
    (provisioned.root / "jobs/two.yaml").write_text(text, "utf-8")


def test_of_two_names_that_want_one_tuning_the_second_takes_the_job_of_the_first(
    place: Place, provisioned: Repository
) -> None:
    two_names_for_one_tuning(provisioned)
    before = {name: planned(place, select=(name,)) for name in ("one", "two")}
    assert [one.plan.tunes for one in before.values()] == [True, True]
    first, second = (apply(tools(place), one.plan, one.resolved) for one in before.values())
    assert (first.tuned, second.tuned) == (["one"], ["two"])
    assert len(all_jobs(place)) == 1
    assert not planned(place).plan


def test_while_one_name_submits_a_tuning_no_other_one_does(
    place: Place, provisioned: Repository
) -> None:
    two_names_for_one_tuning(provisioned)
    found = planned(place, select=("two",))
    intent = intent_of_another(place)
    place.ledger.create(intent)
    place.ledger.claims.claim(intent.fingerprint, "one", 0)
    outcome = apply(tools(place), found.plan, found.resolved)
    assert "the same tuning was begun as one meanwhile" in outcome.failed["two"]
    assert place.ledger.recorded().keys() == {"one"}
    assert all_jobs(place) == []


def test_an_older_claim_of_one_s_own_name_does_not_pass_for_a_new_one(place: Place) -> None:
    ledger = place.ledger
    ledger.claims.claim("f" * 64, "one", 0)
    _, generation = ledger.claims.claimant("f" * 64)
    with pytest.raises(Changed):
        ledger.claims.claim("f" * 64, "one", 0)
    ledger.claims.claim("f" * 64, "one", generation)
    with pytest.raises(Changed):  # by who has read the same before
        ledger.claims.claim("f" * 64, "two", generation)


def test_a_job_is_found_under_the_name_that_its_spec_had_before_the_ledger_lost_it(
    place: Place, provisioned: Repository
) -> None:
    applied(place)
    entry, generation = entry_of(place, "one")
    place.ledger.remove(entry, generation)
    place.ledger.deactivate("one")
    (provisioned.root / "jobs/one.yaml").rename(provisioned.root / "jobs/renamed.yaml")
    outcome, said = said_by(place)
    assert outcome.tuned == ["renamed"]
    assert f"renamed: found {entry.job}" in said
    assert len(all_jobs(place)) == 1


def test_who_speaks_of_an_earlier_try_does_not_end_the_later_one(place: Place) -> None:
    applied(place)
    entry, generation = entry_of(place, "one")
    late = Flight(entry.model_copy(update={"state": "submitted"}), generation - 1, None)
    for update in (
        {"state": "submitted", "job": f"{entry.job}9"},
        {"state": "submitting", "job": None},
    ):
        again = entry.model_copy(update={**update, "previous": [entry.job]})
        generation = place.ledger.update(again, generation)
        late.record(place.ledger, state="failed", error="the first one's")
        assert late.entry == again
        late = Flight(entry.model_copy(update={"state": "submitted"}), 1, None)


def test_what_is_gone_is_gone_under_all_its_names(place: Place, provisioned: Repository) -> None:
    applied(place)
    first, _ = entry_of(place, "one")
    (provisioned.root / "jobs/one.yaml").rename(provisioned.root / "jobs/renamed.yaml")
    applied(place)
    model = place.registry.model(first.tuned_model or "")
    assert model is not None
    for endpoint in map(place.registry.endpoint, model.endpoints):
        if endpoint is not None:
            for id in endpoint.deployed:
                place.registry.undeploy(endpoint, id)
    place.registry.delete_model(model)
    before, again = place.ledger.recorded(), ["renamed"]
    recorded = gone.without(before, place.resolve(), again, place.registry)
    found = reconcile(place.resolve(), recorded, retry=again)
    gone.record(place.ledger, found.plan, found.recorded)
    states = {
        name: [entry.state for entry in one.entries.values()]
        for name, one in place.ledger.recorded().items()
    }
    assert states == {"one": ["failed"], "renamed": ["failed"]}
    assert apply(tools(place), found.plan, found.resolved).tuned == ["renamed"]
    assert len(all_jobs(place)) == 2


def test_a_claim_of_a_name_whose_tuning_came_to_nothing_is_taken_over(
    place: Place, emulator: Emulator, provisioned: Repository
) -> None:
    two_names_for_one_tuning(provisioned)
    emulator.faults.set(Rule("no", method="POST", path="*/tuningJobs", status=403))
    found = planned(place, select=("one",))
    assert apply(tools(place), found.plan, found.resolved).failed
    emulator.faults.clear()
    found = planned(place, select=("two",))
    assert apply(tools(place), found.plan, found.resolved).tuned == ["two"]


def test_junk_in_the_place_of_a_claim_claims_nothing(place: Place) -> None:
    desired = planned(place).resolved["one"].desired
    assert desired is not None
    place.bucket.blob(f"claims/{desired.fingerprint}.json").upload_from_string("[]")
    assert applied(place).tuned == ["one"]


# Locations


def test_a_job_is_found_and_finished_where_it_was_submitted_whatever_the_region_is_now(
    place: Place, provisioned: Repository
) -> None:
    applied(place, wait=False)
    entry, generation = entry_of(place, "one")
    lost = {"state": "submitting", "job": None}
    place.ledger.update(entry.model_copy(update=lost), generation)
    moved = elsewhere(provisioned)
    outcome, said = said_by(moved)
    assert f"one: adopted {entry.job}" in said
    assert outcome.tuned == ["one"]
    assert all_jobs(moved) == []


def test_what_never_got_a_job_is_submitted_in_the_region_of_now(
    place: Place, provisioned: Repository
) -> None:
    place.ledger.create(intent_of_another(place).model_copy(update={"location": "us-central1"}))
    moved = elsewhere(provisioned)
    assert said_by(moved, lease=OVER)[0].tuned == ["one"]
    assert all_jobs(place) == []
    assert [job.name.split("/")[3] for job in all_jobs(moved)] == ["europe-west4"]


def elsewhere(provisioned: Repository) -> Place:
    path = provisioned.root / "Pulumi.local.yaml"
    path.write_text(path.read_text("utf-8").replace("us-central1", "europe-west4"), "utf-8")
    return Place("local", provisioned.root)


@pytest.mark.usefixtures("quick")
def test_a_refusal_for_want_of_quota_after_a_take_over_is_waited_out(
    place: Place, emulator: Emulator
) -> None:
    place.ledger.create(intent_of_another(place))
    emulator.faults.set(Rule("full", method="POST", path="*/tuningJobs", times=2, status=429))
    outcome, said = said_by(place, lease=OVER)
    assert outcome.tuned == ["one"]
    assert sum("one: waits for quota" in line for line in said) == 2
    assert len(all_jobs(place)) == 1


def test_a_lease_lasts_as_long_as_its_holder_keeps_it_whatever_the_reader_s_patience(
    place: Place,
) -> None:
    place.ledger.create(intent_of_another(place).model_copy(update={"lease": 600.0}))
    outcome, said = said_by(place, lease=OVER, wait=False)
    assert outcome.running == ["one"]
    assert any("if none turns up within" in line for line in said)
    assert all_jobs(place) == []
