"""Reports of where everything stands, as users read them: whole transcripts."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from jobs.runner import catalog, report, report_status
from jobs.runner.entry import Recorded
from jobs.runner.errors import plain
from jobs.runner.health import Observed, Progress
from jobs.runner.status import States, Status, history, statuses
from jobs.runner.vertex import Job
from tests.runner.golden import golden
from tests.runner.states import A1, A2, A3, by_name, entry, record, score, wanted
from tests.runner.test_report import NASTY

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
JOBS = "projects/1/locations/us-central1/tuningJobs"


def _recorded() -> dict[str, Recorded]:
    later = "2026-11-21T09:00:00+00:00"
    stand_in = entry(name="tickets", stand_in="SmolLM2-135M-Instruct")
    return {
        "faq": record(
            entry(A1, name="faq"),
            entry(A2, "failed", "faq", error=NASTY, created=later),
            entry(A3, "submitted", "faq", created=later, job=f"{JOBS}/6"),
            active=A1,
        ),
        "headlines": record(
            entry(name="headlines", score=score(0.4)), entry(A2, "cancelled", "headlines")
        ),
        "begun": record(entry(A1, "submitting", "begun", holder="ci-4:77:ab12")),
        "later": record(entry(A2, "submitted", "later", job=f"{JOBS}/8")),
        "tickets": record(stand_in.model_copy(update={"score": None}), active=A1),
        "theirs": record(entry(name="theirs", stack="prod")),
        "empty": Recorded(),
    }


def _statuses() -> list[Status]:
    started = (NOW - timedelta(hours=1)).isoformat()
    jobs: Mapping[str, Job | None] = {
        f"{JOBS}/6": Job(f"{JOBS}/6", "RUNNING", "TUNING", {}, step=30, steps=120, started=started),
        f"{JOBS}/8": Job(f"{JOBS}/8", "QUEUED", "WAITING_FOR_QUOTA", {}),
    }
    specs = by_name(
        wanted("faq", A3),
        wanted("headlines", A1, at_least=0.9),
        wanted("begun"),
        wanted("later", A2),
        wanted("tickets", A1, metric=None),
        wanted("new", "b1" * 32),
    )
    unreadable = {"torn": f"jobs/torn.yaml:3: {plain(NASTY)}"}
    base_models = catalog.load().base_models
    states = States("dev", specs, unreadable, _recorded(), Observed(jobs, NOW), base_models)
    return list(statuses(states))


def test_status_as_text() -> None:
    golden("status.txt", report_status.text(_statuses()))


def test_status_as_markdown() -> None:
    golden("status.md", report_status.markdown(_statuses()))


def test_status_as_json() -> None:
    golden("status.json", report.dumps(report_status.rows(_statuses())))


def _history() -> list[Status]:
    states = States("dev", {}, {}, _recorded(), Observed({}, NOW), {})
    return list(statuses(states, history))


def test_history_as_text() -> None:
    golden("history.txt", report_status.history(_history()))


def test_history_as_markdown() -> None:
    golden("history.md", report_status.history(_history(), markdown=True))


def test_lines_of_what_changed() -> None:
    golden("status-lines.txt", "\n".join(map(report_status.line, _statuses())))


def test_what_a_service_says_is_whole_in_every_report() -> None:
    recorded = {"a": record(entry(A1, "failed", error="x" * 5000))}
    states = States("dev", by_name(wanted()), {}, recorded, Observed({}, NOW), {})
    found = list(statuses(states))
    for text in (
        report_status.text(found),
        report_status.markdown(found),
        report_status.line(found[0]),
        json.dumps(report_status.rows(found)),
    ):
        assert "x" * 5000 in text


def test_each_row_has_the_same_keys() -> None:
    keys = {tuple(row) for row in report_status.rows(_statuses())}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Progress(5, None), "step 5"),
        (Progress(0, 120), "step 0 of 120 (0 %)"),
        (Progress(30, 120, 45.4), "step 30 of 120 (25 %), about 45 seconds left"),
        (Progress(30, 120, 1800), "step 30 of 120 (25 %), about 30 minutes left"),
        (Progress(1, 1200, 36_000), "step 1 of 1200 (0 %), about 10 hours left"),
    ],
)
def test_how_far_it_is_is_said_as_far_as_it_is_known(progress: Progress, said: str) -> None:
    assert report_status.progress(progress) == said
