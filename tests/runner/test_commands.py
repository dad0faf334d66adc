"""Commands on an emulator: what they print where, what -o json holds, and how they end."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jobs.emulator.emulator import Emulator
from jobs.runner import ledger
from jobs.runner.cli import main
from jobs.runner.commands import Place
from jobs.runner.outputs import digest_of, exported
from tests.conftest import Repository
from tests.runner.commands.calls import vertune


@pytest.fixture
def place(provisioned: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Repository:
    """A provisioned repository on a machine without an engine."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return provisioned


@pytest.fixture
def tuned(place: Repository) -> Repository:
    """With one tuning that is served; its outputs could not be recorded."""
    place.job("one")
    place.data("one", "test", ("one match", "sports"), ("bank merger", "business"))
    result = vertune(place, "apply", "--yes")
    assert result.exit_code == 1
    assert result.stderr.endswith(
        "there is no Pulumi engine; `vertune doctor` says how to get it\n"
    )
    return place


def parsed(repository: Repository, *words: str, code: int = 0) -> Any:
    result = vertune(repository, *words, "-o", "json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def entries(repository: Repository) -> int:
    recorded = Place("local", repository.root).ledger.recorded()
    return sum(len(record.entries) for record in recorded.values())


# What was billed


def test_what_was_billed_is_recorded_shown_and_corrects_the_next_plan(tuned: Repository) -> None:
    (row,) = parsed(tuned, "status")
    entry, _ = Place("local", tuned.root).ledger.read("one", row["fingerprint"]) or (None, 0)
    assert entry is not None
    figure = entry.statistics["total_billable_token_count"]
    assert row["billed_tokens"] == int(figure) > 0
    assert row["estimated_tokens"] > 0
    assert row["billed_usd"] == pytest.approx(row["billed_tokens"] * 3e-6)
    assert f"{row['billed_tokens']:,} billed" in vertune(tuned, "status").stdout
    tuned.job("one", answer="football")
    (change,) = parsed(tuned, "plan")["changes"]
    assert change["tokens"]["basis"] == "estimated, corrected by 1 earlier bill of the emulator's"
    ratio = row["billed_tokens"] / row["estimated_tokens"]
    uncorrected = Place("local", tuned.root).resolve()[0].desired
    assert uncorrected is not None
    offline = uncorrected.estimate.billable_tokens
    assert offline is not None
    assert change["billable_tokens"] == pytest.approx(ratio * offline, abs=2)
    assert change["tokens"]["seconds"] is not None


# plan


def test_a_plan_says_what_it_would_do_and_that_it_is_simulated(place: Repository) -> None:
    place.job("one")
    result = vertune(place, "plan")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "Stack local, project vertune-local\n(simulated on this machine"
    )
    assert "+ submit one" in result.stdout
    assert result.stderr == ""
    assert entries(place) == 0


def test_a_plan_can_be_read_by_programs_and_pasted_into_a_review(place: Repository) -> None:
    place.job("one")
    (change,) = parsed(place, "plan")["changes"]
    assert (change["action"], change["name"], change["examples"]) == ("submit", "one", 2)
    assert "| + submit | one |" in vertune(place, "plan", "-o", "markdown").stdout


@pytest.mark.parametrize("output", ["text", "json", "markdown"])
def test_an_exit_code_tells_a_plan_that_is_not_empty(place: Repository, output: str) -> None:
    words = ("plan", "--detailed-exitcode", "-o", output)
    assert vertune(place, *words).exit_code == 0
    place.job("one")
    assert vertune(place, *words).exit_code == 3
    assert vertune(place, "plan", "-o", output).exit_code == 0


def test_a_selected_spec_is_planned_alone(place: Repository) -> None:
    place.job("one")
    place.job("two")
    changes = parsed(place, "plan", "--select", "two")["changes"]
    assert [change["name"] for change in changes] == ["two"]
    refused = vertune(place, "plan", "--select", "tow")
    assert refused.exit_code == 1
    assert "two" in refused.stderr


