"""Privileges: every command works with its account's roles, and needs each one of them.

The stack is provisioned by the program once; then the commands run as the accounts it made.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
import requests
from click.testing import Result

from infra.grants import GRANTS, Grant
from jobs.runner import remote
from jobs.runner.commands import Place
from tests.conftest import SPEC, STACK_SETTINGS, laid_out
from tests.emulator.wire import Wire
from tests.end_to_end.world import World
from tests.runner.commands.calls import vertune

PROJECT = "/v1/projects/vertune-local"
BUCKET = "/storage/v1/b/vertune-local"
EMAIL = "vertune-{}@vertune-local.iam.gserviceaccount.com"
# A second stack in the same project promotes from the first: its accounts read the ledger.
PROD = "prod-{}@vertune-local.iam.gserviceaccount.com"
OF_PROD = {"reader-ledger": "planner", "tuner-copies": "tuner"}
COPIED = ("copied", "not-copied")
BY_NAME = {grant.name: grant for grant in GRANTS}
_numbers = count()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World.make(laid_out(tmp_path_factory.mktemp("privileges") / "repository"))
    try:
        made.start()
        made.provision()
        _promoting(made)
        for name in ("one", *COPIED):
            made.repository.job(name)
        for name in COPIED:
            made.repository.spec(name, SPEC.format(name=name) + "promotion: copy\n")
        made.environment[remote.IMPERSONATE] = EMAIL.format("tuner")
        made.done("vertune", "apply", "--yes")
        yield made
    finally:
        made.close()


def _promoting(world: World) -> None:
    text = STACK_SETTINGS.replace("bucket: vertune-local", "bucket: vertune-local-prod")
    text += "  vertune:promotesFrom: local\n  vertune:prefix: prod\n"
    (world.repository.root / "Pulumi.prod.yaml").write_text(text, "utf-8")
    world.done("pulumi", "stack", "init", "prod")
    world.done("pulumi", "up", "--stack", "prod", "--yes", "--skip-preview")
    for place, who in enumerate(("planner", "tuner")):
        key = f"vertune:ledgerReaders[{place}]"
        world.done("pulumi", "config", "set", "-s", "local", "--path", key, PROD.format(who))
    world.done("pulumi", "up", "--stack", "local", "--yes", "--skip-preview")


def email_of(grant: Grant) -> str:
    of_prod = OF_PROD.get(grant.name)
    return PROD.format(of_prod) if of_prod else EMAIL.format(grant.account)


@contextmanager
def acting_as(email: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(remote.IMPERSONATE, email)
        yield


@contextmanager
def without(world: World, grant: Grant) -> Iterator[None]:
    """The grant taken out of the policy it is in, and put back."""
    url = world.server()["url"]
    path = f"{BUCKET}/iam" if grant.in_bucket else PROJECT
    policy = _policy(url, path)
    member = f"serviceAccount:{email_of(grant)}"
    prefix = "prod" if grant.name in OF_PROD else "vertune"
    role = f"{PROJECT[4:]}/roles/{prefix}{grant.role}" if grant.custom else grant.role
    left = [
        {**one, "members": [each for each in one["members"] if each != member]}
        if one["role"] == role
        else one
        for one in policy["bindings"]
    ]
    assert left != policy["bindings"]
    _write(url, path, left)
    try:
        yield
    finally:
        _write(url, path, policy["bindings"])


def _policy(url: str, path: str) -> dict[str, Any]:
    options = {"options": {"requestedPolicyVersion": 3}}
    answer = (
        requests.get(f"{url}{path}?optionsRequestedPolicyVersion=3", timeout=10)
        if path.endswith("/iam")
        else requests.post(f"{url}{path}:getIamPolicy", json=options, timeout=10)
    )
    return dict(answer.json())


def _write(url: str, path: str, bindings: list[dict[str, Any]]) -> None:
    policy: Any = {"version": 3, "bindings": bindings}
    answer = (
        requests.put(url + path, json=policy, timeout=10)
        if path.endswith("/iam")
        else requests.post(f"{url}{path}:setIamPolicy", json={"policy": policy}, timeout=10)
    )
    answer.raise_for_status()


def run(world: World, command: str, stack: str = "local") -> Result:
    """In this process, on a new spec where the command is to apply one and names none."""
    words = command.split()
    if words[0] in ("apply", "plan") and "--select" not in words:
        name = f"spec-{next(_numbers)}"
        world.repository.job(name)
        words += ["--select", name]
    return vertune(world.repository, *words, stack=stack)


def test_the_tuner_tunes_evaluates_and_records(world: World) -> None:
    output = world.outputs()["tuned_models"]["one"]
    assert output["score"]["tuned"] == 1.0
    assert json.loads(world.done("vertune", "record", "-o", "json"))["one"] == output
    assert Place("local", world.repository.root).ledger.recorded()["one"].aliased


@pytest.mark.parametrize(
    "command",
    [
        "check",
        "plan --exact",
        "status",
        "cost",
        "models --live",
        "predict one match",
        "evaluate one",
        "promote one",
        "record",
    ],
)
def test_the_tuner_needs_nothing_more(world: World, command: str) -> None:
    with acting_as(EMAIL.format("tuner")):
        result = run(world, command)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("command", ["check", "plan", "status", "cost"])
def test_the_planner_needs_nothing_more(world: World, command: str) -> None:
    with acting_as(EMAIL.format("planner")):
        result = run(world, command)
    assert result.exit_code == 0, result.output


def test_the_planner_looks_for_drift(world: World) -> None:
    with acting_as(EMAIL.format("planner")):
        result = run(world, "drift")
    assert result.exit_code in (0, 3), result.output  # whatever drifted, it was all read


NEEDED = [
    ("planner-reads", "plan", "storage.objects.list"),
    ("planner-vertex", "drift", "aiplatform.tuningJobs.list"),
    ("planner-reads", "status", "storage.objects.list"),
    ("tuner-reads", "apply --yes", "storage.objects.list"),
    ("tuner-reads", "status", "storage.objects.list"),
    ("tuner-reads", "evaluate one", "storage.objects.list"),
    ("tuner-reads", "predict one match", "storage.objects.list"),
    ("tuner-uploads", "apply --yes", "storage.objects.create"),
    ("tuner-ledger", "apply --yes", "storage.objects.create"),
    ("tuner-vertex", "apply --yes", "aiplatform.tuningJobs.list"),
    ("tuner-vertex", "promote one", "aiplatform.models.get"),
    ("tuner-vertex", "evaluate one", "aiplatform.endpoints.predict"),
    ("tuner-vertex", "plan --exact", "aiplatform.endpoints.predict"),
    ("tuner-vertex", "predict one match", "aiplatform.endpoints.predict"),
    ("reader-ledger", "plan", "storage.objects.list"),
    ("reader-ledger", "compare local prod", "storage.objects.list"),
    ("tuner-copies", "apply --yes --select not-copied", "aiplatform.models.upload"),
]


def test_every_grant_of_an_account_is_needed_by_some_command() -> None:
    # The cloud gives its own agent a role of its own; what we add only counts without that.
    # Those of a stack with a key of its own are taken away one by one in test_encryption.
    ours = [one for one in GRANTS if one.account != "agent" and one.if_set != "kmsKey"]
    assert {name for name, *_ in NEEDED} == {one.name for one in ours}


@pytest.mark.parametrize(("name", "command", "permission"), NEEDED)
def test_a_command_fails_cleanly_without_any_one_of_its_roles(
    world: World, name: str, command: str, permission: str
) -> None:
    grant = BY_NAME[name]
    email, stack = email_of(grant), "prod" if name in OF_PROD else "local"
    with acting_as(email), without(world, grant):
        result = run(world, command, stack)
    assert result.exit_code == 1, result.output
    assert permission in result.output
    assert email in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("command", "permission"),
    [
        ("apply --yes", "storage.objects.create"),
        ("promote one", "storage.objects.update"),
        ("predict one match", "aiplatform.endpoints.predict"),
        ("evaluate one", "aiplatform.endpoints.predict"),
    ],
)
def test_the_planner_cannot_act(world: World, command: str, permission: str) -> None:
    with acting_as(EMAIL.format("planner")):
        result = run(world, command)
    assert result.exit_code == 1, result.output
    assert permission in result.output
    assert EMAIL.format("planner") in result.output


@pytest.mark.parametrize(
    ("name", "planned"),
    [("one", "the same tuning in local: accuracy 1.000"), ("copied", "^ copy copied: copies")],
)
def test_production_promotes_what_has_passed_with_no_more_than_its_own_roles(
    world: World, name: str, planned: str
) -> None:
    words = ("--select", name)
    with acting_as(PROD.format("planner")):
        result = vertune(world.repository, "plan", *words, stack="prod")
    assert planned in result.stdout, result.output
    with acting_as(PROD.format("tuner")):
        applied = vertune(world.repository, "apply", "--yes", *words, stack="prod")
        compared = vertune(world.repository, "compare", "local", "prod", "-o", "json")
    assert applied.exit_code == 0, applied.output
    assert [one["same"] for one in json.loads(compared.stdout) if one["name"] == name] == [True]


@pytest.mark.parametrize(
    ("path", "permission"),
    [("?prefix=datasets/", "storage.objects.list"), ("/owner.json", "storage.objects.get")],
)
def test_a_reader_of_the_ledger_reads_nothing_else(
    world: World, path: str, permission: str
) -> None:
    owner = Wire(world.server()["url"])
    reader = owner.impersonating(PROD.format("planner"))
    assert reader.call("GET", f"{BUCKET}/o?prefix=ledger/")["items"]
    status, message = reader.refused("GET", f"{BUCKET}/o{path}")
    assert (status, permission in message) == (403, True)


def test_a_stack_that_may_not_read_the_ledger_it_promotes_from_says_what_to_set(
    world: World,
) -> None:
    with acting_as(PROD.format("planner")), without(world, BY_NAME["reader-ledger"]):
        result = run(world, "plan", "prod")
    assert "must be named by vertune:ledgerReaders of stack local" in result.stderr


def test_what_was_made_holds_to_the_policy(world: World) -> None:
    result = vertune(world.repository, "doctor", "--policy", "-o", "json")
    assert result.exit_code == 0, result.output
    body = json.loads(result.stdout)
    assert body["violations"] == []
    assert body["resources"] > 15


def test_an_account_that_is_not_there_is_said(world: World) -> None:
    with acting_as(EMAIL.format("nobody")):
        result = run(world, "status")
    assert result.exit_code == 1
    assert f"may not take the place of {EMAIL.format('nobody')}" in result.output
