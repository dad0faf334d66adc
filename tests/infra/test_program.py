"""Program: invariants of what it asks Google Cloud for, on every stack of the repository."""

import inspect

import pulumi
import pulumi_gcp
import pytest

from infra.grants import GRANTS, granted
from infra.settings import Settings, check
from jobs.emulator.access import expressions
from jobs.runner import policy
from jobs.runner.errors import VertuneError
from tests.infra.program import ROOT, Deployment, Made, deploy, settings_of

# pulumi-gcp warns of functions of its own when its modules are imported.
pytestmark = [
    pytest.mark.filterwarnings("ignore:gcp.storage.getTransferProjectServieAccount"),
    pytest.mark.filterwarnings("ignore:gcp.monitoring.getSecretVersion"),
]

READS = "roles/storage.objectViewer"
BUCKET = "gcp:storage/bucket:Bucket"
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))


@pytest.fixture(autouse=True)
def empty_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VERTUNE_EMULATOR_URL", raising=False)
    monkeypatch.setattr("jobs.runner.ledger.tuned_models", lambda *where: {})


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "local":
        monkeypatch.setenv("VERTUNE_EMULATOR_URL", "http://127.0.0.1:1")
    return str(request.param)


@pytest.fixture
def deployment(stack: str) -> Deployment:
    return deploy(stack, settings_of(stack))


def read(stack: str) -> Settings:
    url = {"VERTUNE_EMULATOR_URL": "http://127.0.0.1:1"} if stack == "local" else {}
    found, faults = check(settings_of(stack), url)
    assert found, faults
    return found


def grants(deployment: Deployment) -> list[Made]:
    return [one for one in deployment.resources if "role" in one.inputs]


def test_there_are_stacks_to_hold_to_it() -> None:
    assert {"local", "dev", "prod"} <= {*STACKS}


def test_nothing_is_public(deployment: Deployment) -> None:
    bucket = deployment.one(BUCKET).inputs
    assert bucket["publicAccessPrevention"] == "enforced"
    assert bucket["uniformBucketLevelAccess"] is True
    members = [one.inputs["member"] for one in grants(deployment)]
    assert members
    assert [one for one in members if not one.startswith("serviceAccount:")] == []


def test_no_role_is_a_primitive_one_or_an_administrators(deployment: Deployment) -> None:
    roles = [one.inputs["role"].rpartition("/")[2] for one in grants(deployment)]
    assert [one for one in roles if one in ("owner", "editor", "viewer")] == []
    assert [one for one in roles if "admin" in one.lower()] == []


def test_storage_roles_are_granted_in_the_bucket_only(deployment: Deployment) -> None:
    in_projects = deployment.of("gcp:projects/iAMMember:IAMMember")
    assert [one for one in in_projects if "storage" in one.inputs["role"]] == []
    in_buckets = deployment.of("gcp:storage/bucketIAMMember:BucketIAMMember")
    name = deployment.one(BUCKET).inputs["name"]
    assert {one.inputs["bucket"] for one in in_buckets} == {name}


def test_the_planner_can_only_read(deployment: Deployment) -> None:
    email = deployment.outputs["service_accounts"]["planner"]
    roles = [
        one.inputs["role"] for one in grants(deployment) if one.inputs["member"].endswith(email)
    ]
    project = deployment.one(BUCKET).inputs["project"]
    assert roles == [f"projects/{project}/roles/vertunePlanner", "roles/storage.objectViewer"]
    allowed = [one for g in GRANTS if g.account == "planner" for one in g.calls]
    assert {one.rpartition(".")[2] for one in allowed} == {"get", "list", "getIamPolicy"}


def test_a_projects_own_role_holds_what_is_needed_and_nothing_that_grants(
    deployment: Deployment, stack: str
) -> None:
    own = deployment.of("gcp:projects/iAMCustomRole:IAMCustomRole")
    held = [permission for one in own for permission in one.inputs["permissions"]]
    assert sorted(held) == sorted(one for g in granted(read(stack)) if g.custom for one in g.calls)
    assert [one for one in held if "*" in one or "setIamPolicy" in one] == []


