"""Ledger: conditional writes, entries read from metadata alone, one clear error for all else."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from google.cloud.storage import Bucket

from jobs.emulator.emulator import Emulator
from jobs.runner import storage
from jobs.runner.errors import NotProvisioned, VertuneError
from jobs.runner.ledger import Ledger, Owner, Score
from jobs.runner.storage import Changed
from tests.runner import lines
from tests.runner.entries import F1, F2, NAME, entry, opened
from tests.runner.lines import Line, line


@pytest.fixture
def bucket(emulator: Emulator) -> Bucket:
    made = opened(emulator.url)
    made.versioning_enabled = True
    made.create(location="us-central1")
    return made


@pytest.fixture
def ledger(bucket: Bucket) -> Ledger:
    return Ledger(bucket)


@pytest.fixture
def way(emulator: Emulator, bucket: Bucket) -> Iterator[Line]:
    """A line to the bucket that can be listened to and cut."""
    with line(emulator.url) as way:
        yield way


def test_an_entry_comes_back_whole(ledger: Ledger) -> None:
    written = entry(
        state="succeeded",
        score=Score(metric="accuracy", n=4, tuned=0.75, base=0.5, low=0.3, high=0.95),
        checkpoints=[{"epoch": "1", "endpoint": "e"}],
        prompt={"system": None, "prefix": "Ünï→ "},
    )
    generation = ledger.create(written)
    assert ledger.read("one", F1) == (written, generation)
    summary = ledger.recorded()["one"].entries[F1]
    assert summary.score == written.score
    assert summary.model_dump() == written.model_dump(include=set(type(summary).model_fields))


def test_an_entry_that_exists_is_not_created_again(ledger: Ledger) -> None:
    ledger.create(entry(holder="first"))
    with pytest.raises(storage.Changed):
        ledger.create(entry(holder="second"))
    found = ledger.read("one", F1)
    assert found is not None
    assert found[0].holder == "first"


def test_of_eight_who_create_at_once_one_wins(bucket: Bucket, emulator: Emulator) -> None:
    ledgers = [Ledger(opened(emulator.url)) for _ in range(8)]

    def create(number: int) -> bool:
        try:
            return bool(ledgers[number].create(entry(holder=f"holder {number}")))
        except storage.Changed:
            return False

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    assert won.count(True) == 1
    found = Ledger(bucket).read("one", F1)
    assert found is not None
    assert found[0].holder == f"holder {won.index(True)}"


def test_who_read_an_older_generation_loses(ledger: Ledger) -> None:
    first = ledger.create(entry())
    second = ledger.update(entry(state="submitted", job="j"), first)
    with pytest.raises(storage.Changed, match="writing the ledger's entry of one"):
        ledger.update(entry(state="failed"), first)
    assert ledger.read("one", F1) == (entry(state="submitted", job="j"), second)


def test_a_create_whose_answer_was_lost_is_known_as_ones_own(way: Line, ledger: Ledger) -> None:
    way.cut = lines.once("POST /upload/")
    generation = Ledger(opened(way.url)).create(entry())
    assert ledger.read("one", F1) == (entry(), generation)
    assert len([asked for asked in way.asked if asked.startswith("POST")]) == 2


def test_an_update_whose_answer_was_lost_is_known_as_ones_own(way: Line, ledger: Ledger) -> None:
    before = ledger.create(entry())
    way.cut = lines.once("POST /upload/")
    after = Ledger(opened(way.url)).update(entry(state="submitted", job="j"), before)
    assert ledger.read("one", F1) == (entry(state="submitted", job="j"), after)


def test_a_repeated_create_does_not_take_anothers_entry_for_its_own(
    way: Line, ledger: Ledger
) -> None:
    ledger.create(entry(holder="somebody else"))
    way.cut = lines.once("POST /upload/")
    with pytest.raises(storage.Changed):
        Ledger(opened(way.url)).create(entry(holder="me"))


def test_a_removal_whose_answer_was_lost_is_done(way: Line, ledger: Ledger) -> None:
    generation = ledger.create(entry())
    way.cut = lines.once("DELETE ")
    Ledger(opened(way.url)).remove(entry(), generation)
    assert ledger.recorded() == {}


def test_an_intent_that_somebody_took_over_is_not_taken_back(ledger: Ledger) -> None:
    mine = ledger.create(entry())
    ledger.update(entry(holder="somebody else"), mine)
    with pytest.raises(storage.Changed):
        ledger.remove(entry(), mine)
    assert F1 in ledger.recorded()["one"].entries


def test_what_is_served_is_what_was_activated_last(ledger: Ledger) -> None:
    for fingerprint in (F1, F2):
        ledger.create(entry(fingerprint=fingerprint, state="succeeded"))
        ledger.activate("one", fingerprint)
    record = ledger.recorded()["one"]
    assert record.active == F2
    assert record.served == record.entries[F2]
    ledger.activate("one", F1)
    assert ledger.recorded()["one"].active == F1


def test_a_forgotten_name_keeps_its_entries(ledger: Ledger) -> None:
    ledger.create(entry())
    ledger.activate("one", F1)
    ledger.deactivate("one")
    ledger.deactivate("one")
    record = ledger.recorded()["one"]
    assert (record.active, list(record.entries)) == (None, [F1])


def test_thousands_of_entries_are_one_paged_list(way: Line, emulator: Emulator) -> None:
    count = 1200
    session = requests.Session()
    for number in range(count):
        one = entry(name=f"name-{number % 300}", fingerprint=f"{number:064}")
        about = {
            "name": f"ledger/{one.name}/{one.fingerprint}.json",
            "metadata": {"summary": one.summary()},
        }
        _put(session, emulator.url, _multipart(json.dumps(about), "never read"))
    recorded = Ledger(opened(way.url)).recorded()
    assert len(recorded) == 300
    assert sum(len(record.entries) for record in recorded.values()) == count
    lists = [asked for asked in way.asked if asked.startswith(f"GET /storage/v1/b/{NAME}/o?")]
    assert 1 < len(lists) < 10
    assert len(way.asked) <= len(lists) + 1  # the client looks at the bucket once by itself


def _multipart(about: str, body: str) -> bytes:
    part = "--=\r\nContent-Type: application/json\r\n\r\n"
    return f"{part}{about}\r\n{part}{body}\r\n--=--\r\n".encode()


def _put(session: requests.Session, url: str, body: bytes) -> None:
    session.post(
        f"{url}/upload/storage/v1/b/{NAME}/o?uploadType=multipart",
        data=body,
        headers={
            "Content-Type": 'multipart/related; boundary="="',
            "Authorization": "Bearer local",
        },
        timeout=10,
    ).raise_for_status()


PATH = f"ledger/one/{F1}.json"
MENDED = f"gs://{NAME}/{PATH} is no entry of the ledger; restore an earlier version"


@pytest.mark.parametrize(
    "summary",
    [
        None,
        "",
        "{",
        "[]",
        "null",
        '"text"',
        "{}",
        entry().summary()[:-20],
        entry(name="two").summary(),
        entry(fingerprint=F2).summary(),
        entry().summary().replace("submitting", "dreaming"),
        '{"format": "new"}',
    ],
)
def test_an_object_that_is_no_entry_is_named(
    bucket: Bucket, ledger: Ledger, summary: str | None
) -> None:
    blob = bucket.blob(PATH)
    blob.metadata = None if summary is None else {"summary": summary}
    blob.upload_from_string(summary or "")
    with pytest.raises(VertuneError) as error:
        ledger.recorded()
    assert str(error.value).startswith(MENDED)
    with pytest.raises(VertuneError) as error:
        ledger.read("one", F1)
    assert str(error.value).startswith(MENDED)


def test_bytes_that_are_no_text_are_no_entry(bucket: Bucket, ledger: Ledger) -> None:
    bucket.blob(PATH).upload_from_string(b"\xff\xfe\x00{")
    with pytest.raises(VertuneError, match="is no entry of the ledger"):
        ledger.read("one", F1)


def test_an_entry_of_a_later_vertune_asks_for_an_update(bucket: Bucket, ledger: Ledger) -> None:
    text = json.dumps({"format": 2, "name": "one", "other": "fields"})
    blob = bucket.blob(PATH)
    blob.metadata = {"summary": text}
    blob.upload_from_string(text)
    said = f"gs://{NAME}/{PATH} is of format 2, newer than this vertune's 1: update vertune"
    with pytest.raises(VertuneError, match=said):
        ledger.recorded()
    with pytest.raises(VertuneError, match=said):
        ledger.read("one", F1)


def test_a_pointer_without_its_metadata_is_not_nothing(bucket: Bucket, ledger: Ledger) -> None:
    bucket.blob("ledger/one/active.json").upload_from_string(json.dumps({"fingerprint": F1}))
    with pytest.raises(VertuneError, match=r"one/active\.json is no entry of the ledger"):
        ledger.recorded()


def test_folders_that_the_console_makes_are_no_entries(bucket: Bucket, ledger: Ledger) -> None:
    ledger.create(entry())
    for folder in ("ledger/", "ledger/one/"):
        bucket.blob(folder).upload_from_string("")
    assert list(ledger.recorded()) == ["one"]


def test_a_long_complaint_does_not_keep_an_entry_from_being_written(ledger: Ledger) -> None:
    complaint = "¡" * 20_000
    ledger.create(entry(state="failed", error=complaint))
    found = ledger.read("one", F1)
    assert found is not None
    assert found[0].error == complaint
    assert ledger.recorded()["one"].entries[F1].error == "¡" * 500


def test_of_two_that_mark_a_new_bucket_the_first_one_has_it(ledger: Ledger) -> None:
    mine, other = (Owner(project="vertune", stack=name) for name in ("dev", "prod"))
    for _ in range(2):  # once more, as who lost the answer
        ledger.mark(mine)
    with pytest.raises(Changed):
        ledger.mark(other)
    assert ledger.owner() == mine
    ledger.mark(other, instead_of=mine)
    with pytest.raises(Changed):
        ledger.mark(mine.model_copy(update={"stack": "third"}), instead_of=mine)
    assert ledger.owner() == other


def test_without_a_bucket_every_call_says_what_makes_it(emulator: Emulator) -> None:
    ledger = Ledger(opened(emulator.url))
    calls = (
        ledger.recorded,
        lambda: ledger.read("one", F1),
        lambda: ledger.create(entry()),
        lambda: ledger.activate("one", F1),
        lambda: ledger.deactivate("one"),
    )
    for call in calls:
        with pytest.raises(NotProvisioned, match=f"no bucket gs://{NAME}; run `pulumi up`"):
            call()
