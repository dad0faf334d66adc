"""Desired state: a spec with its data read, wherever that lies, and a fingerprint if it may be."""

import gzip
import json
from datetime import date
from pathlib import Path

import pytest

from jobs.runner import desired, spec
from jobs.runner.commands import Place
from jobs.runner.desired import Resolved
from tests.conftest import SPEC, Repository

TODAY = date(2026, 11, 23)


def resolved(root: Path, stack: str = "local") -> Resolved:
    place = Place(stack, root)
    (file,) = spec.load(root, stack)
    return desired.resolve(file, root, place.settings, place.open_bucket, TODAY)


def errors(root: Path) -> list[str]:
    found = resolved(root)
    assert found.desired is None
    return [str(finding.problem) for finding in found.errors]


def write(repository: Repository, **replacements: str) -> None:
    text = SPEC.format(name="a")
    for old, new in replacements.items():
        text = text.replace({"dataset": "datasets/a", "model": "gemini-3.1-flash-lite"}[old], new)
    repository.spec("a", text)


def test_a_faultless_spec_is_desired_with_all_that_a_plan_needs(repository: Repository) -> None:
    repository.job("a")
    found = resolved(repository.root)
    assert found.desired is not None
    assert (found.desired.name, found.desired.examples, found.desired.metric) == (
        "a",
        2,
        "accuracy",
    )
    assert (found.desired.location, found.desired.serving_location) == ("us-central1", "us")
    assert found.desired.inputs["dataset"] == found.dataset.digest
    assert found.desired.places == {
        "epochs": "jobs/a.yaml:5",
        "base_model": "jobs/a.yaml:2",
        "dataset": "datasets/a",
    }


def test_the_name_and_the_path_are_not_what_is_tuned(repository: Repository) -> None:
    repository.job("a")
    one = resolved(repository.root).desired
    (repository.root / "datasets/a").rename(repository.root / "datasets/moved")
    (repository.root / "jobs/a.yaml").unlink()
    repository.spec("renamed", SPEC.format(name="moved"))
    other = resolved(repository.root).desired
    assert one is not None
    assert other is not None
    assert other.fingerprint == one.fingerprint


def test_other_bytes_at_the_same_path_are_another_tuning(repository: Repository) -> None:
    repository.job("a")
    one = resolved(repository.root).desired
    repository.job("a", answer="business")
    other = resolved(repository.root).desired
    assert one is not None
    assert other is not None
    assert other.fingerprint != one.fingerprint


def test_the_test_split_is_not_what_is_tuned_on(repository: Repository) -> None:
    repository.job("a")
    one = resolved(repository.root).desired
    (repository.root / "datasets/a/test.jsonl").unlink()
    other = resolved(repository.root).desired
    assert one is not None
    assert other is not None
    assert other.fingerprint == one.fingerprint
    assert other.metric is None


@pytest.mark.parametrize(
    ("budget", "refusal"),
    [
        ("", None),
        ("budget_usd: 1\n", None),
        ("budget_usd: 0\n", "less than $0.01 is over the budget of $0 (jobs/a.yaml:7)"),
    ],
)
def test_what_is_over_the_budget_is_refused(
    repository: Repository, budget: str, refusal: str | None
) -> None:
    repository.job("a")
    repository.spec("a", SPEC.format(name="a") + budget)
    found = resolved(repository.root).desired
    assert found is not None
    assert found.refusals.get("budget") == refusal


KEY = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"


def with_settings(repository: Repository, lines: str) -> None:
    with (repository.root / "Pulumi.local.yaml").open("a", encoding="utf-8") as stream:
        stream.write(lines)


def test_a_base_model_that_takes_no_key_is_refused_where_the_stack_has_one(
    repository: Repository,
) -> None:
    repository.job("a")
    with_settings(repository, f"  vertune:kmsKey: {KEY}\n")
    found = resolved(repository.root).desired
    assert found is not None
    assert found.kms_key is None
    assert found.refusals["google-key"].startswith(
        "gemini-3.1-flash-lite (jobs/a.yaml:2) takes no customer-managed key (https://"
    )


def test_a_copy_costs_nothing_but_keeps_to_the_key(repository: Repository) -> None:
    repository.job("a")
    repository.spec("a", SPEC.format(name="a") + "budget_usd: 0\npromotion: copy\n")
    alone = resolved(repository.root).desired
    assert alone is not None
    assert (alone.copies, set(alone.refusals)) == (False, {"budget"})
    assert "this stack promotes from no other" in alone.estimate.notes[-1]
    with_settings(repository, f"  vertune:promotesFrom: dev\n  vertune:kmsKey: {KEY}\n")
    promoted = resolved(repository.root).desired
    assert promoted is not None
    assert (promoted.copies, set(promoted.refusals)) == (True, {"google-key"})


def test_a_budget_may_be_used_up(repository: Repository) -> None:
    repository.job("a")
    found = resolved(repository.root).desired
    assert found is not None
    repository.spec("a", SPEC.format(name="a") + f"budget_usd: {found.estimate.price_usd:.15f}\n")
    again = resolved(repository.root).desired
    assert again is not None
    assert not again.refusals


def test_an_unknown_price_can_not_keep_a_budget(repository: Repository) -> None:
    repository.job("a")
    text = SPEC.format(name="a").replace("3.1-flash-lite", "3.5-flash-lite") + "budget_usd: 100\n"
    repository.spec("a", text)
    found = resolved(repository.root).desired
    assert found is not None
    assert found.refusals["budget"] == (
        "the price is unknown, so the budget of $100 (jobs/a.yaml:7) cannot be kept"
    )


