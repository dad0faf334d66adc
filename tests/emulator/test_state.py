"""The state: transactions, documents, and the clock."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.emulator.state import State

_WRITE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from jobs.emulator.state import State
state = State(Path(sys.argv[1]))
state.documents("kind").put("kept", {"n": 1})
with state.transaction():
    state.documents("kind").put("lost", {"n": 2})
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path)
    yield state
    state.close()


def _interrupted(state: State) -> None:
    with state.transaction():
        state.documents("kind").put("name", {"n": 2})
        raise RuntimeError


def test_a_document_is_what_was_put(state: State) -> None:
    documents = state.documents("kind")
    documents.put("name", {"text": "ü", "list": [1, None]})
    assert documents.get("name") == {"text": "ü", "list": [1, None]}
    assert documents.get("other") is None
    assert state.documents("another kind").get("name") is None


def test_a_deleted_document_is_gone(state: State) -> None:
    documents = state.documents("kind")
    documents.put("name", {})
    assert documents.delete("name")
    assert not documents.delete("name")
    assert documents.get("name") is None


def test_documents_are_listed_by_name_from_where_the_last_page_ended(state: State) -> None:
    documents = state.documents("kind")
    for name in ("b", "a/2", "a/1", "a/3"):
        documents.put(name, {"name": name})
    assert [body["name"] for body in documents.list()] == ["a/1", "a/2", "a/3", "b"]
    assert [body["name"] for body in documents.list("a/", "a/1", 1)] == ["a/2"]


def test_a_transaction_that_fails_writes_nothing(state: State) -> None:
    state.documents("kind").put("name", {"n": 1})
    with pytest.raises(RuntimeError):
        _interrupted(state)
    assert state.documents("kind").get("name") == {"n": 1}


def test_an_inner_failure_that_is_caught_leaves_the_outer_transaction_whole(state: State) -> None:
    documents = state.documents("kind")
    with state.transaction():
        documents.put("outer", {})
        with pytest.raises(RuntimeError):
            _interrupted(state)
    assert documents.get("outer") == {}


def test_a_transaction_reads_what_no_other_thread_changes(state: State) -> None:
    documents = state.documents("kind")
    documents.put("counter", {"n": 0})

    def increment(_: int) -> None:
        with state.transaction():
            found = documents.get("counter")
            assert found is not None
            documents.put("counter", {"n": found["n"] + 1})

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(increment, range(200)))
    assert documents.get("counter") == {"n": 200}


def test_the_clock_never_repeats_itself(state: State) -> None:
    with ThreadPoolExecutor(8) as pool:
        stamps = list(pool.map(lambda _: state.microsecond(), range(400)))
    assert len(set(stamps)) == 400


def test_the_clock_goes_on_after_a_restart_with_a_clock_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(tmp_path)
    before = state.microsecond()
    state.close()
    monkeypatch.setattr("time.time_ns", lambda: 1_000_000)
    state = State(tmp_path)
    assert state.microsecond() > before
    state.close()


def test_a_killed_process_leaves_what_was_committed(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", _WRITE_AND_DIE, str(tmp_path)], check=False)
    assert died.returncode == -9
    state = State(tmp_path)
    assert state.documents("kind").get("kept") == {"n": 1}
    assert state.documents("kind").get("lost") is None
    state.close()
