"""Delivery: invariants of who may act as which account, on the real program under mocks."""

import pytest

from tests.infra.program import Deployment, deploy, settings_of

pytestmark = pytest.mark.filterwarnings("ignore:gcp.storage.getTransferProjectServieAccount")

POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
SET = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/vertune"


@pytest.fixture(autouse=True)
def empty_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VERTUNE_EMULATOR_URL", raising=False)
    monkeypatch.setattr("jobs.runner.ledger.tuned_models", lambda *where: {})


@pytest.fixture
def deployment() -> Deployment:
    github = '{"repositoryId": "12", "ownerId": "34"}'
    return deploy("dev", settings_of("dev") | {"vertune:github": github})


def test_without_the_setting_nothing_is_made() -> None:
    made = deploy("dev", settings_of("dev"))
    assert [one for one in made.resources if one.type in (POOL, PROVIDER, MEMBER)] == []
    assert "workload_identity_provider" not in made.outputs
    services = {one.inputs["service"] for one in made.of("gcp:projects/service:Service")}
    assert "sts.googleapis.com" not in services


def test_tokens_are_taken_by_the_numbers_of_repository_and_owner(deployment: Deployment) -> None:
    provider = deployment.one(PROVIDER).inputs
    assert provider["oidc"] == {"issuerUri": "https://token.actions.githubusercontent.com"}
    assert provider["attributeCondition"] == (
        "assertion.repository_id == '12' && assertion.repository_owner_id == '34'"
    )
    services = {one.inputs["service"] for one in deployment.of("gcp:projects/service:Service")}
    assert "sts.googleapis.com" in services


def test_pull_requests_act_as_the_planner_and_only_the_branch_as_the_tuner(
    deployment: Deployment,
) -> None:
    grants = {
        (one.inputs["serviceAccountId"].rpartition("/")[2].partition("@")[0], one.inputs["member"])
        for one in deployment.of(MEMBER)
    }
    assert grants == {
        ("vertune-planner", f"{SET}/attribute.may/plan"),
        ("vertune-planner", f"{SET}/attribute.may/tune"),
        ("vertune-tuner", f"{SET}/attribute.may/tune"),
    }


def test_a_pipeline_has_no_role_of_its_own_but_to_act_as_an_account(deployment: Deployment) -> None:
    outside = [
        (one.type, one.inputs["role"])
        for one in deployment.resources
        if not str(one.inputs.get("member", "serviceAccount:")).startswith("serviceAccount:")
    ]
    assert outside == [(MEMBER, "roles/iam.workloadIdentityUser")] * 3
