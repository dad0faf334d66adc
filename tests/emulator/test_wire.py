"""Requests, routes and the router."""

from email.message import Message
from io import BytesIO

import pytest

from jobs.emulator.errors import ApiError
from jobs.emulator.wire import Answer, Request, Route, Router


def _request(path: str, method: str = "GET", body: bytes = b"", **query: list[str]) -> Request:
    return Request(method, path, query, Message(), BytesIO(body), "http://127.0.0.1")


def _params(request: Request) -> Answer:
    return dict(request.params)


def _found(path: str, *patterns: str) -> Answer:
    router = Router([Route("GET", pattern, _params) for pattern in patterns])
    found = router.find(_request(path))
    return found[0](found[1]) if found else None


def test_a_hole_is_one_segment() -> None:
    assert _found("/b/one", "/b/{name}") == {"name": "one"}
    assert _found("/b/one/two", "/b/{name}") is None
    assert _found("/b/", "/b/{name}") is None


def test_an_escaped_slash_stays_inside_its_segment() -> None:
    assert _found("/b/a%2Fb/o", "/b/{name}/o") == {"name": "a/b"}


def test_a_starred_hole_is_all_the_rest() -> None:
    assert _found("/b/a//b", "/b/{name*}") == {"name": "a//b"}


def test_a_hole_ends_before_a_verb() -> None:
    assert _found("/p/x:get", "/p/{name}:get", "/p/{name}") == {"name": "x"}


def test_the_first_route_that_fits_answers() -> None:
    assert _found("/b/fixed", "/b/fixed", "/b/{name}") == {}
    assert _found("/b/fixed", "/b/{name}", "/b/fixed") == {"name": "fixed"}


def test_a_route_is_of_one_method() -> None:
    router = Router([Route("GET", "/b", _params)])
    assert router.find(_request("/b", "POST")) is None


def test_a_dot_in_a_pattern_is_a_dot() -> None:
    assert _found("/v1xb", "/v1.b") is None


@pytest.mark.parametrize(("value", "flag"), [("True", True), ("true", True), ("1", False)])
def test_a_flag_is_true_as_python_and_go_spell_it(value: str, flag: bool) -> None:
    assert _request("/", versions=[value]).flag("versions") is flag


def test_an_empty_body_is_an_empty_object() -> None:
    assert _request("/", body=b" \n").json() == {}


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b"\xff", b'"x"', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        _request("/", body=body).json()
    assert refused.value.code == 400
