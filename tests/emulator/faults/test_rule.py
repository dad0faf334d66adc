"""Rules: the requests they match, and the ones among them that they hit."""

from email.message import Message
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.emulator.faults.rule import Rule
from jobs.emulator.wire import Request

_CREATE = "/v1/projects/p/locations/us-central1/tuningJobs"


def request(method: str, path: str, **query: list[str]) -> Request:
    return Request(method, path, query, Message(), BytesIO(), "http://127.0.0.1")


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (Rule(), True),
        (Rule(method="POST"), True),
        (Rule(method="GET"), False),
        (Rule(path="*/tuningJobs"), True),
        (Rule(path="*/tuningjobs"), False),
        (Rule(path="/v1/projects/*/locations/us-?entral1/tuningJobs"), True),
        (Rule(path="/v1/tuningJobs"), False),
        (Rule(query="*alt=json;enum-encoding=int*"), True),
        (Rule(query="alt=media"), False),
        (Rule(method="POST", path="*/tuningJobs", query="*page*"), False),
    ],
)
def test_a_rule_is_for_the_requests_whose_method_path_and_query_it_names(
    rule: Rule, matches: bool
) -> None:
    asked = request("POST", _CREATE, **{"$alt": ["json;enum-encoding=int"]})
    assert rule.matches(asked) == matches


def test_an_escaped_name_is_matched_as_people_write_it() -> None:
    asked = request("GET", "/storage/v1/b/data/o/ledger%2Fa%20b.json")
    assert Rule(path="*/o/ledger/a b.json").matches(asked)


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        (Rule(), [1, 2, 3, 4, 5]),
        (Rule(nth=1), [1]),
        (Rule(nth=3), [3]),
        (Rule(times=2), [1, 2]),
        (Rule(nth=2, times=3), [2, 3, 4]),
        (Rule(nth=6), []),
    ],
)
def test_it_hits_as_many_from_the_nth_on_as_it_says(rule: Rule, hit: list[int]) -> None:
    assert [number for number in range(1, 6) if rule.due(number)] == hit


@given(nth=st.integers(1, 20), times=st.integers(1, 20))
def test_it_hits_exactly_so_many_times(nth: int, times: int) -> None:
    assert sum(Rule(nth=nth, times=times).due(number) for number in range(1, 50)) == times


def test_what_was_left_out_is_not_said() -> None:
    assert Rule(name="a", nth=2, hold=True).given() == {"name": "a", "nth": 2, "hold": True}
