"""Client: the trainer's worker is started, asked, stopped, and replaced once it died."""

import os
import select
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.emulator.trainer.base import (
    Settings,
    Step,
    TrainerError,
    TuningCancelled,
    WorkerDied,
)
from jobs.emulator.trainer.catalog import NEAREST
from jobs.emulator.trainer.client import TrainerClient
from tests.emulator.trainer.texts import COLOURS, ONE_EPOCH, colour_examples, colour_prompts, prompt

ENDLESS = Settings(epochs=1_000_000, learning_rate_multiplier=1.0, adapter_size=4)
SECONDS = 20


class Endless:
    """A tuning that has started and will not end by itself."""

    def __init__(self, client: TrainerClient, job_id: str, folder: Path) -> None:
        self.steps: list[Step] = []
        self._started = threading.Event()
        self.future: Future[None] = client.tune(
            job_id, colour_examples(), [], ENDLESS, folder, self._listen
        )
        assert self._started.wait(SECONDS)

    def _listen(self, step: Step) -> None:
        self.steps.append(step)
        self._started.set()


def ignore(step: Step) -> None: ...


def kill_worker(client: TrainerClient) -> None:
    assert client.worker_pid is not None
    os.kill(client.worker_pid, signal.SIGKILL)


def test_importing_the_client_loads_no_array_library() -> None:
    program = "import sys, jobs.emulator.trainer.client; print({'jax', 'numpy'} & {*sys.modules})"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert printed.stdout.strip() == b"set()"


def test_a_trainer_is_described_without_starting_its_worker(client: TrainerClient) -> None:
    assert (client.name, client.description) == (NEAREST.name, NEAREST.description)
    assert client.context_tokens == NEAREST.context_tokens
    assert client.worker_pid is None


def test_an_unknown_trainer_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there are: smollm2, nearest"):
        TrainerClient("gpt", tmp_path)


def test_what_was_tuned_answers(client: TrainerClient, tmp_path: Path) -> None:
    steps: list[Step] = []
    client.tune("a", colour_examples(), [], ONE_EPOCH, tmp_path, steps.append).result(SECONDS)
    answers = client.generate(colour_prompts(), tmp_path / "1", 8, 0.0, 0)
    assert [step.checkpoint for step in steps] == ["1"]
    assert answers == list(COLOURS.values())


def test_tokens_are_counted(client: TrainerClient) -> None:
    assert client.count_tokens([prompt("one two three"), prompt("one")]) == [3, 1]


def test_questions_are_answered_while_tuning(client: TrainerClient, tmp_path: Path) -> None:
    tuning = Endless(client, "a", tmp_path)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(client.generate, [prompt(f"{n}")], None, 8, 0.0, 0) for n in range(50)]
        answers = [future.result(SECONDS) for future in asked]
    assert answers == [[f"{n}"] for n in range(50)]
    assert not tuning.future.done()


def test_more_prompts_than_fit_one_batch_are_all_answered_in_order(client: TrainerClient) -> None:
    answers = client.generate([prompt(f"{n}") for n in range(200)], None, 8, 0.0, 0)
    assert answers == [f"{n}" for n in range(200)]


def test_a_listener_may_ask_the_trainer_itself(client: TrainerClient, tmp_path: Path) -> None:
    answers: list[str] = []

    def listen(step: Step) -> None:
        answers.extend(client.generate([prompt("hello")], None, 8, 0.0, 0))

    client.tune("a", colour_examples(), [], ONE_EPOCH, tmp_path, listen).result(SECONDS)
    assert answers == ["hello"]


def test_a_listener_that_fails_ends_its_tuning(client: TrainerClient, tmp_path: Path) -> None:
    def listen(step: Step) -> None:
        raise RuntimeError("no room for a step")

    failing = client.tune("a", colour_examples(), [], ENDLESS, tmp_path / "a", listen)
    with pytest.raises(RuntimeError, match="no room"):
        failing.result(SECONDS)
    client.tune("b", colour_examples(), [], ONE_EPOCH, tmp_path / "b", ignore).result(SECONDS)


def test_cancelling_stops_the_active_tuning_and_the_next_begins(
    client: TrainerClient, tmp_path: Path
) -> None:
    first = Endless(client, "a", tmp_path / "a")
    second = client.tune("b", colour_examples(), [], ONE_EPOCH, tmp_path / "b", ignore)
    assert not second.done()
    client.cancel("a")
    with pytest.raises(TuningCancelled, match="a was cancelled"):
        first.future.result(SECONDS)
    second.result(SECONDS)
    assert (tmp_path / "b" / "1").is_dir()


def test_a_waiting_tuning_is_cancelled_before_it_begins(
    client: TrainerClient, tmp_path: Path
) -> None:
    first = Endless(client, "a", tmp_path / "a")
    second = client.tune("b", colour_examples(), [], ONE_EPOCH, tmp_path / "b", ignore)
    client.cancel("b")
    with pytest.raises(TuningCancelled, match="b was cancelled"):
        second.result(SECONDS)
    assert not first.future.done()
    assert not (tmp_path / "b").exists()


def test_cancelling_what_does_not_run_changes_nothing(
    client: TrainerClient, tmp_path: Path
) -> None:
    client.cancel("nobody")
    client.tune("a", colour_examples(), [], ONE_EPOCH, tmp_path, ignore).result(SECONDS)
    client.cancel("a")
    assert client.generate([prompt("still here")], None, 8, 0.0, 0) == ["still here"]


def test_an_error_in_the_trainer_reaches_its_caller_and_nobody_else(
    client: TrainerClient, tmp_path: Path
) -> None:
    with pytest.raises(TrainerError, match="missing"):
        client.generate([prompt("hello")], tmp_path / "missing", 8, 0.0, 0)
    assert client.generate([prompt("hello")], None, 8, 0.0, 0) == ["hello"]


def test_a_killed_worker_fails_who_waits_and_the_next_call_starts_another(
    client: TrainerClient, tmp_path: Path
) -> None:
    tuning = Endless(client, "a", tmp_path / "a")
    waiting = client.tune("b", colour_examples(), [], ONE_EPOCH, tmp_path / "b", ignore)
    killed = client.worker_pid
    kill_worker(client)
    for future in (tuning.future, waiting):
        with pytest.raises(WorkerDied, match="killed by signal 9"):
            future.result(SECONDS)
    assert client.generate([prompt("hello")], None, 8, 0.0, 0) == ["hello"]
    assert client.worker_pid not in (None, killed)


def test_a_closed_client_leaves_no_process_and_takes_no_calls(
    client: TrainerClient, tmp_path: Path
) -> None:
    tuning = Endless(client, "a", tmp_path)
    pid = client.worker_pid
    assert pid is not None
    client.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(WorkerDied):
        tuning.future.result(SECONDS)
    with pytest.raises(WorkerDied, match="closed"):
        client.generate([prompt("hello")], None, 8, 0.0, 0)


PARENT = """
import sys, threading
from pathlib import Path
from jobs.emulator.trainer.client import TrainerClient
from tests.emulator.trainer.test_client import Endless

folder = Path(sys.argv[1])
client = TrainerClient("nearest-example", folder / "cache")
tuning = Endless(client, "a", folder / "a")
print(client.worker_pid, flush=True)
threading.Event().wait()
"""


def test_the_worker_ends_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        ended, _, _ = select.select([worker], [], [], SECONDS)
    finally:
        os.close(worker)
    assert ended
