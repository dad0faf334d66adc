"""Datasets for tests of findings: splits of lines as they would stand in a file."""

import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from jobs.runner import catalog, check, dataset, spec
from jobs.runner.dataset import SPLITS, Dataset
from jobs.runner.lines import Source
from jobs.runner.rows import SplitName
from jobs.runner.rules import Finding

FACTS = catalog.load().base_models["gemini-3.1-flash-lite"]
Lines = bytes | Sequence[tuple[str, str] | dict[str, object]]


def data_of(lines: Lines) -> bytes:
    if isinstance(lines, bytes):
        return lines
    made = [
        {"input_text": line[0], "output_text": line[1]} if isinstance(line, tuple) else line
        for line in lines
    ]
    return "".join(json.dumps(line) + "\n" for line in made).encode()


Data = Lines | Mapping[str, Lines]  # training data, or splits by their names


def findings(root: Path, task: str, data: Data, more: str = "") -> list[Finding]:
    """All that a check says of these lines, read from memory."""
    (root / "jobs").mkdir(exist_ok=True)
    text = f"task: {task}\nbase_model: gemini-3.1-flash-lite\ndataset: datasets/a\n{more}"
    (root / "jobs/a.yaml").write_text(text, "utf-8")
    (file,) = spec.load(root, "local")
    examination = check.Examination(file.spec)
    found = read(data, file.spec.instructions, examination)
    said = examination.findings(found.sources)
    return check.findings(file, found, FACTS, "us-central1", date(2026, 11, 23), examined=said)


def read(data: Data, instructions: str | None, examination: check.Examination) -> Dataset:
    splits = data if isinstance(data, Mapping) else {"train": data}

    def source(name: str) -> Source:
        return Source(f"{name}.jsonl", lambda: io.BytesIO(data_of(splits[name])))

    names: tuple[SplitName, ...] = SPLITS
    sources = {name: source(name) for name in names if name in splits}
    return dataset.read(sources, instructions, examination.watches)


def ids(found: Sequence[Finding]) -> set[str]:
    return {one.rule.id for one in found}


def said(found: Sequence[Finding], id: str) -> list[str]:
    return [str(one.problem) for one in found if one.rule.id == id]
