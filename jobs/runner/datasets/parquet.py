"""Parquet: rows of a file as plain values, some of a row group at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from jobs.runner.errors import VertuneError

_TOGETHER = 256  # rows; of the longest lines there are


def bodies(path: Path, opened: Callable[[Path], BinaryIO]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each row with its number; what is null is left out, as columns have no other way to."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        what = "Parquet is read by an extra: run `uv sync --extra parquet`, then this again"
        raise VertuneError(f"{path}: {what}") from None
    number = 0
    try:
        with opened(path) as stream, parquet.ParquetFile(stream) as file:
            for batch in file.iter_batches(batch_size=_TOGETHER, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield number, _present(row)
    except (pyarrow.ArrowException, OSError) as error:
        where = f" after row {number:,}" if number else ""
        first = str(error).partition("\n")[0][:200]
        raise VertuneError(f"{path} cannot be read as Parquet{where}: {first}") from None


def _present(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _present(one) for key, one in value.items() if one is not None}
    return [_present(one) for one in value] if isinstance(value, list) else value
