"""Figures: what came of all cases of a session, printed when it ends."""

from dataclasses import dataclass


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


TABLE, STORMS = Figures(), Figures()
