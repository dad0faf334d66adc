"""Parquet: rows of a file as plain values, some of a row group at a time.

A value that many rows share stands in the file once. It is kept so until its rows are known to be
short: of a kilobyte gigabytes could be made.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from jobs.runner.errors import VertuneError
from jobs.runner.lines import LONGEST_LINE

TOO_LONG = object()  # instead of a row that can be no example

_TOGETHER = 256  # rows
_WEIGHT = 16 * LONGEST_LINE  # bytes of texts that become plain values together
_LARGEST_GROUP = 2 << 30  # bytes, unpacked: pages are unpacked whole


def bodies(path: Path, opened: Callable[[Path], BinaryIO]) -> Iterator[tuple[int, Any]]:
    """Each row with its number; what is null is left out, as columns have no other way to."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        what = "Parquet is read by an extra: run `uv sync --extra parquet`, then this again"
        raise VertuneError(f"{path}: {what}") from None
    number = 0
    try:
        with opened(path) as stream:
            file = parquet.ParquetFile(stream, read_dictionary=_texts(path, stream))
            for batch in file.iter_batches(batch_size=_TOGETHER, use_threads=False):
                for row in _rows(batch):
                    number += 1
                    yield number, _present(row)
    except (pyarrow.ArrowException, OSError) as error:
        where = f" after row {number:,}" if number else ""
        first = str(error).partition("\n")[0][:200]
        raise VertuneError(f"{path} cannot be read as Parquet{where}: {first}") from None


def _texts(path: Path, stream: BinaryIO) -> list[str]:
    """The columns that hold texts. Raises VertuneError where too much would be unpacked at once."""
    from pyarrow import parquet

    about = parquet.read_metadata(stream)
    groups = (about.row_group(number).total_byte_size for number in range(about.num_row_groups))
    if max(groups, default=0) > _LARGEST_GROUP:
        what = f"holds a row group of more than {_LARGEST_GROUP >> 30} GiB; write smaller ones"
        raise VertuneError(f"{path} {what}")
    columns = [about.schema.column(number) for number in range(len(about.schema))]
    return [one.path for one in columns if one.physical_type == "BYTE_ARRAY"]


def _rows(batch: Any) -> Iterator[Any]:
    """At once where they are short together, else one by one."""
    if sum(map(_weight, batch.columns)) <= _WEIGHT:
        yield from batch.to_pylist()
        return
    for number in range(batch.num_rows):
        row = batch.slice(number, 1)
        long = sum(map(_weight, row.columns)) > LONGEST_LINE
        yield TOO_LONG if long else row.to_pylist()[0]


def _weight(array: Any) -> int:
    """The bytes of its texts, each as often as it is used."""
    from pyarrow import compute, types

    if types.is_dictionary(array.type):
        lengths = compute.binary_length(array.dictionary)
        return int(compute.sum(lengths.take(array.indices)).as_py() or 0)
    if types.is_map(array.type):
        return _weight(array.keys) + _weight(array.items)
    if types.is_list(array.type) or types.is_large_list(array.type):
        return _weight(array.flatten())
    if types.is_struct(array.type):
        return sum(map(_weight, array.flatten()))
    return int(array.nbytes)


def _present(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _present(one) for key, one in value.items() if one is not None}
    return [_present(one) for one in value] if isinstance(value, list) else value
