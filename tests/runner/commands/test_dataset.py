"""`vertune dataset`: each command from the shell's side."""

from pathlib import Path

from tests.conftest import Repository
from tests.runner.commands.calls import vertune
from tests.runner.datasets.examples import written


def test_each_command_says_what_it_wrote(repository: Repository, tmp_path: Path) -> None:
    old = str(written(tmp_path / "old.jsonl", [("a", "b"), ("a", "b"), ("8.8.8.8", "c")]))

    def said(*words: str) -> str:
        result = vertune(repository, "dataset", *words)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout.replace(str(tmp_path), "")

    def to(name: str) -> str:
        return str(tmp_path / name)

    assert said("dedupe", old, to("1")) == "2 examples in /1, 1 left out\n"
    assert said("convert", old, to("2"), "--to", "messages") == "3 examples in /2\n"
    assert said("redact", old, to("3")) == "1 × IP address\n"
    assert said("redact", to("3"), to("4")) == "nothing to replace\n"
    assert said("sample", old, to("5"), "-n", "1") == "1 example in /5\n"
    assert said("split", old, to("6"), "--test", "0").splitlines()[2].split() == [
        *("all", "3", "3", "(100.0%)", "-", "-")
    ]
    assert said("stats", old).startswith("3 examples, 12 characters\n\ncharacters of a prompt\n")
    assert said("diff", old, to("1")).splitlines() == [
        "removed: /old.jsonl:2",
        "answer 'b': 2 before, 1 now",
        "0 added, 1 removed, 0 changed",
    ]


def test_a_file_that_is_there_is_refused_in_words(repository: Repository, tmp_path: Path) -> None:
    old = str(written(tmp_path / "old.jsonl", [("a", "b")]))
    result = vertune(repository, "dataset", "redact", old, old)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"{old} exists; name a file that does not\n"


def test_shares_that_are_none_are_refused(repository: Repository, tmp_path: Path) -> None:
    old = str(written(tmp_path / "old.jsonl", [("a", "b")]))
    for words, said in (
        (["--test", "nan"], "nan is no share"),
        (["--test", "0.6"], "0.6 is not in the range"),
        (["--test", "0.5", "--validation", "0.5"], "leave nothing to tune on"),
    ):
        result = vertune(repository, "dataset", "split", old, str(tmp_path / "new"), *words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr
