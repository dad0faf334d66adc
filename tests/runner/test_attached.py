"""Attached: files that examples name are there, in a bucket that the service may read."""

import json
from collections.abc import Iterable

from jobs.runner import attached, desired, spec
from jobs.runner.commands import Place
from tests.conftest import SPEC, Repository
from tests.runner.commands.calls import vertune
from tests.runner.test_desired import TODAY
from tests.runner.tuned import applied

OWN = "gs://vertune-local/files/a.png"


def example(*uris: str) -> str:
    files = [{"fileData": {"mimeType": "image/png", "fileUri": uri}} for uri in uris]
    asked = {"role": "user", "parts": [{"text": "What is it?"}, *files]}
    return json.dumps({"contents": [asked, {"role": "model", "parts": [{"text": "A cat"}]}]})


def with_files(repository: Repository, *examples: Iterable[str]) -> None:
    repository.spec("a", SPEC.format(name="a").replace("classification", "chat"))
    repository.data("a", "train")
    text = "".join(example(*uris) + "\n" for uris in examples)
    (repository.root / "datasets/a/train.jsonl").write_text(text)


def said(repository: Repository, most: int = attached.MOST) -> list[str]:
    place = Place("local", repository.root)
    (file,) = spec.load(repository.root, "local")
    found = desired.resolve(file, repository.root, place.settings, place.open_bucket, TODAY)
    return [*map(str, attached.findings(found.dataset, "vertune-local", place.open_bucket, most))]


def uploaded(repository: Repository, path: str, bucket: str = "vertune-local") -> None:
    place = Place("local", repository.root)
    if bucket != "vertune-local":
        place.open_bucket(bucket).create(location="us-central1")
    place.open_bucket(bucket).blob(path).upload_from_string(b"png")


def test_files_that_are_there_are_right(provisioned: Repository) -> None:
    uploaded(provisioned, "files/a.png")
    with_files(provisioned, [OWN], [OWN, OWN])
    assert said(provisioned) == []


def test_a_file_that_is_not_there_is_an_error_at_the_line_that_names_it_first(
    provisioned: Repository,
) -> None:
    uploaded(provisioned, "files/a.png")
    with_files(provisioned, [OWN], [OWN, f"{OWN}.gone"], [f"{OWN}.gone"], ["gs://vertune-local"])
    assert said(provisioned) == [
        f"error VT-D029: datasets/a/train.jsonl:2: names {OWN}.gone, which is not there",
        "error VT-D029: datasets/a/train.jsonl:4: names gs://vertune-local, which is not there",
    ]


def test_a_file_in_a_bucket_that_the_service_is_not_let_into_is_a_warning(
    provisioned: Repository,
) -> None:
    uploaded(provisioned, "b.png", "other")
    with_files(provisioned, ["gs://other/b.png"], ["gs://other/b.png"])
    assert said(provisioned) == [
        "warning VT-D044: datasets/a/train.jsonl:1: names files in gs://other, which is not the"
        " stack's bucket (gs://vertune-local)"
    ]


def test_how_many_were_not_looked_up_is_said(provisioned: Repository) -> None:
    uploaded(provisioned, "files/a.png")
    with_files(provisioned, [OWN], [f"{OWN}.1", f"{OWN}.2"], [f"{OWN}.2", OWN])
    assert said(provisioned, most=1) == [
        "advice VT-D045: datasets/a/train.jsonl: names 2 more files, which were not looked up"
    ]


def test_a_check_where_nobody_can_be_asked_says_so_and_goes_on(repository: Repository) -> None:
    with_files(repository, [OWN])
    result = vertune(repository, "check", "--all")
    assert result.exit_code == 0, result.output
    assert "advice VT-D045: datasets/a/train.jsonl: names files that were not looked up:" in (
        result.stdout
    )


def test_a_check_looks_again_though_it_kept_what_it_found(provisioned: Repository) -> None:
    with_files(provisioned, [OWN])
    assert "VT-D029" in vertune(provisioned, "check").stdout
    uploaded(provisioned, "files/a.png")
    assert "VT-D029" not in vertune(provisioned, "check").stdout


def test_a_spec_whose_examples_name_files_is_tuned_and_evaluated_on_this_machine(
    provisioned: Repository,
) -> None:
    for name in ("tom", "rex", "tweety"):
        uploaded(provisioned, f"files/{name}.png")
    uris = [f"gs://vertune-local/files/{name}.png" for name in ("tom", "rex", "tweety")]
    with_files(provisioned, *[[uri] for uri in uris])
    (provisioned.root / "datasets/a/test.jsonl").write_text(example(uris[0]) + "\n")
    provisioned.spec("a", SPEC.format(name="a").replace("accuracy", "exact_match"))
    assert vertune(provisioned, "check").exit_code == 0
    assert "3 of 3 examples hold files" in vertune(provisioned, "plan").stdout
    exact = vertune(provisioned, "plan", "--exact").stdout
    assert f"about {2 * 3 * (9 + 258):,} tokens (counted by the emulator)" in exact
    place = Place("local", provisioned.root)
    applied(place)
    (recorded,) = place.ledger.recorded().values()
    assert recorded.served
    assert recorded.served.billed_tokens == 2 * 3 * (9 + 258)
    scored = json.loads(vertune(provisioned, "evaluate", "a", "-o", "json").stdout)
    assert (scored["n"], scored["tuned"]) == (1, 1.0)
