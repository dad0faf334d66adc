"""Copying: a stack of the same project gets the tuned model of the one before, for nothing."""

import json

import pytest

from jobs.emulator.emulator import Emulator
from jobs.runner import storage
from jobs.runner.commands import Place
from jobs.runner.copying import Copying
from jobs.runner.identity import STACK
from jobs.runner.registry import Model
from tests.conftest import SPEC, STACK_SETTINGS, Repository
from tests.runner.commands.calls import vertune
from tests.runner.tuned import entries, finished, planned, record_of, refused_at_each_call

COPIED = SPEC + "promotion: copy\n"
MODELS = "projects/vertune-local/locations/us"
APPLY = ("apply", "--yes", "--no-record")


@pytest.fixture
def stacks(provisioned: Repository, emulator: Emulator) -> Repository:
    """`local`, and `prod` in the same project, which promotes from it; one is to be copied."""
    _stack(provisioned, emulator, "prod", "vertune-local")
    provisioned.job("one")
    provisioned.spec("one", COPIED.format(name="one"))
    return provisioned


def _stack(repository: Repository, emulator: Emulator, name: str, project: str) -> None:
    text = STACK_SETTINGS.replace("project: vertune-local", f"project: {project}")
    text = text.replace("bucket: vertune-local", f"bucket: bucket-{name}")
    text += "  vertune:promotesFrom: local\n"
    (repository.root / f"Pulumi.{name}.yaml").write_text(text, "utf-8")
    storage.bucket(f"bucket-{name}", project, emulator.url).create(location="us-central1")


def tuned(stacks: Repository) -> Place:
    """In `local`; the place of `prod`."""
    assert vertune(stacks, *APPLY).exit_code == 0
    return Place("prod", stacks.root)


def copies(place: Place) -> list[Model]:
    every = place.registry.models(MODELS)
    return [model for model in every if model.labels.get(STACK) == "prod"]


def test_what_has_passed_there_is_copied_and_served_without_a_job(stacks: Repository) -> None:
    prod = tuned(stacks)
    (before,) = entries(Place("local", stacks.root), "one")

    planned = vertune(stacks, "plan", stack="prod").stdout
    assert f"^ copy one: copies {before.tuned_model} of local, accuracy 1.000" in planned
    assert "1 to copy, 0 unchanged.\n" in planned  # and no price
    applied = vertune(stacks, "apply", "--no-record", stack="prod")

    (entry,) = entries(prod, "one")
    assert (applied.exit_code, entry.job, entry.billed_tokens) == (0, None, None)
    assert entry.tuned_model != before.tuned_model
    assert entry.endpoint != before.endpoint
    assert entry.copied
    assert (entry.copied.stack, entry.copied.tuned_model) == ("local", before.tuned_model)
    assert before.score
    assert entry.score == before.score.model_copy(update={"stack": "local"})
    assert record_of(prod, "one").active == entry.fingerprint == before.fingerprint
    assert len(prod.vertex.jobs({})) == 1
    assert vertune(stacks, "plan", "--detailed-exitcode", stack="prod").exit_code == 0
    assert vertune(stacks, "predict", "one", "match", stack="prod").exit_code == 0


def test_both_stacks_are_told_whose_model_is_whose(stacks: Repository) -> None:
    prod = tuned(stacks)
    vertune(stacks, *APPLY, stack="prod")
    (entry,), (model,) = entries(prod, "one"), copies(prod)

    assert model.name == entry.tuned_model
    assert model.aliases == ("default", "vertune-served")
    said = vertune(stacks, "status", stack="prod").stdout
    assert "measured in stack local" in said
    assert f"copy of      {entry.copied}" in said
    for stack in ("local", "prod"):
        assert vertune(stacks, "drift", stack=stack).exit_code == 0
    outputs = vertune(stacks, "compare", "local", "prod", "-o", "json")
    assert json.loads(outputs.stdout)[0]["same"] is True


