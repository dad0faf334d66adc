"""Apply: one job a tuning, found again whatever was lost, evaluated and then served."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.runner.apply import Outcome, Tools, apply
from jobs.runner.commands import Place
from jobs.runner.lease import Lease
from jobs.runner.ledger import Entry
from jobs.runner.plan import Action, Plan
from jobs.runner.reconcile import Reconciliation, reconcile
from jobs.runner.vertex import Job
from tests.conftest import Repository


class Silent:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def said(self, name: str, text: str) -> None:
        self.lines.append(f"{name}: {text}")

    def moved(self, name: str, job: Job) -> None: ...

    def answered(self, name: str, total: int) -> None: ...


@pytest.fixture
def place(provisioned: Repository) -> Place:
    return Place("local", provisioned.root)


LONG = Lease(sending=60, acting=30, settling=60)
OVER = Lease(sending=0, acting=30, settling=-30)  # stale at once


def tools(place: Place, lease: Lease = LONG, *, wait: bool = True, at_once: int = 2) -> Tools:
    return Tools(
        stack="local",
        bucket=place.bucket,
        ledger=place.ledger,
        vertex=place.vertex,
        watcher=Silent(),
        at_once=at_once,
        poll_seconds=0.01,
        lease=lease,
        retire=lambda name: None,
        wait=wait,
    )


def planned(
    place: Place, retry: tuple[str, ...] = (), select: tuple[str, ...] = ()
) -> Reconciliation:
    return reconcile(place.resolve(select), place.ledger.recorded(), select, retry)


def applied(place: Place, lease: Lease = LONG, *, wait: bool = True) -> Outcome:
    found = planned(place)
    return apply(tools(place, lease, wait=wait), found.plan, found.resolved)


def all_jobs(place: Place) -> list[Job]:
    return place.vertex.jobs({"vertune-stack": "local"})


def entry_of(place: Place, name: str) -> tuple[Entry, int]:
    (fingerprint,) = place.ledger.recorded()[name].entries
    found = place.ledger.read(name, fingerprint)
    assert found is not None
    return found


def test_a_plan_is_empty_once_everything_it_asked_for_happened(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    provisioned.job("two")
    outcome = applied(place)
    assert sorted(outcome.tuned) == ["one", "two"]
    assert not outcome.failed
    assert not planned(place).plan
    assert len(all_jobs(place)) == 2


def test_a_tuned_model_is_recorded_with_all_that_the_outputs_need(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    applied(place)
    entry, _ = entry_of(place, "one")
    assert entry.state == "succeeded"
    assert "/models/local-" in (entry.tuned_model or "")
    assert "/locations/us/endpoints/local-" in (entry.endpoint or "")
    assert entry.stand_in == "nearest-example"
    assert entry.score is not None
    assert (entry.score.n, entry.score.tuned, entry.score.base) == (1, 1.0, 0.0)
    assert entry.splits == {"train": 2, "test": 1}
    assert entry.statistics["tuning_dataset_example_count"] == 2
    assert place.ledger.recorded()["one"].active == entry.fingerprint


def test_what_is_scored_is_asked_as_it_was_tuned_on(place: Place, provisioned: Repository) -> None:
    """With all that was said before, and with the functions there are."""
    bodies = []
    for city in ("Oslo", "Rome"):
        call = {"functionCall": {"name": "weather", "args": {"in": city}}}
        said = [{"text": f"I am in {city}."}, {"text": "Noted."}, {"text": "The weather?"}, call]
        roles = ("user", "model", "user", "model")
        contents = [{"role": r, "parts": [part]} for r, part in zip(roles, said, strict=True)]
        bodies.append(
            {"contents": contents, "tools": [{"functionDeclarations": [{"name": "weather"}]}]}
        )
    provisioned.job("one")
    for split in ("train", "test"):
        path = provisioned.data("one", split)
        path.write_text("".join(json.dumps(body) + "\n" for body in bodies), "utf-8")
    applied(place)
    entry, _ = entry_of(place, "one")
    assert entry.score is not None
    assert (entry.score.n, entry.score.tuned) == (2, 1.0)


def test_an_apply_that_died_before_it_recorded_the_job_adopts_it(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    applied(place)
    entry, generation = entry_of(place, "one")
    lost = entry.model_copy(
        update={"state": "submitting", "job": None, "tuned_model": None, "score": None}
    )
    place.ledger.update(lost, generation)
    assert [c.action for c in planned(place).plan.changes] == [Action.RESUME]
    assert applied(place).tuned == ["one"]
    assert len(all_jobs(place)) == 1
    assert not planned(place).plan


def test_an_intent_without_a_job_is_submitted_only_after_the_settle_time(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    applied(place)
    entry, _ = entry_of(place, "one")
    provisioned.job("two")
    resolved = {one.file.name: one for one in place.resolve()}["two"]
    assert resolved.desired is not None
    intent = entry.model_copy(
        update={
            "name": "two",
            "state": "submitting",
            "job": None,
            "score": None,
            "leased": place.ledger.clock.stamp(),
            "lease": None,
            "fingerprint": resolved.desired.fingerprint,
        }
    )
    place.ledger.create(intent)
    assert applied(place, wait=False).running == ["two"]
    assert len(all_jobs(place)) == 1
    assert applied(place, OVER).tuned == ["two"]
    assert len(all_jobs(place)) == 2


def test_a_refused_job_leaves_nothing_behind_and_says_the_field(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    found = planned(place)
    broken = found.resolved["one"]
    spec = broken.file.spec.model_copy(update={"base_model": "gemini-9"})
    broken = replace(broken, file=replace(broken.file, spec=spec))
    outcome = apply(tools(place), found.plan, {"one": broken})
    assert "gemini-9" in outcome.failed["one"]
    assert place.ledger.recorded() == {}
    assert all_jobs(place) == []


def test_an_edit_retrains_just_that_spec_and_reverting_it_costs_no_job(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    provisioned.job("two")
    applied(place)
    before = (provisioned.root / "datasets/one/train.jsonl").read_text()
    provisioned.data("one", "train", ("one match", "sports"), ("a new bank", "business"))
    changes = planned(place).plan.changes
    assert [(c.action, c.name) for c in changes] == [(Action.RETRAIN, "one")]
    applied(place)
    assert len(all_jobs(place)) == 3
    (provisioned.root / "datasets/one/train.jsonl").write_text(before)
    assert [c.action for c in planned(place).plan.changes] == [Action.REUSE]
    applied(place)
    assert len(all_jobs(place)) == 3
    assert not planned(place).plan


def test_a_removed_spec_is_forgotten_and_a_renamed_one_is_not_tuned_again(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("old")
    applied(place)
    spec = provisioned.root / "jobs/old.yaml"
    spec.rename(spec.with_name("new.yaml"))
    found = {(c.action, c.name) for c in planned(place).plan.changes}
    assert found == {(Action.REUSE, "new"), (Action.FORGET, "old")}
    applied(place)
    assert len(all_jobs(place)) == 1
    assert place.ledger.recorded()["old"].active is None
    assert not planned(place).plan


def test_a_spec_that_is_renamed_while_it_is_rolled_back_does_not_serve_what_was_taken_back(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("old")
    applied(place)
    first, _ = entry_of(place, "old")
    provisioned.data("old", "train", ("old match", "sports"), ("a merger", "business"))
    applied(place)
    second = place.ledger.recorded()["old"].active
    assert second is not None
    place.ledger.activate("old", first.fingerprint, second)
    (provisioned.root / "jobs/old.yaml").rename(provisioned.root / "jobs/new.yaml")
    assert not applied(place).failed
    record = place.ledger.recorded()["new"]
    assert (record.active, record.instead_of) == (first.fingerprint, second)
    assert record.entries.keys() == {first.fingerprint, second}
    assert not planned(place).plan
    assert len(all_jobs(place)) == 2


def test_a_spec_that_is_renamed_below_its_mark_stays_so_and_blocks_nothing(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("old")
    text = (provisioned.root / "jobs/old.yaml").read_text()
    spec = provisioned.spec("old", text.replace("accuracy}", "accuracy, at_least: 1}"))
    provisioned.data("old", "test", ("old match", "politics"))
    assert "below its mark" in applied(place).failed["old"]
    spec.rename(spec.with_name("new.yaml"))
    found, used = planned(place), tools(place)
    assert not apply(used, found.plan, found.resolved).failed
    assert isinstance(used.watcher, Silent)
    assert used.watcher.lines == ["new: is the tuning of old, below its mark here: not served"]
    assert place.ledger.recorded()["new"].active is None
    assert not planned(place).plan


def test_a_spec_that_was_renamed_while_it_was_tuned_is_scored_and_served_under_its_new_name(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("old")
    text = (provisioned.root / "jobs/old.yaml").read_text()
    spec = provisioned.spec("old", text.replace("accuracy}", "accuracy, at_least: 0.5}"))
    applied(place, wait=False)
    spec.rename(spec.with_name("new.yaml"))
    while planned(place).plan:
        assert not applied(place).failed
    recorded = place.ledger.recorded()
    served = recorded["new"].served
    assert served is not None
    assert served.score is not None
    assert recorded["old"].active is None
    assert len(all_jobs(place)) == 1


def test_what_is_taken_over_from_another_name_is_not_served_before_it_reached_the_mark(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("old")
    applied(place)
    text = (provisioned.root / "jobs/old.yaml").read_text()
    spec = provisioned.spec("new", text.replace("metric: accuracy", "metric: rouge_l, at_least: 1"))
    provisioned.data("old", "test", ("old match", "no topic at all"))
    (provisioned.root / "jobs/old.yaml").unlink()
    assert applied(place).failed == {}
    assert place.ledger.recorded()["new"].active is None
    assert "below its mark of 1" in applied(place).failed["new"]
    assert spec.exists()
    assert not planned(place).plan


def test_a_revert_to_what_is_deleted_meanwhile_is_refused_with_the_way_out(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    applied(place)
    first, _ = entry_of(place, "one")
    provisioned.data("one", "train", ("one match", "sports"), ("a merger", "business"))
    applied(place)
    now = place.ledger.recorded()["one"].active
    deleted(place, first)
    provisioned.job("one")
    said = applied(place).failed["one"]
    assert "is gone from the registry" in said
    assert "`vertune apply --retry one` tunes it anew" in said
    assert place.ledger.recorded()["one"].active == now


def test_what_a_person_takes_back_after_the_plan_was_made_is_not_served_by_it(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    applied(place)
    first, _ = entry_of(place, "one")
    provisioned.data("one", "train", ("one match", "sports"), ("a merger", "business"))
    applied(place)
    second = place.ledger.recorded()["one"].active
    assert second is not None
    provisioned.job("one")
    shown = planned(place)
    assert [change.action for change in shown.plan.changes] == [Action.REUSE]
    place.ledger.activate("one", second, first.fingerprint)
    outcome = apply(tools(place), shown.plan, shown.resolved)
    assert (outcome.changed, outcome.failed) == ([], {})
    record = place.ledger.recorded()["one"]
    assert (record.active, record.instead_of) == (second, first.fingerprint)


def deleted(place: Place, entry: Entry) -> None:
    """As a prune leaves it that died before it came to the ledger."""
    model = place.registry.model(entry.tuned_model or "")
    assert model is not None
    for endpoint in map(place.registry.endpoint, model.endpoints):
        assert endpoint is not None
        for id in endpoint.deployed:
            place.registry.undeploy(endpoint, id)
    place.registry.delete_model(model)


def test_a_model_below_its_mark_is_kept_and_not_served(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    text = (provisioned.root / "jobs/one.yaml").read_text()
    provisioned.spec("one", text.replace("accuracy}", "accuracy, at_least: 1}"))
    provisioned.data("one", "test", ("one match", "politics"))
    assert "below its mark of 1" in applied(place).failed["one"]
    record = place.ledger.recorded()["one"]
    assert record.active is None
    assert [entry.state for entry in record.entries.values()] == ["succeeded"]
    assert not planned(place).plan


def test_a_model_worse_than_its_base_model_is_served_without_a_mark_and_that_is_said(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    provisioned.data("one", "test", ("one match", "politics"))
    applied(place)
    entry, generation = entry_of(place, "one")
    assert entry.score is not None
    better = entry.score.model_copy(update={"base": 1.0})
    place.ledger.update(entry.model_copy(update={"score": better}), generation)
    place.ledger.deactivate("one")
    resumed = replace(planned(place).plan.changes[0], action=Action.RESUME)
    used = tools(place)
    apply(used, Plan((resumed,)), planned(place).resolved)
    assert isinstance(used.watcher, Silent)
    said = "one: scores 0.000 by accuracy, less than its base model's 1.000; its spec sets no mark"
    assert any(line.startswith(said) for line in used.watcher.lines)
    assert said.partition("; ")[0].removeprefix("one: ") in planned(place).short["one"]


def test_a_job_that_failed_is_blocked_until_a_person_asks(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    applied(place)
    entry, generation = entry_of(place, "one")
    failed = entry.model_copy(update={"state": "failed", "error": "no room"})
    place.ledger.update(failed, generation)
    (change,) = planned(place).plan.changes
    assert change.action is Action.BLOCKED
    assert "no room" in change.reason


def test_a_failed_job_that_a_person_asks_for_again_is_submitted_once_more(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    applied(place)
    entry, generation = entry_of(place, "one")
    failed = entry.model_copy(update={"state": "failed", "error": "no room", "score": None})
    place.ledger.update(failed, generation)
    found = planned(place, retry=("one",))
    apply(tools(place), found.plan, found.resolved)
    again, _ = entry_of(place, "one")
    assert again.state == "succeeded"
    assert again.previous == [entry.job]
    assert again.job != entry.job
    assert len(all_jobs(place)) == 2


def test_the_data_that_was_uploaded_is_today_s_form_under_its_digest(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    applied(place)
    entry, _ = entry_of(place, "one")
    path = entry.dataset_uri.removeprefix("gs://vertune-local/")
    assert path == f"datasets/{entry.inputs['dataset']}/train.jsonl"
    first = place.bucket.blob(path).download_as_text().splitlines()[0]
    assert first.startswith('{"contents":[{"role":"user","parts":[{"text":"What is the topic?')


def test_an_object_in_a_bucket_is_tuned_like_a_local_file(
    place: Place, provisioned: Repository, tmp_path: Path
) -> None:
    provisioned.job("one")
    data = (provisioned.root / "datasets/one/train.jsonl").read_bytes()
    place.bucket.blob("given/few.jsonl").upload_from_string(data)
    text = (provisioned.root / "jobs/one.yaml").read_text()
    provisioned.spec("remote", text.replace("datasets/one", "gs://vertune-local/given/few.jsonl"))
    (provisioned.root / "jobs/one.yaml").unlink()
    assert applied(place).tuned == ["remote"]
    assert not planned(place).plan


def test_what_failed_here_and_succeeded_under_another_name_is_reused(
    place: Place, provisioned: Repository
) -> None:
    provisioned.job("one")
    applied(place)
    entry, _ = entry_of(place, "one")
    provisioned.spec("two", provisioned.spec("one").read_text("utf-8"))
    place.ledger.create(entry.model_copy(update={"name": "two", "state": "failed"}))
    assert applied(place).changed == ["two"]
    assert place.ledger.recorded()["two"].served is not None
    assert not planned(place).plan
    assert len(all_jobs(place)) == 1
