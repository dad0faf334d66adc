"""Upload: a dataset's examples, in today's form, once, and never other ones than were planned."""

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from google.cloud.storage import Bucket

from jobs.emulator.emulator import Emulator
from jobs.runner import dataset, storage
from jobs.runner.dataset import Dataset
from jobs.runner.errors import NotProvisioned, VertuneError
from jobs.runner.upload import upload
from tests.conftest import Repository, example
from tests.runner import lines
from tests.runner.lines import Line, line

NAME = "vertune-local"


@pytest.fixture
def way(provisioned: Repository, emulator: Emulator) -> Iterator[Line]:
    with line(emulator.url) as way:
        yield way


@pytest.fixture
def bucket(way: Line) -> Bucket:
    return storage.bucket(NAME, NAME, way.url)


def read(repository: Repository, instructions: str | None = None) -> Dataset:
    return dataset.read(dataset.local_sources(repository.root, "datasets/one"), instructions)


def sent(way: Line) -> list[str]:
    return [asked for asked in way.asked if not asked.startswith("GET")]


def content(bucket: Bucket, uri: str) -> bytes:
    return bytes(bucket.blob(uri.removeprefix(f"gs://{NAME}/")).download_as_bytes())


def test_what_is_tuned_on_is_sent_in_todays_form_under_its_digest(
    provisioned: Repository, bucket: Bucket
) -> None:
    provisioned.job("one")
    provisioned.data("one", "validation", ("a cup", "sports"))
    found = read(provisioned, "Name the topic.")
    uris = upload(found, "Name the topic.", bucket)
    folder = f"gs://{NAME}/datasets/{found.digest}"
    assert uris == {
        "train": f"{folder}/train.jsonl",
        "validation": f"{folder}/validation.jsonl",
    }
    first = json.loads(content(bucket, uris["train"]).splitlines()[0])
    assert [turn["role"] for turn in first["contents"]] == ["user", "model"]
    assert first["systemInstruction"]["parts"] == [{"text": "Name the topic."}]
    blob = bucket.get_blob(uris["train"].removeprefix(f"gs://{NAME}/"))
    assert blob is not None
    assert blob.metadata == {"sha256": found.train.digest, "examples": "2"}
    assert hashlib.sha256(content(bucket, uris["train"])).hexdigest() == found.train.digest
    assert len(list(bucket.list_blobs(prefix="datasets/"))) == 2


def test_the_same_examples_are_not_sent_again(
    provisioned: Repository, bucket: Bucket, way: Line
) -> None:
    provisioned.job("one")
    uris = upload(read(provisioned), None, bucket)
    before = len(sent(way))
    path = provisioned.data("one", "test", ("another", "test"))
    assert upload(read(provisioned), None, bucket) == uris
    path.unlink()
    assert upload(read(provisioned), None, bucket) == uris
    assert (before, len(sent(way))) == (1, 1)


def test_an_upload_whose_answer_was_lost_stands(
    provisioned: Repository, bucket: Bucket, way: Line
) -> None:
    provisioned.job("one")
    way.cut = lines.once("POST /upload/")
    found = read(provisioned)
    uri = upload(found, None, bucket)["train"]
    assert len(sent(way)) == 2
    assert hashlib.sha256(content(bucket, uri)).hexdigest() == found.train.digest


def test_two_who_upload_the_same_at_once_both_have_it(
    provisioned: Repository, emulator: Emulator
) -> None:
    provisioned.job("one")
    found = read(provisioned)
    buckets = [storage.bucket(NAME, NAME, emulator.url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        uris = list(pool.map(lambda bucket: upload(found, None, bucket)["train"], buckets))
    assert len(set(uris)) == 1
    versions = list(buckets[0].list_blobs(prefix="datasets/", versions=True))
    assert len(versions) == 1


def test_more_than_eight_mebibytes_go_in_pieces(
    provisioned: Repository, bucket: Bucket, way: Line
) -> None:
    path = provisioned.data("one", "train")
    text = "a long story " * 80_000
    path.write_text("".join(example(f"{number} {text}", "sports") for number in range(10)), "utf-8")
    found = read(provisioned)
    assert found.train.size > 9 * 1024 * 1024
    way.cut = lines.once("PUT ")
    uri = upload(found, None, bucket)["train"]
    assert hashlib.sha256(content(bucket, uri)).hexdigest() == found.train.digest
    assert len([asked for asked in sent(way) if asked.startswith("PUT")]) >= 2


def _edited(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace("bank merger", "bank crash"), "utf-8")


def _longer(path: Path) -> None:
    path.write_text(path.read_text("utf-8") + example("one more", "sports"), "utf-8")


def _broken(path: Path) -> None:
    path.write_text("{", "utf-8")


def _gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [_edited, _longer, _broken, _gone])
def test_data_that_is_no_longer_what_was_planned_is_not_sent(
    provisioned: Repository, bucket: Bucket, way: Line, change: Callable[[Path], None]
) -> None:
    provisioned.job("one")
    found = read(provisioned)
    change(provisioned.root / "datasets/one/train.jsonl")
    with pytest.raises(VertuneError) as error:
        upload(found, None, bucket)
    assert str(error.value) == ("datasets/one/train.jsonl changed while it was read; plan again")
    assert sent(way) == []


def test_data_that_became_a_folder_is_named(provisioned: Repository, bucket: Bucket) -> None:
    provisioned.job("one")
    found = read(provisioned)
    path = provisioned.root / "datasets/one/train.jsonl"
    path.unlink()
    path.mkdir()
    with pytest.raises(VertuneError, match=r"reading datasets/one/train\.jsonl: Is a directory"):
        upload(found, None, bucket)


def test_without_a_bucket_it_says_what_makes_it(repository: Repository, emulator: Emulator) -> None:
    repository.job("one")
    bucket = storage.bucket(NAME, NAME, emulator.url)
    with pytest.raises(NotProvisioned, match="run `pulumi up`"):
        upload(read(repository), None, bucket)
