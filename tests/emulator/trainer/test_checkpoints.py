"""Checkpoints: at the end of which epochs they are, and that none is there half-written."""

from itertools import pairwise
from pathlib import Path

import pytest

from jobs.emulator.trainer.checkpoints import checkpoint_epochs, new_checkpoint


@pytest.mark.parametrize("epochs", range(1, 10))
def test_below_ten_epochs_every_epoch_has_a_checkpoint(epochs: int) -> None:
    assert checkpoint_epochs(epochs) == tuple(range(1, epochs + 1))


@pytest.mark.parametrize("epochs", [10, 11, 37, 100])
def test_above_that_ten_checkpoints_end_with_the_last_epoch(epochs: int) -> None:
    chosen = checkpoint_epochs(epochs)
    gaps = {later - earlier for earlier, later in pairwise(chosen)}
    assert len(chosen) == 10
    assert chosen[-1] == epochs
    assert max(gaps) - min(gaps) <= 1


def _fail_while_writing(folder: Path) -> None:
    with new_checkpoint(folder, "1") as partial:
        (partial / "half").write_text("half")
        raise OSError("disk full")


def test_a_checkpoint_that_failed_half_way_never_gets_its_name(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk full"):
        _fail_while_writing(tmp_path)
    assert not (tmp_path / "1").exists()


def test_a_checkpoint_written_again_replaces_the_first(tmp_path: Path) -> None:
    for content in ("first", "second"):
        with new_checkpoint(tmp_path, "1") as partial:
            (partial / content).write_text(content)
    assert [path.name for path in (tmp_path / "1").iterdir()] == ["second"]
