"""Calls: each is refused without any one of its permissions, and let through with them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.emulator.access import calls
from jobs.emulator.access.roles import table
from jobs.emulator.emulator import Emulator
from tests.emulator.access.world import EMAIL, World

_NAMES = {
    "project": "vertune-local",
    "account": EMAIL,
    "bucket": "b-1",
    "location": "us-central1",
    "service": "iam.googleapis.com",
}
_VERSIONS = {
    ":generateServiceIdentity": "/v1beta1",
    "/notificationChannels": "/v3",
    "/alertPolicies": "/v3",
}


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """For calls that are refused, which change nothing."""
    with Emulator(tmp_path_factory.mktemp("calls"), trainer="nearest") as running:
        yield World.made_on(running.url)


def test_every_route_is_entered_and_every_entry_has_a_route(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, trainer="nearest")
    emulator.close()
    assert {calls.entry(one) for one in emulator.routes} == calls.entries()


def test_predefined_roles_hold_only_what_calls_need() -> None:
    held = set[str]().union(*table().values())
    assert held <= calls.permissions()
    assert len(held) > 50


def address(entry: str) -> tuple[str, str]:
    """A call of the entry's kind; that what it names is missing does not matter."""
    method, pattern = entry.split(" ")
    path = re.sub(r"\{(\w+)\*?\}", lambda hole: _NAMES.get(hole[1], "missing"), pattern)
    if path.startswith(("/projects", "/operations", "/token", "/billingAccounts")):
        path = next((v for part, v in _VERSIONS.items() if part in path), "/v1") + path
    return method, f"{path}?project=vertune-local" if path == "/storage/v1/b" else path


GUARDED = sorted(one for one in calls.entries() if calls.of(one))


@pytest.mark.parametrize("entry", GUARDED)
def test_a_call_is_refused_without_any_one_of_its_permissions(lasting: World, entry: str) -> None:
    needed, (method, path) = calls.of(entry) or (), address(entry)
    for missing in needed:
        lasting.give(sorted(calls.permissions() - {missing}))
        status, answer = lasting.worker.ask(method, path, {})
        assert status == 403, answer
        assert f"ermission '{missing}' denied on resource" in answer["error"]["message"]


@pytest.mark.parametrize("entry", sorted(calls.entries()))
def test_a_call_is_let_through_with_its_permissions_alone(world: World, entry: str) -> None:
    asked = calls.ASKED_BY_HANDLERS if calls.of(entry) == calls.OPEN else ()
    world.give([*(calls.of(entry) or ()), *asked])
    method, path = address(entry)
    assert world.worker.ask(method, path, {})[0] != 403
