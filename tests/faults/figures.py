"""Figures: what came of all cases of a session, printed when it ends."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass
class Figures:
    cases: int = 0
    kills: int = 0
    faults: int = 0
    submitted: int = 0
    fingerprints: int = 0
    lost: int = 0  # fingerprints that were tuned and that the ledger does not know

    def lines(self) -> list[str]:
        per = self.submitted / max(self.fingerprints, 1)
        return [
            f"{self.cases} cases, {self.faults} faults, {self.kills} processes ended by SIGKILL",
            f"jobs per fingerprint {per:.2f}, ledger entries lost {self.lost}",
        ]

    def add(self, other: dict[str, int]) -> None:
        """What came of cases that another process tried."""
        for name, number in other.items():
            setattr(self, name, getattr(self, name) + number)


TABLE, STORMS = Figures(), Figures()
TITLES = {"fault table": TABLE, "storms": STORMS}


def all_of_them() -> dict[str, dict[str, int]]:
    return {title: asdict(figures) for title, figures in TITLES.items()}
