"""Errors: one line each, with its place, that nothing in a file can turn into something else."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.errors import Problem, Problems, plain


def test_a_problem_names_file_line_field_and_what() -> None:
    problem = Problem("jobs/a.yaml", 3, "tuning.epochs", "must be a whole number")
    assert str(problem) == "jobs/a.yaml:3: tuning.epochs: must be a whole number"


def test_a_problem_of_a_whole_file_has_no_line() -> None:
    assert str(Problem("jobs/a.yaml", 0, "", "is not a file")) == "jobs/a.yaml: is not a file"


def test_problems_are_said_in_the_order_of_files_and_lines() -> None:
    problems = Problems(
        [Problem("b", 1, "", "x"), Problem("a", 10, "", "x"), Problem("a", 9, "", "x")]
    )
    assert str(problems) == "a:9: x\na:10: x\nb:1: x"


def test_a_problem_can_not_move_the_cursor_or_begin_a_line_of_its_own() -> None:
    said = str(Problem("a", 1, "k\n::error::x", "\x1b[2J\r\u202eevil\ud800"))
    assert said == r"a:1: k\n::error::x: \x1b[2J\r\u202eevil\ud800"


def test_letters_of_any_language_stay_as_they_are() -> None:
    assert plain("Größe “Ω” 世界 → ×") == "Größe “Ω” 世界 → ×"


@given(st.text())
def test_plain_text_is_printable_and_stays_so(text: str) -> None:
    assert plain(text).isprintable()
    assert plain(plain(text)) == plain(text)
