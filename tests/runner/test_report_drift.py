"""Reports of drift as users read them: whole transcripts."""

from jobs.runner import report, report_drift
from jobs.runner.drift import Difference, differences
from jobs.runner.entry import Recorded
from tests.runner.drift.sights import body, by_name, job, seen
from tests.runner.golden import golden
from tests.runner.states import A1, A2, A3, entry
from tests.runner.test_report import NASTY


def _differences() -> list[Difference]:
    failing = entry(A2, "submitted", "b", job="projects/1/locations/us-central1/tuningJobs/6")
    edited = entry(A3, "failed", "c", holder="ci:1:ab")
    found = seen(entry(), failing, edited, active=A1, models={}, wanted={"a": A1})
    bodies = {**found.bodies, ("c", A3): body(edited, stack="prod")}
    more = {
        "jobs": {**found.jobs, **by_name(job(failing, "FAILED", error=NASTY))},
        "junk": ("gs://b/ledger/x.json is no entry of the ledger; remove it",),
        "recorded": {**found.recorded, "d": Recorded({}, A1)},
        "bodies": bodies,
    }
    return differences(seen(**{**vars(found), **more}))


def test_drift_as_text() -> None:
    golden("drift.txt", report_drift.text(_differences(), 3))


def test_drift_as_markdown() -> None:
    golden("drift.md", report_drift.markdown(_differences(), 3))


def test_drift_as_json() -> None:
    golden("drift.json", report.dumps(report_drift.json(_differences())))


def test_no_drift_says_what_was_looked_at() -> None:
    said = "No drift: 1 tuning recorded, everything as it is recorded."
    assert report_drift.text([], 1) == said
    assert said in report_drift.markdown([], 1)
    assert report_drift.json([]) == []
