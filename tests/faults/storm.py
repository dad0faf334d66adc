"""Storm: a seeded run of appliers, kills, faults and edits on one bucket, and what came of it."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass, field

from jobs.emulator.faults.rule import Rule
from tests.faults.station import CALM, Case, Station

SPECS = 5

_PATHS = (
    ("GET", "*/o"),
    ("GET", "*/o/datasets/*"),
    ("GET", "*/ledger/*.json"),
    ("POST", "/upload/*"),
    ("GET", "*/tuningJobs"),
    ("POST", "*/tuningJobs"),
    ("GET", "*/tuningJobs/*"),
    ("POST", "*:generateContent"),
)
_FAULTS: tuple[dict[str, object], ...] = (
    {"cut": "rst"},
    {"cut": "rst", "when": "after"},
    {"cut": "fin", "when": "after"},
    {"truncate": True, "when": "after"},
    {"malformed": True, "when": "after"},
    {"status": 429},
    {"status": 500},
    {"status": 503, "when": "after"},
    {"status": 403},
    {"delay": 0.3},
)


@dataclass
class Storm:
    """`rounds` of trouble, then a calm run; the same seed gives the same trouble."""

    station: Station
    seed: int
    kills: int = 0
    appliers: int = 0
    faults: int = 0
    edits: int = 0
    random: random.Random = field(init=False)
    case: Case = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.case = self.station.case(SPECS)

    def run(self, rounds: int | None = None, seconds: float = float("inf")) -> None:
        end = time.monotonic() + seconds
        done = 0
        while (rounds is None or done < rounds) and time.monotonic() < end:
            self._round()
            done += 1
        self.station.disarm()

    def _round(self) -> None:
        if self.random.random() < 0.5:
            self._edit()
        deadly = self.random.random() < 0.6
        self.station.arm(*self._rules(deadly))
        processes = [self.case.start() for _ in range(self.random.choice((1, 1, 2, 3)))]
        self.appliers += len(processes)
        victim = processes[0]
        if deadly and self.station.reached("kill", victim):
            self.case.kill(victim)
            self.kills += 1
        for process in processes[1:]:
            if self.random.random() < 0.3:
                self.case.kill(process)  # wherever it is
                self.kills += process.exitcode == -signal.SIGKILL
        self.faults += sum(rule["hits"] for rule in self.station.emulator.faults.listed())
        self.station.disarm()
        for process in processes:
            self.case.ended(process, seconds=120)

    def _rules(self, deadly: bool) -> list[Rule]:
        rules = [self._rule(f"fault-{n}", **self.random.choice(_FAULTS)) for n in range(2)]
        if deadly:
            when = self.random.choice(("before", "after"))
            rules.append(self._rule("kill", when=when, hold=True))
        return rules

    def _rule(self, name: str, **fault: object) -> Rule:
        method, path = self.random.choice(_PATHS)
        nth = self.random.choice((1, 1, 1, 2, 2, 3, 4, 6))
        return Rule(name, method=method, path=path, nth=nth, **fault)  # type: ignore[arg-type]

    def _edit(self) -> None:
        """New data for one spec: its earlier tunings stay what they are."""
        number = self.random.randrange(SPECS)
        name = f"{self.case.name}-{number}" if number else self.case.name
        topic = self.random.choice(("sports", "politics", "science"))
        rows = [(f"{name} match {self.random.randrange(99)}", topic), ("bank merger", "business")]
        self.case.repository.data(name, "train", *rows)
        self.edits += 1

    def calm(self) -> list[str]:
        """A plain run; what is not right after it."""
        code = self.case.run(patience=CALM)
        return [*self.case.faults(SPECS), *([f"exit code {code}"] if code else [])]