def test_everything_wrong_about_a_spec_is_said_at_once(repository: Repository) -> None:
    write(repository, dataset="datasets/b", model="gemini-3.1-flash-light")
    assert errors(repository.root) == [
        'jobs/a.yaml:2: base_model: "gemini-3.1-flash-light" is no base model that can be tuned;'
        ' did you mean "gemini-3.1-flash-lite"?',
        "jobs/a.yaml:3: dataset: datasets/b does not exist; it is a folder with train.jsonl or a"
        " .jsonl file",
    ]


def test_a_fault_in_the_data_keeps_it_from_being_desired(repository: Repository) -> None:
    repository.job("a")
    (repository.root / "datasets/a/test.jsonl").write_text("{")
    assert errors(repository.root)[0].startswith("datasets/a/test.jsonl:1: is not JSON")


@pytest.mark.parametrize("where", ["gs://", "gs://bucket", "gs://bucket/", "gs:///object.jsonl"])
def test_a_uri_that_names_no_object_is_refused_without_asking(
    repository: Repository, where: str
) -> None:
    write(repository, dataset=where)
    assert errors(repository.root) == [
        f"jobs/a.yaml:3: dataset: {where} names no object; write gs://bucket/object.jsonl or"
        " gs://bucket/prefix/"
    ]


# Data in Cloud Storage


def put(repository: Repository, name: str, *prompts: str) -> None:
    lines = [json.dumps({"input_text": p, "output_text": "x"}) for p in prompts]
    bucket = Place("local", repository.root).bucket
    bucket.blob(name).upload_from_string("\n".join(lines))


def test_an_object_and_a_file_of_the_same_examples_are_the_same_tuning(
    provisioned: Repository,
) -> None:
    provisioned.job("a")
    (provisioned.root / "datasets/a/test.jsonl").unlink()
    local = resolved(provisioned.root).desired
    train = provisioned.root / "datasets/a/train.jsonl"
    Place("local", provisioned.root).bucket.blob("a.jsonl").upload_from_filename(str(train))
    write(provisioned, dataset="gs://vertune-local/a.jsonl")
    remote = resolved(provisioned.root).desired
    assert local is not None
    assert remote is not None
    assert remote.fingerprint == local.fingerprint


def test_a_prefix_gives_the_splits_under_it(provisioned: Repository) -> None:
    put(provisioned, "data/train.jsonl", "one", "two")
    put(provisioned, "data/test.jsonl", "three")
    write(provisioned, dataset="gs://vertune-local/data/")
    found = resolved(provisioned.root)
    assert {name: split.examples for name, split in found.dataset.splits.items()} == {
        "train": 2,
        "test": 1,
    }
    assert found.dataset.train.source.shown == "gs://vertune-local/data/train.jsonl"


def test_faults_in_an_object_have_their_lines(provisioned: Repository) -> None:
    bucket = Place("local", provisioned.root).bucket
    bucket.blob("a.jsonl").upload_from_string(b"\n\xff\n")
    write(provisioned, dataset="gs://vertune-local/a.jsonl")
    assert errors(provisioned.root) == [
        "gs://vertune-local/a.jsonl:1: is blank; remove it",
        "gs://vertune-local/a.jsonl:2: is not UTF-8 at byte 1; save the file as UTF-8",
    ]


def test_an_object_that_is_stored_compressed_is_refused(provisioned: Repository) -> None:
    blob = Place("local", provisioned.root).bucket.blob("a.jsonl")
    blob.content_encoding = "gzip"
    blob.upload_from_string(gzip.compress(b"{}"))
    write(provisioned, dataset="gs://vertune-local/a.jsonl")
    assert errors(provisioned.root) == [
        "jobs/a.yaml:3: dataset: gs://vertune-local/a.jsonl is stored compressed (gzip);"
        " upload it as it is"
    ]


def test_what_is_written_over_an_object_later_is_not_read(provisioned: Repository) -> None:
    put(provisioned, "a.jsonl", "one")
    write(provisioned, dataset="gs://vertune-local/a.jsonl")
    found = resolved(provisioned.root)
    put(provisioned, "a.jsonl", "another")
    assert [example.prompt for example in found.dataset.train.read(None)] == ["one"]


def test_objects_that_are_not_there_are_named(provisioned: Repository) -> None:
    write(provisioned, dataset="gs://vertune-local/a.jsonl")
    assert errors(provisioned.root) == [
        "jobs/a.yaml:3: dataset: gs://vertune-local/a.jsonl does not exist"
    ]
    write(provisioned, dataset="gs://vertune-local/data/")
    assert errors(provisioned.root) == [
        "jobs/a.yaml:3: dataset: gs://vertune-local/data/ holds no train.jsonl; that is the split"
        " to tune on"
    ]


def test_an_object_of_a_bucket_that_is_not_there_is_not_there(provisioned: Repository) -> None:
    write(provisioned, dataset="gs://another-bucket/a.jsonl")
    assert errors(provisioned.root) == [
        "jobs/a.yaml:3: dataset: gs://another-bucket/a.jsonl does not exist"
    ]


def test_a_plan_says_when_the_base_model_retires_soon(repository: Repository) -> None:
    repository.job("a")
    cloud = (repository.root / "Pulumi.local.yaml").read_text("utf-8").replace('"true"', '"false"')
    (repository.root / "Pulumi.dev.yaml").write_text(cloud, "utf-8")
    place = Place("dev", repository.root)
    (file,) = spec.load(repository.root, "dev")
    notes = {
        day: desired.resolve(file, repository.root, place.settings, place.open_bucket, day)
        for day in (date(2027, 2, 5), date(2027, 2, 6))
    }
    said = [one.desired.estimate.notes for one in notes.values() if one.desired]
    assert not any("retires" in note for note in said[0])
    assert "gemini-3.1-flash-lite retires on 2027-05-07, 90 days from now" in said[1][-1]
