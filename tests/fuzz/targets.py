"""Targets: what takes bytes of anybody's, and what must hold whatever they are."""

import io
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import get_args

from jobs.runner import check, dataset, document, example, spec
from jobs.runner.datasets.convert import convert
from jobs.runner.datasets.redact import without
from jobs.runner.errors import Problems, VertuneError
from jobs.runner.example import BadExample
from jobs.runner.forms import quick
from jobs.runner.lines import Source
from jobs.runner.spec import Task

_SPEC = spec.Spec.model_validate(
    {"task": "chat", "base_model": "m", "dataset": "d", "tuning": {"epochs": 1}}
)


def line(data: bytes) -> None:
    """A line is an example or a bad one, and the quick reading of it is the slow one's."""
    try:
        read = example.parse(data, None)
    except BadExample:
        assert not quick(data), "read quickly, refused slowly"
        return
    body = example._object(data)
    assert example._FROM[example._form(body)](body).line() == read.line()
    assert example.parse(read.line(), None).line() == read.line()


def file(data: bytes) -> None:
    """A file is examples and faults on lines that it has; what it says it says of them all."""
    source = Source("d.jsonl", lambda: io.BytesIO(data))
    for task in get_args(Task):
        examination = check.Examination(_SPEC.model_copy(update={"task": task}))
        found = dataset.read({"train": source}, None, examination.watches)
        findings = [*found.findings, *examination.findings(found.sources)]
        assert found.train.examples or findings
        assert all(f.problem.line <= data.count(b"\n") + 1 for f in findings)
        assert all(str(f).isprintable() for f in findings)


def yaml(data: bytes) -> None:
    """A spec is read, or refused with lines that it has."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "jobs").mkdir()
        (path := Path(folder) / "jobs/a.yaml").write_bytes(data)
        with suppress(Problems):
            document.values(document.read(path, "jobs/a.yaml"))
        _, faults = spec.read(Path(folder), "local")
    lines = len(data.splitlines()) + data.count("\u2028".encode()) + data.count(b"\xc2\x85") + 1
    assert all(fault.line <= lines and str(fault).isprintable() for fault in faults)


def text(data: bytes) -> None:
    """What changed was counted, and what was counted changed."""
    count: Counter[str] = Counter()
    given = data.decode("utf-8", "replace")
    clean = without(given, count)
    assert bool(count) == (clean != given)


def table(data: bytes) -> None:
    """A foreign file is converted, or refused in words, and then nothing is written."""
    for suffix in ("csv", "json", "jsonl"):
        with tempfile.TemporaryDirectory() as folder:
            (path := Path(folder) / f"a.{suffix}").write_bytes(data)
            try:
                convert(path, Path(folder) / "new.jsonl", "contents")
            except VertuneError:
                assert not (Path(folder) / "new.jsonl").exists()
            else:
                written = Path(folder) / "new.jsonl"
                assert all(example.parse(one, None) for one in written.read_bytes().splitlines())


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (line, file, yaml, text, table)
}