def test_examples_can_be_written_but_never_be_changed(deployment: Deployment) -> None:
    email = deployment.outputs["service_accounts"]["tuner"]
    changing = {
        one.inputs["role"]: one.inputs["condition"]["expression"]
        for one in deployment.of("gcp:storage/bucketIAMMember:BucketIAMMember")
        if one.inputs["member"].endswith(email) and one.inputs["role"] != READS
    }
    objects = f"projects/_/buckets/{deployment.outputs['bucket']}/objects"
    variables = {"resource": {"name": f"{objects}/datasets/1/train.jsonl"}}
    counting = [role for role, where in changing.items() if expressions.holds(where, variables)]
    assert counting == ["roles/storage.objectCreator"]
    assert len(changing) == 2


READER = "vertune-tuner@my-project-prod.iam.gserviceaccount.com"


def test_another_stacks_account_may_read_the_ledger_and_nothing_else() -> None:
    config = settings_of("dev") | {"vertune:ledgerReaders": f'["{READER}"]'}
    given = [one for one in grants(deploy("dev", config)) if READER in one.inputs["member"]]
    (only,) = given
    assert (only.inputs["role"], only.inputs["member"]) == (READS, f"serviceAccount:{READER}")
    condition = only.inputs["condition"]["expression"]
    bucket = "projects/_/buckets/my-project-dev-vertune"
    seen = {
        name: expressions.holds(condition, {"resource": {"name": name}, "api": {}})
        for name in (f"{bucket}/objects/ledger/a/1.json", f"{bucket}/objects/claims/1.json", bucket)
    }
    assert list(seen.values()) == [True, False, False]


def test_two_stacks_of_one_project_share_no_account_and_no_role() -> None:
    every = [
        deploy("dev", settings_of("dev") | {"vertune:prefix": prefix, **copies})
        for prefix, copies in (("vertune", {}), ("my-prod", {"vertune:promotesFrom": "dev"}))
    ]
    accounts, roles = (
        [{one.inputs[key] for one in made.of(kind)} for made in every]
        for kind, key in (
            ("gcp:serviceaccount/account:Account", "accountId"),
            ("gcp:projects/iAMCustomRole:IAMCustomRole", "roleId"),
        )
    )
    assert accounts == [{"vertune-tuner", "vertune-planner"}, {"my-prod-tuner", "my-prod-planner"}]
    assert roles[0] == {"vertuneTuner", "vertunePlanner"}
    assert roles[1] == {"my_prodTuner", "my_prodPlanner", "my_prodCopier"}


def test_nobody_else_reads_a_ledger_unless_a_setting_names_them(deployment: Deployment) -> None:
    readers = [one.name for one in grants(deployment) if one.name.startswith("reader")]
    assert readers == []


def test_no_account_has_a_key(deployment: Deployment) -> None:
    assert [one for one in deployment.resources if "key" in one.type.lower()] == []


def test_nothing_is_granted_to_the_agent_that_no_project_has_before_its_first_job(
    deployment: Deployment,
) -> None:
    members = [one.inputs["member"] for one in grants(deployment)]
    assert [one for one in members if "vertex-tune" in one] == []


def test_everything_that_can_have_labels_says_whose_it_is(
    deployment: Deployment, stack: str
) -> None:
    labelled = [one for one in deployment.resources if can_have_labels(one.type)]
    assert BUCKET in {one.type for one in labelled}
    for one in labelled:
        assert one.inputs["labels"].items() >= {"managed-by": "vertune", "stack": stack}.items()


def test_apis_stay_on_when_the_stack_goes(deployment: Deployment) -> None:
    services = deployment.of("gcp:projects/service:Service")
    assert "aiplatform.googleapis.com" in {one.inputs["service"] for one in services}
    assert {one.inputs["disableOnDestroy"] for one in services} == {False}


