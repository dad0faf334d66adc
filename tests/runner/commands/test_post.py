"""`vertune post`: one comment and one issue a stack, over the wire, and never too long."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.commands.post import joined
from tests.conftest import Repository
from tests.rehearsal.hub import Hub
from tests.runner.commands.calls import vertune


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "plan.md"
    path.write_text("### A plan\n", "utf-8")
    return path


def test_each_stack_has_one_comment_that_is_written_over(
    repository: Repository, hub: Hub, report: Path
) -> None:
    words = ("post", str(report), "--pull-request", "7")
    for stack in ("dev", "prod"):
        assert vertune(repository, *words, stack=stack).exit_code == 0
    report.write_text("### Another plan\n", "utf-8")
    assert vertune(repository, *words, stack="dev").exit_code == 0
    texts = {one["on"]: 0 for one in hub.comments}, [one["body"] for one in hub.comments]
    assert texts == (
        {7: 0},
        [
            "<!-- vertune: plan dev -->\n### Another plan",
            "<!-- vertune: plan prod -->\n### A plan",
        ],
    )


def test_it_is_found_again_among_many_and_what_people_copied_is_left_alone(
    repository: Repository, hub: Hub, report: Path
) -> None:
    words = ("post", str(report), "--pull-request", "7")
    mark = "<!-- vertune: plan dev -->\n"
    person = {"on": 7, "number": -1, "body": mark, "user": {"type": "User"}}
    hub.comments += [person] * 150
    for _ in range(2):
        assert vertune(repository, *words, stack="dev").exit_code == 0
    assert len(hub.comments) == 151
    assert person["body"] == mark


def test_an_issue_is_opened_written_over_closed_and_opened_anew(
    repository: Repository, hub: Hub, report: Path
) -> None:
    words, stack = ("post", "--issue", "Drift"), "dev"
    assert "no such issue" in vertune(repository, *words, "--close", stack=stack).stdout
    for _ in range(2):
        assert vertune(repository, *words, str(report), stack=stack).exit_code == 0
    assert [(one["title"], one["state"]) for one in hub.issues] == [("Drift: stack dev", "open")]
    assert vertune(repository, *words, "--close", stack=stack).exit_code == 0
    assert [one["state"] for one in hub.issues] == ["closed"]
    assert vertune(repository, *words, str(report), stack=stack).exit_code == 0
    assert [one["state"] for one in hub.issues] == ["closed", "open"]


def test_without_a_token_it_says_what_a_workflow_must_set(
    repository: Repository, hub: Hub, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("post", str(report), "--pull-request", "7")
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    refused = vertune(repository, *words)
    assert refused.exit_code == 1
    assert "401 Unauthorized: Bad credentials" in refused.stderr
    assert "pull-requests: write" in refused.stderr
    monkeypatch.delenv("GITHUB_TOKEN")
    assert "GITHUB_TOKEN must be set" in vertune(repository, *words).stderr


@pytest.mark.parametrize(
    "words",
    [
        ("x.md",),
        ("--close",),
        ("x.md", "--close", "--issue", "x"),
        ("--issue", "x"),
        ("x.md", "--issue", "x", "--pull-request", "1"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    repository: Repository, words: tuple[str, ...]
) -> None:
    assert vertune(repository, "post", *words).exit_code == 2


@given(
    texts=st.lists(st.tuples(st.sampled_from(("md", "txt")), st.text()), max_size=3),
    limit=st.integers(400, 600),
)
def test_what_is_posted_is_never_too_long(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str]], limit: int
) -> None:
    folder = tmp_path_factory.mktemp("post")
    files = []
    for number, (suffix, text) in enumerate(texts):
        files.append(folder / f"{number}.{suffix}")
        files[-1].write_bytes(f"{text}\n".encode(errors="replace") * 40)
    assert len(joined(tuple(files), limit).encode()) <= limit + 150


def test_a_text_cannot_end_its_own_fence(tmp_path: Path) -> None:
    path = tmp_path / "preview.txt"
    path.write_text("a\n```\n@octocat \x1b[2J\n", "utf-8")
    assert joined((path,)) == "````text\na\n```\n@octocat \\x1b[2J\n````"
