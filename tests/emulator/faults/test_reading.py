"""Reading rules: whole or not at all, and every problem with its line."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jobs.emulator.faults.reading import RulesError, rule, rules
from jobs.emulator.faults.rule import Rule

_GOOD = """\
- name: lost
  method: POST
  path: "*/tuningJobs"
  nth: 2
  when: after
  cut: rst
- {delay: 0.5, status: 503, times: 3}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(RulesError) as raised:
        rules(text, "faults.yaml")
    return str(raised.value).splitlines()


def test_a_file_has_rules_which_are_named_by_their_place_unless_they_say() -> None:
    assert rules(_GOOD, "faults.yaml") == (
        Rule("lost", method="POST", path="*/tuningJobs", nth=2, when="after", cut="rst"),
        Rule("2", delay=0.5, status=503, times=3),
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]"])
def test_an_empty_file_has_no_rules(text: str) -> None:
    assert rules(text, "faults.yaml") == ()


def test_every_problem_is_told_with_its_line() -> None:
    text = """\
- stauts: 503
  path: 7
- method: post
  status: 200
  cut: fin
  nth: 0
- when: during
- status: 429
  status: 503
- hold
- {truncate: true, hold: no}
"""
    assert problems(text) == [
        "faults.yaml:1: rule 1: does nothing;"
        " give one of delay, status, cut, truncate, malformed, hold",
        "faults.yaml:1: rule 1: stauts: unknown; did you mean status?",
        "faults.yaml:2: rule 1: path: must be a glob, as '*/tuningJobs'",
        "faults.yaml:3: rule 2: method: must be one of GET, POST, PUT, PATCH, DELETE",
        "faults.yaml:3: rule 2: only one of status, cut can become of a request",
        "faults.yaml:4: rule 2: status: must be a status from 400 to 599",
        "faults.yaml:6: rule 2: nth: must be a whole number from 1 on",
        "faults.yaml:7: rule 3: does nothing;"
        " give one of delay, status, cut, truncate, malformed, hold",
        "faults.yaml:7: rule 3: when: must be 'before' or 'after'",
        "faults.yaml:9: rule 4: status: stands twice",
        "faults.yaml:10: rule 5: fields and their values are expected",
        "faults.yaml:11: rule 6: hold: must be true",
        "faults.yaml:11: rule 6: only one of truncate, hold can become of a request",
        "faults.yaml:11: rule 6: truncate: needs `when: after`; before it there is no answer",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("status: 503", "faults.yaml:1: a list of rules is expected"),
        ("- {status: 503", "faults.yaml:1: expected ',' or '}'"),
        ("- status: 503\n- name: '1'\n  hold: true", "faults.yaml:2: rule 2: name: rule 1 has"),
        ("- {delay: .nan}", "faults.yaml:1: rule 1: delay: must be seconds, up to 3600"),
        ("- {delay: true}", "faults.yaml:1: rule 1: delay: must be seconds, up to 3600"),
        ("- {status: [503]}", "faults.yaml:1: rule 1: status: must be a status"),
        ("- {path: 2026-99-99, hold: true}", "faults.yaml:1: rule 1: path: must be a glob"),
        ("- {? [a] : 1, hold: true}", "faults.yaml:1: rule 1: "),
        ("- {name: 2, hold: true}\n- status: 1", "faults.yaml:1: rule 1: name: must be letters"),
        ("- &a [*a]", "faults.yaml:1: rule 1: fields and their values"),
        ("[" * 2000, "faults.yaml: "),
        ("\0", "faults.yaml: "),
    ],
)
def test_what_is_no_rule_is_refused(text: str, problem: str) -> None:
    assert problems(text)[0].startswith(problem)


@given(st.text())
def test_any_text_is_rules_or_refused_with_a_problem(text: str) -> None:
    try:
        told = [repr(one) for one in rules(text, "faults.yaml")]
    except RulesError as error:
        told = str(error).splitlines()
    assert all(line.startswith(("Rule(", "faults.yaml")) for line in told)


_ANY = st.builds(
    Rule,
    name=st.from_regex(r"\A[a-z]{1,8}\Z"),
    method=st.sampled_from([None, "GET", "POST"]),
    path=st.text(min_size=1),
    nth=st.none() | st.integers(1, 99),
    times=st.none() | st.integers(1, 99),
    when=st.sampled_from(["before", "after"]),
    delay=st.just(0.0) | st.floats(0.01, 3600),
    status=st.integers(400, 599),
)


@given(_ANY)
def test_a_rule_that_was_written_is_read_as_it_was(one: Rule) -> None:
    assert rules(yaml.safe_dump([one.given()]), "faults.yaml") == (one,)


def test_a_header_holds_one_rule_in_either_notation() -> None:
    assert rule("{status: 503, when: after}", "header") == Rule(status=503, when="after")
    assert rule('{"cut": "fin"}', "header") == Rule(cut="fin")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "header: a rule is expected"),
        ("503", "header: fields and their values are expected"),
        ("{status: 503, nth: 1}", "header: nth: is for rules of a file"),
    ],
)
def test_a_header_that_holds_none_is_refused(text: str, problem: str) -> None:
    with pytest.raises(RulesError, match=problem):
        rule(text, "header")
