"""`vertune check`: everything at once, in three shapes, with an exit code to rely on."""

import json
from pathlib import Path

import pytest

from jobs.runner import findings_page, rules
from tests.conftest import SPEC, Repository
from tests.runner.commands.calls import vertune


def test_good_specs_are_summed_up_and_exit_with_0(repository: Repository) -> None:
    repository.job("one")
    repository.job("two")
    result = vertune(repository, "check")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "one: classification, 2 train, 1 test",
        "two: classification, 2 train, 1 test",
        "2 specs read: 0 errors, 0 warnings, 6 pieces of advice.",
    ]


def test_faults_of_specs_and_of_data_are_said_together_and_exit_with_1(
    repository: Repository,
) -> None:
    repository.job("good")
    repository.job("bad")
    (repository.root / "datasets/bad/test.jsonl").write_text("{\n\n")
    repository.spec("torn", "task: [\n")
    repository.spec("typo", SPEC.format(name="good").replace("tuning", "tunning"))
    result = vertune(repository, "check")
    assert result.exit_code == 1
    errors = [line.strip() for line in result.stdout.splitlines() if "error VT-" in line]
    assert errors == [
        'error VT-S001: jobs/typo.yaml:4: tunning: is not a key of a spec; did you mean "tuning"?',
        "error VT-S012: jobs/torn.yaml:2: is not YAML: did not find expected node content",
        "error VT-D006: datasets/bad/test.jsonl:2: is blank; remove it",
        "error VT-D008: datasets/bad/test.jsonl:1: is not JSON: Expecting property name enclosed in"
        " double quotes at column 2",
    ]


def test_json_is_json_whatever_is_wrong(repository: Repository) -> None:
    repository.job("good")
    repository.spec("torn", "task: [\n")
    result = vertune(repository, "check", "-o", "json")
    body = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [one["name"] for one in body["specs"]] == ["good"]
    assert body["specs"][0]["splits"] == {"train": 2, "test": 1}
    assert body["faults"] == [
        {
            "id": "VT-S012",
            "severity": "error",
            "path": "jobs/torn.yaml",
            "line": 2,
            "field": "",
            "what": "is not YAML: did not find expected node content",
            "remedy": rules.NO_SPEC.remedy,
            "more": 0,
            "ignored": None,
        }
    ]


def test_markdown_is_a_table(repository: Repository) -> None:
    repository.job("good")
    result = vertune(repository, "check", "-o", "markdown")
    assert result.exit_code == 0
    assert result.stdout.startswith("### vertune check\n\n1 spec read: ")
    assert (
        "\n| severity | id | where | field | what |\n| --- | --- | --- | --- | --- |\n"
        in result.stdout
    )


def test_selecting_looks_at_nothing_else(repository: Repository) -> None:
    repository.job("good")
    repository.spec("torn", "task: [\n")
    assert vertune(repository, "check", "--select", "good").exit_code == 0
    result = vertune(repository, "check", "--select", "goood")
    assert result.exit_code == 1
    assert 'error VT-S013: jobs: goood: has no spec; did you mean "good"?' in result.stdout


def test_no_specs_are_said_to_be_none(repository: Repository) -> None:
    result = vertune(repository, "check")
    assert (result.exit_code, result.stdout) == (0, "No spec in jobs/ is meant for this stack.\n")


def test_a_stack_that_is_not_there_is_answered_with_those_that_are(repository: Repository) -> None:
    result = vertune(repository, "check", stack="locla")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        'there is no stack "locla" (Pulumi.locla.yaml is missing); did you mean "local"?\n'
    )


def test_a_folder_that_is_no_repository_is_said_to_be_none(tmp_path: Path) -> None:
    result = vertune(Repository(tmp_path), "check")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is not inside a vertune repository" in result.stderr


@pytest.mark.parametrize("shape", ["text", "json", "markdown", "sarif", "github"])
def test_nothing_is_changed(repository: Repository, shape: str) -> None:
    repository.job("good")

    def everything() -> dict[Path, bytes]:
        """But for what the clone keeps for itself, which is not in git."""
        files = [path for path in repository.root.rglob("*") if path.is_file()]
        return {path: path.read_bytes() for path in files if ".vertune" not in path.parts}

    before = everything()
    vertune(repository, "check", "-o", shape)
    assert everything() == before


def test_strict_takes_warnings_for_errors_but_not_those_with_a_reason(
    repository: Repository,
) -> None:
    repository.job("one")
    repository.data("one", "train", ("a", "sports"), ("b", "x"), ("a", "sports"))
    assert vertune(repository, "check").exit_code == 0
    result = vertune(repository, "check", "--strict")
    assert result.exit_code == 1
    assert "error VT-D101: datasets/one/train.jsonl:3: " in result.stdout
    text = SPEC.format(name="one") + "check: {ignore: [{id: VT-D101, reason: weighed so}]}\n"
    repository.spec("one", text)
    result = vertune(repository, "check", "--strict")
    assert (result.exit_code, "VT-D101" in result.stdout) == (0, False)
    assert ", 1 ignored.\n" in result.stdout


def test_of_many_findings_of_a_kind_five_are_shown_and_all_on_request(
    repository: Repository,
) -> None:
    repository.job("one")
    (repository.root / "datasets/one/train.jsonl").write_text("{}\n" * 1200)
    lines = vertune(repository, "check").stdout.splitlines()
    assert sum("VT-D015: " in line for line in lines) == 5
    assert "    and 1,195 more of VT-D015 (`vertune check --all` shows them)" in lines
    assert lines[-1].startswith("1 spec read: 1,200 errors, ")
    lines = vertune(repository, "check", "--all").stdout.splitlines()
    assert sum("VT-D015: " in line for line in lines) == 1001
    assert "  error VT-D015: datasets/one/train.jsonl: has 200 more like these" in lines


def test_a_finding_is_explained_and_all_are(repository: Repository) -> None:
    result = vertune(repository, "check", "--explain", "vt-d014")
    assert (result.exit_code, result.stdout) == (
        0,
        "VT-D014, error\n\nAn object has a key twice.\nKeep one of the two.\n\n"
        "Most parsers keep the last value and lose the first without a word.\n",
    )
    assert vertune(repository, "check", "--explain").stdout == findings_page.page()
    result = vertune(repository, "check", "--explain", "VTD014")
    assert result.exit_code == 2
    assert 'did you mean "VT-D014"?' in result.stderr


def test_annotations_stand_on_their_lines_and_nothing_can_break_out_of_them(
    repository: Repository,
) -> None:
    repository.spec("torn", 'task: chat\n"k,x:%0A\\n::error::z": 1\n')
    result = vertune(repository, "check", "-o", "github")
    *lines, last = result.stdout.splitlines()
    assert last.startswith("0 specs read: ")
    assert all(line.startswith("::error file=jobs/torn.yaml,line=") for line in lines)
    (said,) = [line for line in lines if "k,x" in line]
    assert said.startswith(
        "::error file=jobs/torn.yaml,line=2,title=VT-S001::k,x:%250A\\n::error::z: is not a key"
    )


def test_the_specs_here_have_nothing_to_mend() -> None:
    """Their only advice is true and wanted: they are tuned for less than is recommended."""
    result = vertune(Repository(Path(__file__).parents[3]), "check", "--strict", "-o", "json")
    specs = json.loads(result.stdout)["specs"]
    assert [one["name"] for one in specs] == ["dialogues", "handbook", "headlines"]
    assert {found["id"] for one in specs for found in one["findings"]} == {"VT-S010"}
