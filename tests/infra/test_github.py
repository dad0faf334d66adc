"""GitHub: which workflow may do what, as the very expressions decide that are given to Google."""

import pytest

from infra.github import GitHub
from jobs.emulator.access import expressions

OURS = {"repository_id": "12", "repository_owner_id": "34", "sub": "repo:o/r:x"}
MAIN = OURS | {"ref": "refs/heads/main", "ref_protected": "true", "event_name": "push"}
PULL = OURS | {"ref": "refs/pull/7/merge", "ref_protected": "false", "event_name": "pull_request"}
NUMBERS = {"repositoryId": "12", "ownerId": "34"}
BY_BRANCH = GitHub.model_validate(NUMBERS)
BY_ENVIRONMENT = GitHub.model_validate({**NUMBERS, "environment": "prod"})


def may(github: GitHub, claims: dict[str, str]) -> object:
    assert expressions.holds(github.condition, {"assertion": claims})
    return expressions.value(github.mapping["attribute.may"], {"assertion": claims})


@pytest.mark.parametrize(
    "other",
    [
        {"repository_id": "13"},
        {"repository_owner_id": "35"},
        {"repository_id": "", "repository": "o/r"},
    ],
)
def test_no_other_repository_gets_in_whatever_it_is_called(other: dict[str, str]) -> None:
    assert not expressions.holds(BY_BRANCH.condition, {"assertion": MAIN | other})


@pytest.mark.parametrize("github", [BY_BRANCH, BY_ENVIRONMENT])
def test_a_pull_request_may_plan_and_no_more(github: GitHub) -> None:
    assert may(github, PULL) == "plan"
    assert may(github, PULL | {"environment": "prod"}) == "plan"


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch"])
def test_the_protected_branch_may_tune(event: str) -> None:
    assert may(BY_BRANCH, MAIN | {"event_name": event}) == "tune"


@pytest.mark.parametrize(
    "other",
    [
        {"ref": "refs/heads/feature"},
        {"ref": "refs/tags/main"},
        {"ref_protected": "false"},
        {"event_name": "pull_request_target"},
        {"event_name": "issue_comment"},
    ],
)
def test_nothing_else_may_do_anything(other: dict[str, str]) -> None:
    assert may(BY_BRANCH, MAIN | other) == "nothing"


def test_where_an_environment_is_named_only_that_may_tune() -> None:
    assert may(BY_ENVIRONMENT, MAIN) == "nothing"
    assert may(BY_ENVIRONMENT, MAIN | {"environment": "dev"}) == "nothing"
    assert may(BY_ENVIRONMENT, MAIN | {"environment": "prod"}) == "tune"
    target = {"environment": "prod", "event_name": "pull_request_target"}
    assert may(BY_ENVIRONMENT, MAIN | target) == "nothing"
