"""History: what became of the examples since those of the served model, as plans and diffs say."""

import json

import pytest

from jobs.runner import history
from jobs.runner.dataset import NoDataset
from tests.conftest import Repository
from tests.runner.commands.calls import vertune
from tests.runner.tuned import another, applied, place_of, place_with


@pytest.fixture
def edited(provisioned: Repository) -> Repository:
    """Tuned and served; then an example went, one has another answer, and two are new."""
    place_with(provisioned, "one")
    provisioned.data("one", "train", ("one match", "business"), ("sun", "x"), ("rain", "x"))
    return provisioned


def test_a_plan_to_retrain_says_what_became_of_the_examples(edited: Repository) -> None:
    result = vertune(edited, "plan")
    assert (
        "note: training examples: 2 added, 1 removed, 1 with another answer\n" in result.output
    ), result.output


def test_a_plan_of_other_settings_and_the_same_data_says_nothing_of_it(
    provisioned: Repository,
) -> None:
    place_with(provisioned, "one")
    path = provisioned.root / "jobs/one.yaml"
    path.write_text(path.read_text().replace("epochs: 2", "epochs: 3"))
    result = vertune(provisioned, "plan")
    assert "~ retrain one" in result.output
    assert "training examples" not in result.output


def test_new_instructions_are_no_other_examples(provisioned: Repository) -> None:
    place_with(provisioned, "one")
    path = provisioned.root / "jobs/one.yaml"
    path.write_text(path.read_text() + "instructions: Name the topic.\n")
    assert "training examples: the same examples\n" in vertune(provisioned, "plan").output


def test_what_is_not_there_any_more_is_said_and_the_plan_made(edited: Repository) -> None:
    place = place_of(edited)
    for blob in place.bucket.list_blobs(prefix="datasets/"):
        blob.delete()
    result = vertune(edited, "plan", "-o", "json")
    (change,) = json.loads(result.stdout)["changes"]
    (note,) = [note for note in change["notes"] if note.startswith("training")]
    assert note.startswith("training examples: not compared: gs://vertune-local/datasets/")
    assert note.endswith("/train.jsonl does not exist")


def test_what_is_too_large_for_a_plan_is_left_to_a_diff(provisioned: Repository) -> None:
    place, (entry,) = place_with(provisioned, "one")
    (one,) = place.resolve(["one"])
    with pytest.raises(NoDataset, match="larger than 0 MiB; `vertune dataset diff one` compares"):
        history.since(entry, one, place.open_bucket, most=1)
    found = history.since(entry, one, place.open_bucket)
    assert [*found] == ["train", "test"]
    assert not any(found.values())


def test_a_plan_says_what_became_of_validation_and_test(provisioned: Repository) -> None:
    provisioned.job("one")
    provisioned.data("one", "validation", ("a cup", "sports"), ("a vote", "politics"))
    place_with(provisioned, "one")
    provisioned.data("one", "validation", ("a cup", "sports"))
    provisioned.data("one", "test", ("a law", "politics"), ("a goal", "sports"))
    lines = vertune(provisioned, "plan").output.splitlines()
    said = [line.strip() for line in lines if " examples: " in line]
    assert said == [
        "note: training examples: the same examples",
        "note: validation examples: 1 removed",
        "note: test examples: 2 added, 1 removed",
    ]


def test_a_diff_goes_through_every_split(provisioned: Repository) -> None:
    provisioned.job("one")
    provisioned.data("one", "test", ("a law", "politics"), ("a goal", "s" * 90))
    applied(place_of(provisioned))
    provisioned.data("one", "validation", ("a cup", "sports"))
    provisioned.data("one", "test", ("a goal", "t" * 90), ("a rule", "politics"))
    lines = vertune(provisioned, "dataset", "diff", "one").stdout.splitlines()
    assert [line for line in lines if not line.startswith("answer ")] == [
        "train: 0 added, 0 removed, 0 changed",
        "validation: 1 added, 0 removed, 0 changed",
        "added: datasets/one/validation.jsonl:1",
        "test: 1 added, 1 removed, 1 changed",
        "added: datasets/one/test.jsonl:2",
        "removed: served test data:1",
        "changed: datasets/one/test.jsonl:1 (was served test data:2)",
    ]


def test_a_test_split_that_was_never_recorded_is_not_taken_for_none(
    provisioned: Repository,
) -> None:
    place, (entry,) = place_with(provisioned, "one")
    _, generation = place.ledger.read("one", entry.fingerprint) or (None, 0)
    place.ledger.update(entry.model_copy(update={"tested": []}), generation)
    lines = vertune(provisioned, "dataset", "diff", "one").stdout.splitlines()
    assert lines == [
        "train: 0 added, 0 removed, 0 changed",
        "test: not compared, as it is not recorded what it was",
    ]


def test_a_diff_with_what_is_served_names_lines_of_both(edited: Repository) -> None:
    result = vertune(edited, "dataset", "diff", "one")
    summary, *lines = result.stdout.splitlines()
    lines = [line for line in lines if not line.startswith("answer ")]
    assert result.exit_code == 0, result.output
    assert summary == "train: 2 added, 1 removed, 1 changed"
    assert lines[:2] == [f"added: datasets/one/train.jsonl:{line}" for line in (2, 3)]
    assert lines[2].startswith("removed: gs://vertune-local/datasets/")
    assert lines[2].endswith("/train.jsonl:2")
    assert lines[3].startswith("changed: datasets/one/train.jsonl:1 (was gs://")
    assert lines[-1] == "test: 0 added, 0 removed, 0 changed"


def test_it_is_what_is_served_not_what_was_tuned_last(provisioned: Repository) -> None:
    place_with(provisioned, "one", 2)
    vertune(provisioned, "rollback", "one")
    another(provisioned, "one", 1)
    result = vertune(provisioned, "dataset", "diff", "one")
    assert "train: 1 added, 1 removed, 0 changed" in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("oen", 'has no spec; did you mean "one"?'),
        ("two", "nothing is served as two"),
    ],
)
def test_a_diff_with_what_is_not_there_is_refused(
    provisioned: Repository, name: str, said: str
) -> None:
    provisioned.job("two")
    provisioned.job("one")
    if name == "two":
        (provisioned.root / "jobs/two.yaml").rename(provisioned.root / "two.yaml")
        applied(place_of(provisioned))
        (provisioned.root / "two.yaml").rename(provisioned.root / "jobs/two.yaml")
    result = vertune(provisioned, "dataset", "diff", name)
    assert result.exit_code == 1
    assert said in result.stderr