def test_no_rule_of_the_bucket_can_delete_a_live_object(deployment: Deployment) -> None:
    bucket = deployment.one(BUCKET).inputs
    assert bucket["versioning"] == {"enabled": True}
    deleting = [
        rule["condition"]
        for rule in bucket["lifecycleRules"]
        if rule["action"]["type"] != "AbortIncompleteMultipartUpload"
    ]
    assert deleting
    for condition in deleting:
        assert condition["withState"] == "ARCHIVED"
        assert condition.keys() == {"daysSinceNoncurrentTime", "withState"}


def test_every_name_is_chosen_by_us(deployment: Deployment) -> None:
    assert deployment.one(BUCKET).inputs["name"] == deployment.outputs["bucket"]
    accounts = deployment.of("gcp:serviceaccount/account:Account")
    assert {one.inputs["accountId"] for one in accounts} == {"vertune-tuner", "vertune-planner"}


def test_no_stack_can_be_destroyed_by_accident(deployment: Deployment) -> None:
    bucket = deployment.one(BUCKET)
    assert bucket.protected
    assert bucket.inputs["forceDestroy"] is False


def test_the_outputs_are_what_others_build_on(deployment: Deployment, stack: str) -> None:
    config, outputs = settings_of(stack), deployment.outputs
    assert outputs["bucket"] == config["vertune:bucket"]
    assert outputs["region"] == config["gcp:region"]
    assert outputs["serving_location"] == "us"
    assert outputs["simulated"] is (stack == "local")
    assert outputs["tuned_models"] == {}
    assert set(outputs["service_accounts"]) == {"tuner", "planner"}


def test_what_the_ledger_says_becomes_an_output(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def tuned_models(*where: object) -> dict[str, object]:
        asked.append(where)
        return {"headlines": {"tuned_model": "projects/1/models/2@1"}}

    monkeypatch.setattr("jobs.runner.ledger.tuned_models", tuned_models)
    outputs = deploy("dev", settings_of("dev")).outputs
    assert outputs["tuned_models"] == {"headlines": {"tuned_model": "projects/1/models/2@1"}}
    assert asked == [("my-project-dev-vertune", "my-project-dev", None)]


def test_a_ledger_that_cannot_be_read_stops_the_program_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreadable(*where: object) -> None:
        raise VertuneError("ledger/headlines/a1.json is not of this version")

    monkeypatch.setattr("jobs.runner.ledger.tuned_models", unreadable)
    with pytest.raises(pulumi.RunError, match=r"cannot be read: ledger/headlines/a1\.json is not"):
        deploy("dev", settings_of("dev"))


def test_a_bug_in_reading_it_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*where: object) -> None:
        raise KeyError("state")

    monkeypatch.setattr("jobs.runner.ledger.tuned_models", broken)
    with pytest.raises(KeyError, match="state"):
        deploy("dev", settings_of("dev"))


def test_wrong_settings_are_all_said_before_anything_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = settings_of("dev") | {"vertune:bucket": "UP", "vertune:buckt": "x"}
    with pytest.raises(pulumi.RunError, match=r"(?s)Pulumi.dev.yaml.*vertune:buckt.*'UP' cannot"):
        deploy("dev", config)


def test_the_program_holds_to_the_policy_with_all_that_can_be_turned_on(stack: str) -> None:
    everything = {
        "vertune:github": '{"repositoryId": "12", "ownerId": "34"}',
        "vertune:alertEmail": "team@example.com",
        "vertune:billingAccount": "012345-6789AB-CDEF01",
        "vertune:monthlyUsd": "100",
    }
    made = deploy(stack, settings_of(stack) | everything).resources
    assert len(made) > 30
    asked = [policy.Asked(one.type, one.name, one.inputs, one.protected) for one in made]
    assert policy.check(asked, stack) == []


def can_have_labels(type: str) -> bool:
    package, module, name = type.split(":")
    if package != "gcp":
        return False
    resource = getattr(getattr(pulumi_gcp, module.partition("/")[0]), name)
    return "labels" in inspect.signature(resource._internal_init).parameters