# apply


def test_an_apply_that_nobody_confirmed_pays_for_nothing(place: Repository) -> None:
    place.job("one")
    result = vertune(place, "apply")
    assert result.exit_code == 1
    assert "add --yes" in result.stderr
    assert "+ submit one" in result.stdout
    assert entries(place) == 0
    assert Place("local", place.root).vertex.jobs({}) == []


def test_an_apply_over_the_stacks_cap_pays_for_nothing(place: Repository) -> None:
    place.job("one")
    path = place.root / "Pulumi.local.yaml"
    path.write_text(path.read_text() + "  vertune:maxUsd: 0\n")
    result = vertune(place, "apply", "--yes")
    assert result.exit_code == 1
    assert (
        "vertune:maxUsd of this stack is $0; to apply it all the same: --allow cap" in result.stderr
    )
    assert entries(place) == 0


def test_a_plan_that_cannot_be_saved_says_so(place: Repository) -> None:
    place.job("one")
    full = Path("/dev/full")
    if full.exists():
        result = vertune(place, "plan", "--out", str(full))
        assert result.exit_code == 1
        assert result.stderr == f"{full} cannot be written: No space left on device\n"


def test_a_saved_plan_is_applied_and_another_one_refused(place: Repository) -> None:
    place.job("one")
    saved = place.root / "plan.json"
    assert vertune(place, "plan", "--out", str(saved)).exit_code == 0
    place.job("two")
    refused = vertune(place, "apply", "--plan", str(saved), "--yes", "--no-record")
    assert refused.exit_code == 1
    assert "new: submit two" in refused.stderr
    assert entries(place) == 0
    (place.root / "jobs/two.yaml").unlink()
    assert vertune(place, "apply", "--plan", str(saved), "--yes", "--no-record").exit_code == 0
    assert entries(place) == 1
    assert vertune(place, "apply", "--plan", str(saved), "--yes", "--no-record").exit_code == 0


def test_a_checksum_applies_the_plan_it_was_shown_with(place: Repository) -> None:
    place.job("one")
    checksum = parsed(place, "plan")["checksum"]
    refused = vertune(place, "apply", "--checksum", "0" * 16, "--yes", "--no-record")
    assert refused.exit_code == 1
    assert checksum in refused.stderr
    words = ("apply", "--checksum", checksum, "--yes", "--no-record")
    assert vertune(place, *words).exit_code == 0
    assert entries(place) == 1


def test_a_checksum_that_was_begun_does_the_rest_when_it_is_given_again(place: Repository) -> None:
    place.job("one")
    place.job("two")  # there is room for one at a time
    words = ("apply", "--checksum", parsed(place, "plan")["checksum"], "--yes", "--no-record")
    assert vertune(place, *words, "--no-wait").exit_code == 0
    assert entries(place) == 1
    assert vertune(place, *words, "--no-wait").exit_code == 0
    place.job("three")
    refused = vertune(place, *words)
    assert refused.exit_code == 1
    assert "new: submit three" in refused.stderr
    (place.root / "jobs/three.yaml").unlink()
    assert vertune(place, *words).exit_code == 0
    assert entries(place) == 2
    assert not parsed(place, "plan")["changes"]
    assert vertune(place, *words).exit_code == 0


def test_a_bucket_that_another_stack_marked_is_left_alone(place: Repository) -> None:
    place.job("one")
    ledger_of = Place("local", place.root).ledger
    ledger_of.mark(ledger.Owner(project="vertune", stack="other"))
    refused = vertune(place, "apply", "--yes", "--no-record")
    assert refused.exit_code == 1
    assert "belongs to stack other of project vertune" in refused.stderr
    assert entries(place) == 0
    words = ("apply", "--yes", "--no-record", "--allow", "foreign")
    assert vertune(place, *words).exit_code == 0
    assert str(ledger_of.owner()) == "stack local of project vertune"