def test_refused_at_any_call_the_same_once_more_leaves_one_copy_and_one_endpoint(
    stacks: Repository, emulator: Emulator
) -> None:
    prod = tuned(stacks)
    (resolved,) = prod.resolve()
    assert prod.earlier
    assert prod.before
    (change,) = prod.earlier.noted(planned(prod)).changes
    ledgers, bucket = (prod.ledger, prod.before.ledger), "of-the-first-try"

    def copy() -> None:
        place = Copying("prod", "vertune-local", bucket, *ledgers, prod.registry)
        place.copy(change, resolved)

    seen = 0
    for call, done in refused_at_each_call(emulator, copy):
        assert not done, call
        assert finished(copy), call
        (entry,) = entries(prod, "one")
        (model,) = [one for one in copies(prod) if one.name == entry.tuned_model]
        assert model.endpoints == (entry.endpoint,), call
        bucket, seen = f"of-{call}", seen + 1
    assert seen >= 2 * 8
    endpoints = [one for one in prod.registry.endpoints(MODELS) if one.labels.get(STACK) == "prod"]
    assert len(endpoints) == len(copies(prod)) == seen + 1


def test_another_project_has_to_tune_it_itself(provisioned: Repository, emulator: Emulator) -> None:
    _stack(provisioned, emulator, "prod", "vertune-local-prod")
    provisioned.job("one")
    provisioned.spec("one", COPIED.format(name="one"))
    prod = tuned(provisioned)
    result = vertune(provisioned, *APPLY, stack="prod")
    assert result.exit_code == 1
    assert "a model is copied within one project: that stack's is vertune-local" in result.stdout
    assert "`promotion: retune` tunes it here" in result.stdout
    assert prod.ledger.recorded() == {}


def test_what_is_not_there_yet_is_not_tuned_instead(stacks: Repository) -> None:
    result = vertune(stacks, *APPLY, "--allow", "unproven", stack="prod")
    assert result.exit_code == 1
    assert "! blocked one: is to be copied from local, and was never tuned like this in local" in (
        result.stdout
    )
    assert Place("prod", stacks.root).vertex.jobs({}) == []


def test_what_did_not_reach_its_mark_there_is_refused_by_name(stacks: Repository) -> None:
    marked = "overrides: {prod: {evaluation: {at_least: 1}}}\n"
    stacks.spec("one", COPIED.format(name="one") + marked)
    stacks.data("one", "test", ("one match", "politics"))
    prod = tuned(stacks)
    refused = vertune(stacks, *APPLY, stack="prod")
    assert "one did not reach 1 in local: accuracy 0.000" in refused.stderr
    assert prod.ledger.recorded() == {}
    allowed = vertune(stacks, *APPLY, "--allow", "unproven", stack="prod")
    assert "below its mark of 1: it is not served" in allowed.output
    assert record_of(prod, "one").active is None


def test_a_copy_that_is_gone_is_copied_once_more_when_a_person_asks(stacks: Repository) -> None:
    prod = tuned(stacks)
    vertune(stacks, *APPLY, stack="prod")
    (entry,) = entries(prod, "one")
    endpoint = prod.registry.endpoint(entry.endpoint or "")
    (model,) = copies(prod)
    assert endpoint
    prod.registry.undeploy(endpoint, "1")
    prod.registry.delete_endpoint(endpoint)
    prod.registry.delete_model(model)
    result = vertune(stacks, *APPLY, "--retry", "one", stack="prod")
    assert result.exit_code == 0, result.output
    assert [one.endpoints for one in copies(prod)] == [(entry.endpoint,)]
    assert len(prod.vertex.jobs({})) == 1


def test_another_metric_here_is_measured_here(stacks: Repository) -> None:
    prod = tuned(stacks)
    text = COPIED.format(name="one") + "overrides: {prod: {evaluation: {metric: exact_match}}}\n"
    stacks.spec("one", text)
    assert vertune(stacks, *APPLY, stack="prod").exit_code == 0
    (entry,) = entries(prod, "one")
    assert entry.score
    assert (entry.score.metric, entry.score.stack) == ("exact_match", None)


def test_what_goes_on_from_a_copy_is_tuned_from_the_copy(stacks: Repository) -> None:
    stacks.job("two")
    on = SPEC.format(name="two").replace("epochs: 2", "epochs: 2\n  continue_from: one")
    stacks.spec("two", on)
    prod = tuned(stacks)
    assert vertune(stacks, *APPLY, stack="prod").exit_code == 0
    (copy,), (after,) = entries(prod, "one"), entries(prod, "two")
    assert copy.copied
    assert (after.copied, after.pre_tuned_model) == (None, copy.tuned_model)
    assert record_of(prod, "two").active == after.fingerprint
    assert len(prod.vertex.jobs({})) == 3  # both in local, the second one here
