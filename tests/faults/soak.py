"""A long storm: `python -m tests.faults.soak --minutes 30 --seed 7`; prints figures, exits 1."""

import sys
import tempfile
from pathlib import Path

import click

from tests.faults.station import Station
from tests.faults.storm import SPECS, Storm


@click.command()
@click.option("--minutes", default=10.0, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(minutes: float, seed: int) -> None:
    """Storms of a minute each, until the time is over."""
    bad = kills = faults = appliers = submitted = fingerprints = storms = 0
    with tempfile.TemporaryDirectory() as folder, Station(Path(folder)) as station:
        while storms < minutes:
            storm = Storm(station, seed + storms)
            storm.run(seconds=60)
            wrong = storm.calm()
            bad += bool(wrong)
            jobs = storm.case.submitted()
            submitted, fingerprints = submitted + jobs.total(), fingerprints + len(jobs)
            kills, faults = kills + storm.kills, faults + storm.faults
            appliers, storms = appliers + storm.appliers, storms + 1
            click.echo(f"seed {storm.seed}: {wrong or 'as after an undisturbed run'}")
    click.echo(f"{storms} storms of {SPECS} specs: {appliers} appliers, {kills} killed by SIGKILL")
    click.echo(f"{faults} faults injected, {bad} storms that ended wrong")
    click.echo(f"jobs per fingerprint: {submitted / max(fingerprints, 1):.2f}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
