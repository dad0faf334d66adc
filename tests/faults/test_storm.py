"""A storm: appliers that are killed, refused, cut and raced, on specs that change meanwhile."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.figures import STORMS
from tests.faults.station import Station
from tests.faults.storm import Storm

SEEDS = range(4)
ROUNDS = 5


@pytest.fixture
def storms(tmp_path: Path) -> Iterator[list[Storm]]:
    with ExitStack() as stack:
        made = [stack.enter_context(Station(tmp_path / str(seed))) for seed in SEEDS]
        yield [Storm(station, seed) for station, seed in zip(made, SEEDS, strict=True)]


@pytest.mark.timeout(600)
def test_after_a_storm_everything_is_tuned_once_and_served(storms: list[Storm]) -> None:
    with ThreadPoolExecutor(len(storms)) as pool:
        list(pool.map(lambda storm: storm.run(rounds=ROUNDS), storms))
        wrong = list(pool.map(Storm.calm, storms))
    for storm in storms:
        storm.case.count(STORMS)
        STORMS.kills, STORMS.faults = STORMS.kills + storm.kills, STORMS.faults + storm.faults
    said = {
        storm.seed: [*w, storm.case.said()] for storm, w in zip(storms, wrong, strict=True) if w
    }
    assert not said
    assert sum(storm.kills for storm in storms) > 0
    assert sum(storm.faults for storm in storms) > 0
