"""Reports of a check as users read them: whole transcripts, kept beside the tests."""

import io
import json
from datetime import date
from pathlib import Path

import pytest

from jobs.runner import catalog, check, dataset, report, report_check, spec
from jobs.runner.desired import Resolved
from jobs.runner.errors import Problem
from jobs.runner.lines import Source
from jobs.runner.rules import SPEC, Finding
from tests.runner.golden import golden


def _resolved(root: Path, name: str, text: str, **splits: bytes) -> Resolved:
    (root / "jobs").mkdir(exist_ok=True)
    (root / "jobs" / f"{name}.yaml").write_text(text)
    (file,) = spec.load(root, "local", [name])

    def source(split: str, data: bytes) -> Source:
        return Source(f"datasets/{name}/{split}.jsonl", lambda: io.BytesIO(data))

    sources = {n: source(n, splits[n]) for n in dataset.SPLITS if n in splits}
    examination = check.Examination(file.spec)
    data = dataset.read(sources, None, examination.watches)
    facts = catalog.load().base_models.get(file.spec.base_model)
    said = examination.findings(data.sources)
    found = check.findings(file, data, facts, "us-central1", date(2026, 11, 23), examined=said)
    return Resolved(file, data, facts, tuple(found), None)


def _lines(*prompts: str) -> bytes:
    made = [
        json.dumps({"input_text": prompt, "output_text": "xy"[place % 2]})
        for place, prompt in enumerate(prompts)
    ]
    return "\n".join(made).encode()


@pytest.fixture
def checked(tmp_path: Path) -> list[Resolved]:
    least = "task: classification\nbase_model: gemini-3.1-flash-lite\ndataset: datasets/x\n"
    hundred = _lines(*(f"prompt {number}" for number in range(100)))
    whole = {"train": hundred, "validation": _lines("v", "w"), "test": _lines("t", "u")}
    broken = {
        "train": hundred + b'\n{"a@b": 1, "|<b>": 2}\n',
        "test": _lines("prompt 4", "prompt 7"),
    }
    return [
        _resolved(tmp_path, "good", least + "tuning: {epochs: 10}\n", **whole),
        _resolved(tmp_path, "old", least + "tuning: {steps: 900, adapter_size: 32}\n", **broken),
        _resolved(tmp_path, "bare", least),
    ]


TORN = Problem("jobs/torn.yaml", 3, "k\n::error::x", 'is not a key of a spec; known: "a|b"')
FAULTS = [Finding(SPEC, TORN, "error")]


def test_findings_as_text(checked: list[Resolved]) -> None:
    golden("check.txt", report_check.as_text(checked, FAULTS))
    golden("check-good.txt", report_check.as_text(checked[:1]))
    golden("check-none.txt", report_check.as_text([]))


def test_findings_as_markdown(checked: list[Resolved]) -> None:
    golden("check.md", report_check.as_markdown(checked, FAULTS))
    golden("check-good.md", report_check.as_markdown(checked[:1]))


def test_findings_as_json(checked: list[Resolved]) -> None:
    golden("check.json", report.dumps(report_check.as_json(checked, FAULTS)))
