"""The lock of a folder: one holder, freed with it."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

from jobs.emulator.lock import FolderLock


def test_only_one_holds_it(tmp_path: Path) -> None:
    first, second = (FolderLock(tmp_path / "lock") for _ in range(2))

    assert first.take()
    assert not second.take(patience=0)
    assert not second.free()
    first.close()
    assert second.free()
    assert second.take(patience=0)
    second.close()


def test_who_is_patient_gets_it_when_it_is_freed(tmp_path: Path) -> None:
    first, second = (FolderLock(tmp_path / "lock") for _ in range(2))
    first.take()
    taken: list[bool] = []
    waiting = threading.Thread(target=lambda: taken.append(second.take(patience=20)))
    waiting.start()

    first.close()
    waiting.join()

    assert taken == [True]
    second.close()


def test_who_looks_does_not_take_it(tmp_path: Path) -> None:
    first, second = (FolderLock(tmp_path / "lock") for _ in range(2))

    assert first.free()
    assert second.take(patience=0)
    first.close()
    second.close()


def test_two_who_look_at_once_do_not_take_each_other_for_the_holder(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("ab") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        lock = FolderLock(tmp_path / "lock")

        assert lock.free()
        lock.close()


def test_the_holder_leaves_its_process_id(tmp_path: Path) -> None:
    first, second = (FolderLock(tmp_path / "lock") for _ in range(2))
    assert second.holder() is None
    first.take()
    first.sign()

    assert second.holder() == os.getpid()
    first.close()
    second.close()


def test_a_program_the_holder_started_does_not_hold_it(tmp_path: Path) -> None:
    first, second = (FolderLock(tmp_path / "lock") for _ in range(2))
    first.take()
    program = [sys.executable, "-c", "input()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, close_fds=False) as running:
        first.close()

        assert second.take(patience=20)  # it lets go while it starts, not before
        running.communicate(b"\n")
    second.close()
