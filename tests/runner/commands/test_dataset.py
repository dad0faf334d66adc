"""`vertune dataset`: each command from the shell's side."""

from pathlib import Path

from tests.conftest import SPEC, Repository
from tests.runner.commands.calls import vertune
from tests.runner.datasets.examples import written

ROOT = Path(__file__).parents[3]


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
        "0 added, 1 removed, 0 changed",
        "answer 'b': 2 before, 1 now",
        "removed: /old.jsonl:2",
    ]


def test_stats_are_of_a_file_a_folder_or_a_spec(repository: Repository, tmp_path: Path) -> None:
    repository.job("one")
    folder = repository.root / "datasets/one"
    for given in (str(folder), "one"):
        result = vertune(repository, "dataset", "stats", given)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        heads = [line for line in result.stdout.splitlines() if line.endswith(".jsonl")]
        assert [Path(head).resolve() for head in heads] == [
            folder / "train.jsonl",
            folder / "test.jsonl",
        ]
    whole = vertune(repository, "dataset", "stats", "one", "--html", str(tmp_path / "page"))
    assert (whole.exit_code, "--html draws one file" in whole.stderr) == (2, True)


def test_what_stats_are_to_be_of_is_said_if_it_is_nothing(repository: Repository) -> None:
    repository.job("one")
    repository.spec("out", SPEC.format(name="out").replace("datasets/out", "../.."))
    repository.spec("far", SPEC.format(name="far").replace("datasets/", "gs://elsewhere/"))
    for given, said in (
        ("oen", 'has no spec; did you mean "one"?'),
        ("far", "is in a bucket, gs://elsewhere/far"),
        (str(repository.root / "jobs"), "holds no train.jsonl"),
        ("datasets/no/train.jsonl", "datasets/no/train.jsonl does not exist"),
        ("out", "lies outside of the repository"),
    ):
        result = vertune(repository, "dataset", "stats", given)
        assert (result.exit_code, result.stdout) == (1, "")
        assert said in result.stderr


def test_one_file_is_compared_with_nothing(repository: Repository, tmp_path: Path) -> None:
    old = str(written(tmp_path / "old.jsonl", [("a", "b")]))
    result = vertune(repository, "dataset", "diff", old)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is to be compared with" in result.stderr


def test_a_split_of_few_that_chance_left_uneven_is_said_to_be(
    repository: Repository, tmp_path: Path
) -> None:
    few, words = str(ROOT / "datasets/samples/headlines-25.jsonl"), ("dataset", "split")
    by_chance = vertune(repository, *words, few, str(tmp_path / "1")).stdout
    exact = vertune(repository, *words, few, str(tmp_path / "2"), "--exact").stdout
    assert "test has 1 of 25 (4.0%), not 10.0%" in by_chance
    assert "chance makes no even shares. --exact gives" in by_chance
    assert "2 (8.0%)" in exact
    assert "not 10.0%" not in exact


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