def test_without_an_engine_what_was_tuned_is_kept_and_found_again(tuned: Repository) -> None:
    assert not parsed(tuned, "plan")["changes"]
    assert vertune(tuned, "predict", "one", "one match").stdout == "sports\n"
    for words in (("record",), ("record", "-o", "json")):
        result = vertune(tuned, *words)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("there is no Pulumi engine")


def test_an_apply_with_nothing_to_do_needs_no_engine(tuned: Repository) -> None:
    recorded = Place("local", tuned.root).ledger
    recorded.note(digest_of(exported(recorded.recorded())))
    body = parsed(tuned, "apply")
    assert body["tuned"] == body["running"] == body["queued"] == []
    assert body["failed"] == body["blocked"] == body["tuned_models"] == {}
    text = vertune(tuned, "apply")
    assert (text.exit_code, text.stderr) == (0, "")
    assert "Nothing to do: 1 spec in sync." in text.stdout


def test_an_apply_records_what_one_that_died_has_not(tuned: Repository) -> None:
    result = vertune(tuned, "apply")
    assert result.exit_code == 1
    assert result.stderr.startswith("there is no Pulumi engine")
    assert vertune(tuned, "apply", "--no-record").exit_code == 0


def test_progress_of_an_apply_is_no_part_of_its_result(place: Repository) -> None:
    place.job("one")
    result = vertune(place, "apply", "--yes", "-o", "json")
    assert "one: tuned and served" in result.stderr
    assert "+ submit one" in result.stderr
    assert result.stdout == ""  # there was no engine to get outputs from


def test_specs_with_errors_stop_an_apply_before_anything_happens(place: Repository) -> None:
    place.job("one")
    place.spec("two", "task: classification\nbase_modle: x\ndataset: datasets/two\n")
    result = vertune(place, "apply", "--yes")
    assert result.exit_code == 1
    assert 'jobs/two.yaml:2: base_modle: is not a key of a spec; did you mean "base_model"?' in (
        result.stderr
    )
    assert entries(place) == 0


# status


def test_a_status_of_nothing_says_what_comes_next(place: Repository) -> None:
    result = vertune(place, "status")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "`vertune plan`" in result.stdout
    assert parsed(place, "status") == []


def test_a_status_shows_what_is_served_and_its_score(tuned: Repository) -> None:
    (row,) = parsed(tuned, "status")
    assert (row["name"], row["state"], row["served"]) == ("one", "succeeded", True)
    assert row["score"]["tuned"] == 1.0
    text = vertune(tuned, "status").stdout
    assert "one: served, accuracy 1.000" in text
    assert "(simulated)" in text
    assert "| one | served |" in vertune(tuned, "status", "-o", "markdown").stdout


def test_a_status_of_a_misspelt_name_is_guessed_at(tuned: Repository) -> None:
    result = vertune(tuned, "status", "--select", "oen")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == 'nothing is recorded as oen; did you mean "one"?\n'


# predict


def test_answers_are_on_stdout_and_that_they_are_simulated_is_not(tuned: Repository) -> None:
    result = vertune(tuned, "predict", "one", "one match", "bank merger")
    assert result.stdout == "sports\nbusiness\n"
    assert "simulated on this machine" in result.stderr


def test_texts_come_from_files_and_standard_input_too(tuned: Repository, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.write_text("bank merger\n\none match\n")
    assert vertune(tuned, "predict", "one", "--file", str(texts)).stdout == "business\nsports\n"
    words = ["--root", str(tuned.root), "predict", "one"]
    piped = CliRunner().invoke(main, words, input="bank merger\n")
    assert piped.stdout == "business\n"


def test_nothing_to_ask_is_wrong_usage(tuned: Repository) -> None:
    result = vertune(tuned, "predict", "one", " ")
    assert result.exit_code == 2
    assert "There is no text to ask about." in result.stderr


def test_rows_say_which_model_answered(tuned: Repository) -> None:
    (row,) = parsed(tuned, "predict", "one", "one match")
    assert row["answer"] == "sports"
    assert "/endpoints/local-" in row["model"]
    (row,) = parsed(tuned, "predict", "--base", "one", "one match")
    assert row["model"] == "gemini-3.1-flash-lite"
    assert "local simulation of gemini-3.1-flash-lite" in row["model_version"]
    table = vertune(tuned, "predict", "one", "one match", "-o", "markdown").stdout
    assert "| one match | sports |" in table


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_name_that_is_not_served_is_guessed_at(tuned: Repository, command: str) -> None:
    tuned.job("oen")
    result = vertune(tuned, command, "oen", *(["text"] if command == "predict" else []))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        'nothing is served as oen; did you mean "one"?; `vertune status` shows what is\n'
    )


