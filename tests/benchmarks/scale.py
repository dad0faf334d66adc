"""What thousands of specs cost: `python -m tests.benchmarks.scale`.

Plans of 2,000 specs and 10,000 ledger entries with nothing to do, beside the floor: reading and
parsing the same YAML. Applies of 200 specs, beside the bare clients that do the same calls.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import yaml

from jobs.emulator.emulator import Emulator
from jobs.runner import storage
from jobs.runner.commands import Place
from jobs.runner.entry import Entry
from jobs.runner.ledger import Ledger
from tests.conftest import STACK_SETTINGS, Repository
from tests.faults.station import PROJECT
from tests.runner.entries import entry

BUCKET = "vertune-local"


def repository(root: Path, url: str, specs: int) -> Repository:
    for folder in ("jobs", "datasets", ".vertune/emulator"):
        (root / folder).mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: vertune\nruntime: python\n", "utf-8")
    settings = STACK_SETTINGS + "  vertune:maxConcurrentJobs: 1000\n"
    (root / "Pulumi.local.yaml").write_text(settings, "utf-8")
    server = {"url": url, "env": {}, "pid": 0}
    (root / ".vertune/emulator/server.json").write_text(json.dumps(server), "utf-8")
    made = Repository(root)
    for number in range(specs):
        made.job(f"spec-{number:04}")
    return made


def recorded(place: Place, entries: int) -> None:
    """A served entry for every spec, and older ones behind it."""
    specs = [one.desired for one in place.resolve() if one.desired]
    older = entries // len(specs) - 1

    def write(number: int) -> None:
        wanted = specs[number]
        for age in range(older):
            place.ledger.create(done(wanted.name, f"{age:064x}", {}))
        place.ledger.create(done(wanted.name, wanted.fingerprint, dict(wanted.inputs)))
        place.ledger.activate(wanted.name, wanted.fingerprint)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(len(specs))))


def done(name: str, fingerprint: str, inputs: dict[str, object]) -> Entry:
    score = {"metric": "accuracy", "n": 1, "tuned": 1.0, "base": 0.0, "low": 0.2, "high": 1.0}
    return entry(
        name,
        fingerprint,
        state="succeeded",
        inputs=inputs,
        score=score,
        tuned_model=f"projects/0/locations/us/models/{name}@1",
        endpoint=f"projects/0/locations/us/endpoints/{name}",
    )


def vertune(root: Path, *words: str) -> tuple[float, float]:
    """Seconds and megabytes of a command as a process of its own."""
    command = [str(Path(sys.executable).with_name("vertune")), "--root", str(root), *words]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


def seconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def parse_all(root: Path) -> None:
    for path in (root / "jobs").glob("*.yaml"):
        yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)


@click.command()
@click.option("--specs", default=2000, show_default=True)
@click.option("--entries", default=10_000, show_default=True)
@click.option("--applied", default=200, show_default=True)
def main(specs: int, entries: int, applied: int) -> None:
    """Print seconds, megabytes and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        plans(Path(folder), specs, entries)
    with tempfile.TemporaryDirectory() as folder:
        applies(Path(folder), applied)


def plans(folder: Path, specs: int, entries: int) -> None:
    with Emulator(folder / "emulator", trainer="nearest") as emulator:
        root = repository(folder / "repository", emulator.url, specs).root
        storage.bucket(BUCKET, PROJECT, emulator.url).create(location="us-central1")
        recorded(Place("local", root), entries)
        floor = seconds(lambda: parse_all(root))
        (root / ".vertune/cache").exists() and subprocess.run(
            ["rm", "-r", str(root / ".vertune/cache")], check=True
        )
        click.echo(f"{specs:,} specs, {entries:,} entries; parsing the YAML alone {floor:.2f} s")
        for words in (("plan",), ("plan",), ("status",)):
            took, megabytes = vertune(root, *words)
            click.echo(
                f"vertune {' '.join(words):<7} {took:6.2f} s, {megabytes:4.0f} MB,"
                f" {took / floor:5.1f} × the floor"
            )


def applies(folder: Path, specs: int) -> None:
    with Emulator(folder / "bare", trainer="nearest") as emulator:
        place = Place("local", bucketed(folder / "of-bare", emulator.url, specs))
        bare = seconds(lambda: bare_submits(place, specs))
    with Emulator(folder / "emulator", trainer="nearest") as emulator:
        root = bucketed(folder / "repository", emulator.url, specs)
        took, _ = vertune(root, "apply", "--yes", "--no-wait", "--no-record")
    click.echo(
        f"{specs} submits: vertune {specs / took:.1f} a second, the bare clients"
        f" {specs / bare:.1f} a second, ratio {took / bare:.1f}"
    )


def bucketed(root: Path, url: str, specs: int) -> Path:
    storage.bucket(BUCKET, PROJECT, url).create(location="us-central1")
    return repository(root, url, specs).root


def bare_submits(place: Place, specs: int) -> None:
    """The same uploads, ledger writes and creates, one after the other, with nothing around."""
    from jobs.runner.vertex import Order

    ledger = Ledger(place.bucket)
    for number in range(specs):
        name = f"bare-{number:04}"
        blob = place.bucket.blob(f"datasets/{name}/train.jsonl")
        text = (place.root / f"datasets/spec-{number:04}/train.jsonl").read_text("utf-8")
        body = "".join(_today(line) for line in text.splitlines())
        blob.exists()
        blob.upload_from_string(body, content_type="application/jsonl", if_generation_match=0)
        written = entry(name, f"{number:064x}", state="submitting")
        generation = ledger.create(written)
        uri = f"gs://{BUCKET}/{blob.name}"
        order = Order(
            name, "gemini-3.1-flash-lite", uri, None, 2, None, None, {"vertune-spec": name}
        )
        job = place.vertex.submit(order)
        ledger.update(written.model_copy(update={"job": job.name}), generation)


def _today(line: str) -> str:
    pair = json.loads(line)
    turns = (("user", pair["input_text"]), ("model", pair["output_text"]))
    contents = [{"role": role, "parts": [{"text": text}]} for role, text in turns]
    return json.dumps({"contents": contents}) + "\n"


if __name__ == "__main__":
    main()
