"""Policies: etags, conditions, members, and what is left of an account that was deleted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.emulator.errors import ApiError
from jobs.emulator.policies import Policies
from jobs.emulator.principals import Principals
from jobs.emulator.state import State

VIEWER = {"role": "roles/viewer", "members": ["user:ann@example.com"]}
EDITOR = {"role": "roles/editor", "members": ["user:ben@example.com"]}
CONDITION = {"title": "soon over", "expression": 'request.time < timestamp("2027-01-01T00:00:00Z")'}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path)
    yield state
    state.close()


@pytest.fixture
def principals(state: State) -> Principals:
    return Principals(state, {"vertune-local": "0"})


@pytest.fixture
def policies(state: State, principals: Principals) -> Policies:
    return Policies(state, principals)


def test_a_resource_nobody_wrote_a_policy_for_has_an_empty_one(policies: Policies) -> None:
    assert policies.get("projects/p") == {"version": 1, "etag": "ACAB"}


def test_what_was_set_is_read_back_under_a_new_etag(policies: Policies) -> None:
    written = policies.set("projects/p", {"bindings": [VIEWER], "etag": "ACAB"})
    assert written["bindings"] == [VIEWER]
    assert written["etag"] != "ACAB"
    assert policies.get("projects/p") == written


def test_two_writers_with_one_etag_cannot_both_succeed(policies: Policies) -> None:
    policies.set("projects/p", {"bindings": [VIEWER], "etag": "ACAB"})
    with pytest.raises(ApiError, match="concurrent policy changes") as refused:
        policies.set("projects/p", {"bindings": [EDITOR], "etag": "ACAB"})
    assert (refused.value.code, refused.value.status) == (409, "ABORTED")
    assert policies.get("projects/p")["bindings"] == [VIEWER]


def test_a_write_without_an_etag_overwrites(policies: Policies) -> None:
    policies.set("projects/p", {"bindings": [VIEWER]})
    assert "bindings" not in policies.set("projects/p", {"version": 1})


def test_bindings_of_one_role_become_one_and_members_have_no_case(policies: Policies) -> None:
    again = {"role": "roles/viewer", "members": ["user:Ann@Example.com", "domain:b.org"]}
    written = policies.set("projects/p", {"bindings": [VIEWER, again, {"role": "roles/owner"}]})
    assert written["bindings"] == [
        {"role": "roles/viewer", "members": ["domain:b.org", "user:ann@example.com"]}
    ]


def test_a_condition_needs_version_3_to_be_written_and_to_be_seen(policies: Policies) -> None:
    conditional = [VIEWER | {"condition": CONDITION}, VIEWER]
    with pytest.raises(ApiError, match="version 3"):
        policies.set("projects/p", {"bindings": conditional, "version": 1})
    assert policies.set("projects/p", {"bindings": conditional, "version": 3})["version"] == 3
    assert CONDITION in [one.get("condition") for one in policies.get("projects/p", 3)["bindings"]]
    roles = [one["role"] for one in policies.get("projects/p", 1)["bindings"]]
    assert sorted(role.partition("_")[0] for role in roles) == ["roles/viewer", "roles/viewer"]
    assert any("_withcond_" in role for role in roles)


@pytest.mark.parametrize(
    ("binding", "fault"),
    [
        ({"role": "viewer", "members": ["user:a@b.c"]}, "Role viewer is not supported"),
        ({"role": "roles/x_withcond_1", "members": ["user:a@b.c"]}, "is not supported"),
        ({"role": "roles/viewer", "members": ["ann@example.com"]}, "of an unknown type"),
        (
            {
                "role": "roles/viewer",
                "members": ["serviceAccount:gone@vertune-local.iam.gserviceaccount.com"],
            },
            "Service account gone@vertune-local.iam.gserviceaccount.com does not exist.",
        ),
        (
            {
                "role": "roles/viewer",
                "members": ["serviceAccount:service-0@gcp-sa-vertex-tune.iam.gserviceaccount.com"],
            },
            "gcp-sa-vertex-tune.iam.gserviceaccount.com does not exist.",
        ),
    ],
)
def test_a_wrong_binding_is_refused_and_nothing_is_written(
    policies: Policies, binding: dict[str, object], fault: str
) -> None:
    with pytest.raises(ApiError, match=fault) as refused:
        policies.set("projects/p", {"bindings": [VIEWER, binding]})
    assert refused.value.code == 400
    assert policies.get("projects/p")["etag"] == "ACAB"


def test_a_service_agent_can_be_bound_once_it_exists(
    policies: Policies, principals: Principals
) -> None:
    email = principals.agent("0", "gcp-sa-vertex-tune")
    member = f"serviceAccount:{email}"
    policies.set("projects/p", {"bindings": [{"role": "roles/viewer", "members": [member]}]})
    assert policies.get("projects/p")["bindings"][0]["members"] == [member]


def test_accounts_of_projects_outside_the_emulator_are_taken_to_exist(policies: Policies) -> None:
    member = "serviceAccount:ci@elsewhere.iam.gserviceaccount.com"
    policies.set("projects/p", {"bindings": [{"role": "roles/viewer", "members": [member]}]})
    assert policies.get("projects/p")["bindings"][0]["members"] == [member]


def test_audit_settings_are_kept_with_the_policy(policies: Policies) -> None:
    audit = [{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}]
    policies.set("projects/p", {"bindings": [VIEWER], "auditConfigs": audit})
    assert policies.get("projects/p")["auditConfigs"] == audit