# evaluate


def test_an_evaluation_scores_both_models_and_records_nothing(tuned: Repository) -> None:
    body = parsed(tuned, "evaluate", "one", "--rows")
    assert (body["name"], body["simulated"], body["metric"], body["n"]) == (
        "one",
        True,
        "accuracy",
        2,
    )
    assert (body["tuned"], body["base"]) == (1.0, 0.0)
    assert [row["tuned"] for row in body["rows"]] == ["sports", "business"]
    assert "rows" not in parsed(tuned, "evaluate", "one")
    assert vertune(tuned, "evaluate", "one").stdout.startswith("one: accuracy 1.000")
    assert entries(tuned) == 1


def test_an_evaluation_needs_a_test_split(tuned: Repository) -> None:
    (tuned.root / "datasets/one/test.jsonl").unlink()
    result = vertune(tuned, "evaluate", "one")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "one: there is no test split; add test.jsonl to its dataset\n"


def test_an_evaluation_of_no_spec_is_guessed_at(tuned: Repository) -> None:
    result = vertune(tuned, "evaluate", "oen")
    assert result.exit_code == 1
    assert '"one"' in result.stderr


# check, doctor and models are read by programs too; apply, plan and the rest are above


@pytest.mark.parametrize("words", [("check",), ("models",), ("schema",)])
def test_what_is_for_programs_is_json(place: Repository, words: tuple[str, ...]) -> None:
    place.job("one")
    more = () if words == ("schema",) else ("-o", "json")
    result = vertune(place, *words, *more)
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout)


def test_no_command_does_anything_where_the_bucket_is_missing(
    repository: Repository, emulator: Emulator
) -> None:
    server = {"url": emulator.url, "env": {}, "pid": 0}
    (repository.root / ".vertune/emulator/server.json").write_text(json.dumps(server))
    repository.job("one")
    for words in (["plan"], ["apply", "--yes"], ["status"], ["predict", "one", "x"]):
        result = vertune(repository, *words)
        assert (result.exit_code, result.stdout) == (1, ""), words
        assert result.stderr == (
            "reading the ledger: there is no bucket gs://vertune-local;"
            " run `pulumi up` for this stack\n"
        )


def test_going_on_does_the_rest_of_what_was_approved_and_leaves_what_came_since(
    place: Repository,
) -> None:
    for name in ("one", "two"):
        place.job(name)
    saved = place.root / "plan.json"
    assert vertune(place, "plan", "--out", str(saved)).exit_code == 0
    words = ("--yes", "--no-wait", "--no-record")
    vertune(place, "apply", "--plan", str(saved), *words)
    assert entries(place) == 1  # there is room for one
    place.job("three")
    assert vertune(place, "apply", "--continue", "--yes", "--no-record").exit_code == 0
    assert [change["name"] for change in parsed(place, "plan")["changes"]] == ["three"]
    again = vertune(place, "apply", "--continue", *words)
    assert (again.exit_code, entries(place)) == (0, 2)


def test_going_on_where_nothing_was_approved_pays_for_nothing(place: Repository) -> None:
    place.job("one")
    assert vertune(place, "apply", "--continue", "--yes", "--no-record").exit_code == 0
    assert entries(place) == 0
    for words in (("--plan", "x"), ("--checksum", "x"), ("--retry", "one")):
        assert vertune(place, "apply", "--continue", *words).exit_code == 2
