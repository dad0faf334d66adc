"""Named: the files of examples that are meant by a file, a folder or the name of a spec."""

import os
from collections.abc import Callable
from pathlib import Path

from jobs.runner import dataset, spec
from jobs.runner.dataset import SPLITS, NoDataset
from jobs.runner.errors import Problems, VertuneError
from jobs.runner.spec import SpecFile


def files(given: str, specs: Callable[[], tuple[Path, str]]) -> list[Path]:
    """A file itself, or the splits of a folder, or of the dataset of a spec.

    `specs` says where those are, and for which stack. Raises VertuneError.
    """
    path = Path(given)
    if path.is_dir():
        return _splits(path)
    if path.exists():
        return [path]
    if path.suffix or len(path.parts) > 1:
        raise VertuneError(f"{given} does not exist")
    return _of_spec(given, *specs())


def _splits(folder: Path) -> list[Path]:
    found = [path for name in SPLITS if (path := folder / f"{name}.jsonl").is_file()]
    if not found:
        raise VertuneError(f"{folder} holds no train.jsonl, validation.jsonl or test.jsonl")
    return found


def _of_spec(name: str, root: Path, stack: str) -> list[Path]:
    shown = _spec(name, root, stack).spec.dataset
    if shown.startswith("gs://"):
        raise VertuneError(f"the dataset of {name} is in a bucket, {shown}; name a file of it here")
    try:
        dataset.local_sources(root, shown)
    except NoDataset as error:
        raise VertuneError(str(error)) from None
    path = Path(os.path.relpath(root / shown))
    return _splits(path) if path.is_dir() else [path]


def _spec(name: str, root: Path, stack: str) -> SpecFile:
    try:
        found = spec.load(root, stack, [name])
    except Problems as error:
        raise VertuneError(f"{name} is no file and no folder, and as a spec: {error}") from None
    if not found:
        raise VertuneError(f"{name} is not meant for this stack")
    return found[0]
