"""A long storm: `python -m tests.faults.soak --minutes 30 --seed 7`; prints figures, exits 1."""

import sys
import tempfile
from pathlib import Path

import click

from tests.faults.figures import Figures
from tests.faults.station import Station
from tests.faults.storm import SPECS, Storm


@click.command()
@click.option("--minutes", default=10.0, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(minutes: float, seed: int) -> None:
    """Storms of a minute each, until the time is over."""
    figures, bad, appliers, storms = Figures(), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder, Station(Path(folder)) as station:
        while storms < minutes:
            storm = Storm(station, seed + storms)
            storm.run(seconds=60)
            wrong = storm.calm()
            bad += bool(wrong)
            storm.case.count(figures)
            figures.kills, figures.faults = (
                figures.kills + storm.kills,
                figures.faults + storm.faults,
            )
            appliers, storms = appliers + storm.appliers, storms + 1
            click.echo(f"seed {storm.seed}: {wrong or 'as after an undisturbed run'}")
    click.echo(f"{storms} storms of {SPECS} specs, {appliers} appliers, {bad} ended wrong")
    click.echo("\n".join(figures.lines()))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
