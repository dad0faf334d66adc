"""Station: an emulator on which one case after the other is tried, and the processes of a case."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import signal
import sys
from collections import Counter
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner import identity, storage
from jobs.runner.commands import Place
from jobs.runner.ledger import tuned_models
from jobs.runner.reconcile import reconcile
from tests.conftest import STACK_SETTINGS, Repository
from tests.faults.figures import Figures

PATIENCE = 0.1  # of every wait, so that what takes minutes in the cloud takes seconds here
PROJECT = "vertune-local"
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.faults.station", "tests.faults.preloaded"])


CALM = 0.3  # where nothing is to go wrong, on a machine that does much else


def vertune(root: str, log: str, patience: float, words: tuple[str, ...]) -> None:
    """The command line as a process of its own; what it says is in `log`."""
    from jobs.runner.cli import main

    os.environ["VERTUNE_PATIENCE"] = str(patience)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as at a prompt, whoever runs this
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.stdin = open(os.devnull)  # noqa: SIM115  open until the process ends
    try:
        main(["--root", root, *words])
    except SystemExit as ended:
        # A fork server now and then loses a status, and tells 255.
        _code(root, os.getpid()).write_text(str(ended.code or 0), "utf-8")
        raise


def _code(root: str | Path, pid: int | None) -> Path:
    return Path(root) / f"code-{pid}"


@dataclass(frozen=True)
class Case:
    """A repository with a spec of its own, and a bucket of its own on the station's emulator."""

    repository: Repository
    emulator: Emulator
    name: str

    @property
    def log(self) -> Path:
        return self.repository.root / "said.txt"

    def start(self, *words: str, patience: float = PATIENCE) -> BaseProcess:
        words = words or ("apply", "--yes", "--no-record")
        arguments = (str(self.repository.root), str(self.log), patience, words)
        process = _PROCESSES.Process(target=vertune, args=arguments)
        process.start()
        return process

    def run(self, *words: str, patience: float = PATIENCE) -> int | None:
        return self.ended(self.start(*words, patience=patience))

    def ended(self, process: BaseProcess, seconds: float = 60) -> int | None:
        process.join(seconds)
        if process.is_alive():
            process.kill()
            raise TimeoutError(f"{self.name}: did not end: {self.said()}")
        code = _code(self.repository.root, process.pid)
        lost = process.exitcode == 255 and code.exists()
        return int(code.read_text("utf-8")) if lost else process.exitcode

    def kill(self, process: BaseProcess) -> None:
        process.kill()  # SIGKILL, if it has not ended by itself
        process.join()

    def said(self) -> str:
        return self.log.read_text("utf-8") if self.log.exists() else ""

    # What became of it

    @property
    def place(self) -> Place:
        return Place("local", self.repository.root)

    def faults(self, specs: int = 1) -> list[str]:
        """What is not as after an undisturbed run: no fingerprint twice, each spec served."""
        place = self.place
        recorded, resolved = place.ledger.recorded(), place.resolve()
        names = {one.file.name for one in resolved}
        served = {name for name, one in recorded.items() if one.served and one.served.score}
        outputs = tuned_models(place.settings.bucket, PROJECT, self.emulator.url)
        submitted = self.submitted()
        wanted = {identity.label(one.desired.fingerprint) for one in resolved if one.desired}
        plan = reconcile(resolved, recorded).plan
        checks = {
            f"submitted more than once: {submitted}": set(submitted.values()) == {1},
            f"never submitted: {wanted - submitted.keys()}": wanted <= submitted.keys(),
            f"not served: {names - served}": names == served and len(names) == specs,
            "an alias that did not follow": all(one.aliased for one in recorded.values()),
            f"not among the outputs: {names - outputs.keys()}": names == outputs.keys(),
            f"still to do: {plan.changes}": not plan,
            "a traceback": "Traceback" not in self.said(),
        }
        return [what for what, right in checks.items() if not right]

    def count(self, figures: Figures) -> None:
        """Add what this case came to."""
        submitted = self.submitted()
        entries = self.place.ledger.recorded().values()
        known = {identity.label(key) for one in entries for key in one.entries}
        figures.cases += 1
        figures.submitted += submitted.total()
        figures.fingerprints += len(submitted)
        figures.lost += len(submitted.keys() - known)

    def submitted(self) -> Counter[str]:
        """How often the emulator was ever asked to tune each fingerprint of the case."""
        jobs = self.place.vertex.jobs({})
        name = re.compile(rf"{self.name}(-\d+)?")
        return Counter(
            job.labels["vertune-fingerprint"]
            for job in jobs
            if name.fullmatch(job.labels.get("vertune-spec", ""))
        )


class Station:
    """A context manager; cases come one after the other, several stations work side by side.

    Of an idle one the jobs stay queued for ever.
    """

    def __init__(self, folder: Path, idle: bool = False) -> None:
        self._folder, self._count, self._idle = folder, 0, idle
        self.emulator = Emulator(folder / "emulator", trainer="nearest")

    def __enter__(self) -> Station:
        (self.emulator.server if self._idle else self.emulator).__enter__()
        return self

    def __exit__(self, *_: Any) -> None:
        self.emulator.close()

    def case(self, specs: int = 1) -> Case:
        """The specs after the first one are named like it, with a number."""
        self._count += 1
        name = f"case{self._count}"
        root = self._folder / name
        for folder in ("jobs", "datasets", ".vertune/emulator"):
            (root / folder).mkdir(parents=True)
        (root / "Pulumi.yaml").write_text("name: vertune\nruntime: python\n", "utf-8")
        settings = STACK_SETTINGS.replace("bucket: vertune-local", f"bucket: {name}")
        (root / "Pulumi.local.yaml").write_text(settings, "utf-8")
        server = {"url": self.emulator.url, "env": {}, "pid": 0}
        (root / ".vertune/emulator/server.json").write_text(json.dumps(server), "utf-8")
        repository = Repository(root)
        for number in range(specs):
            repository.job(f"{name}-{number}" if number else name)
        storage.bucket(name, PROJECT, self.emulator.url).create(location="us-central1")
        return Case(repository, self.emulator, name)

    def arm(self, *rules: Rule) -> None:
        self.emulator.faults.set(*rules)

    def disarm(self) -> None:
        self.emulator.faults.clear()

    def reached(self, rule: str, process: BaseProcess) -> bool:
        """Wait until a process got to a rule; False if it ended without."""
        while process.is_alive():
            with contextlib.suppress(TimeoutError):
                self.emulator.faults.wait(rule, seconds=0.2)
                return True
        return any(one["hits"] for one in self.emulator.faults.listed() if one["name"] == rule)
