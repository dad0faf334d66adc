"""Infrastructure: the program under the genuine engine, on the emulator, from first up to destroy.

One life of the stack is lived once, and each test looks at one stage of it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from jobs.emulator.emulator import Emulator
from tests.end_to_end.pulumi import Pulumi, Ran

BUCKET = "/storage/v1/b/vertune-local"
ACCOUNTS = "/v1/projects/vertune-local/serviceAccounts"
PLANNER = f"{ACCOUNTS}/vertune-planner@vertune-local.iam.gserviceaccount.com"
TUNER = "vertune-tuner@vertune-local.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{TUNER}"
ROLE = "projects/vertune-local/roles/vertuneTuner"
EXISTING = [
    ("gcp:storage/bucket:Bucket", "tuning", "vertune-local"),
    ("gcp:serviceaccount/account:Account", "tuner", f"{ACCOUNTS[4:]}/{TUNER}"),
    ("gcp:projects/iAMCustomRole:IAMCustomRole", "tuner-role", ROLE),
    ("gcp:projects/iAMMember:IAMMember", "tuner-vertex", f"vertune-local {ROLE} {MEMBER}"),
    (
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        "tuner-reads",
        f"b/vertune-local roles/storage.objectViewer {MEMBER}",
    ),
    ("gcp:projects/service:Service", "iam", "vertune-local/iam.googleapis.com"),
]


@dataclass(frozen=True)
class Life:
    first: Ran
    outputs: Ran
    unchanged: Ran
    relabelled: Ran
    found: Ran
    repaired: Ran
    repaired_for_good: Ran
    imported: Ran
    imported_as_it_is: Ran
    imported_state: Ran
    refused: Ran
    kept: list[int]
    allowed: Ran
    destroyed: Ran
    left: dict[str, object]
    labels: list[dict[str, str]]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("life")
    with Emulator(folder / "emulator", trainer="nearest") as emulator:
        yield _lived(emulator.url, folder)


def _lived(url: str, folder: Path) -> Life:
    pulumi = Pulumi(url, folder / "stack")
    first = pulumi.up()
    outputs = pulumi("stack", "output", "--json", settings=False)
    unchanged = pulumi("preview", "--expect-no-changes")
    pulumi("config", "set", "--path", "vertune:labels.team", "search")
    relabelled = pulumi.up()
    labels = [requests.get(url + BUCKET, timeout=10).json()["labels"]]
    _change_behind_its_back(url)
    found = pulumi("refresh", "--yes", "--skip-preview", "--suppress-progress")
    repaired = pulumi.up()
    labels.append(requests.get(url + BUCKET, timeout=10).json()["labels"])
    repaired_for_good = pulumi("preview", "--expect-no-changes")
    _upload(url)

    other = Pulumi(url, folder / "other")
    wanted = [{"type": type, "name": name, "id": id} for type, name, id in EXISTING]
    (folder / "import.json").write_text(json.dumps({"resources": wanted}), "utf-8")
    imported = other(
        *("import", "--file", str(folder / "import.json")),
        *("--yes", "--skip-preview", "--generate-code=false", "--suppress-progress"),
    )
    as_it_is = other("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    state = other("stack", "export", settings=False)

    refused = pulumi("destroy", "--yes", "--skip-preview", "--suppress-progress")
    kept = [requests.get(url + path, timeout=10).status_code for path in (BUCKET, PLANNER)]
    pulumi("config", "set", "vertune:deletionProtection", "false")
    allowed = pulumi.up()
    destroyed = pulumi("destroy", "--yes", "--skip-preview", "--suppress-progress")
    return Life(
        *(first, outputs, unchanged, relabelled, found, repaired, repaired_for_good),
        *(imported, as_it_is, state, refused, kept, allowed, destroyed),
        _left(url),
        labels,
    )


def _change_behind_its_back(url: str) -> None:
    changed = {"labels": {"managed-by": "somebody", "own": "label"}}
    requests.patch(url + BUCKET, json=changed, timeout=10).raise_for_status()
    requests.delete(url + PLANNER, timeout=10).raise_for_status()


def _upload(url: str) -> None:
    upload = f"{url}/upload{BUCKET}/o?uploadType=media&name=datasets/x.jsonl"
    for content in ("first", "second"):
        requests.post(upload, data=content, timeout=10).raise_for_status()


def _left(url: str) -> dict[str, object]:
    def get(path: str) -> dict[str, object]:
        return dict(requests.get(url + path, timeout=10).json())

    policy = requests.post(f"{url}/v1/projects/vertune-local:getIamPolicy", json={}, timeout=10)
    members = [one for binding in policy.json().get("bindings", []) for one in binding["members"]]
    return {
        "buckets": get("/storage/v1/b?project=vertune-local").get("items", []),
        "accounts": get(ACCOUNTS)["accounts"],
        # What an account had that was deleted behind Pulumi's back stays marked, in the cloud too.
        "members": [one for one in members if not one.startswith("deleted:")],
        "roles": get("/v1/projects/vertune-local/roles")["roles"],
        "services": get("/v1/projects/vertune-local/services?filter=state:ENABLED")["services"],
    }


def test_the_first_up_makes_everything(life: Life) -> None:
    assert life.first.code == 0, life.first.text
    assert life.first.counts == {"created": 24}


def test_the_outputs_say_where_things_are(life: Life) -> None:
    outputs = json.loads(life.outputs.text)
    assert outputs == {
        "bucket": "vertune-local",
        "region": "us-central1",
        "serving_location": "us",
        "service_accounts": {"tuner": TUNER, "planner": TUNER.replace("tuner", "planner", 1)},
        "guardrails": {
            "alerts": "off: set vertune:alertEmail",
            "budget": "off: set vertune:billingAccount and vertune:monthlyUsd",
        },
        "simulated": True,
        "tuned_models": {},
    }


def test_a_preview_right_after_finds_nothing_to_do(life: Life) -> None:
    assert life.unchanged.code == 0, life.unchanged.text


def test_a_new_label_is_one_update_and_no_more(life: Life) -> None:
    assert life.relabelled.counts == {"updated": 1, "unchanged": 23}, life.relabelled.text
    assert life.labels[0]["team"] == "search"


def test_a_refresh_finds_what_was_changed_behind_its_back(life: Life) -> None:
    # The bucket's label; and the account that is gone, with the two roles it had.
    assert life.found.counts == {"updated": 1, "deleted": 3, "unchanged": 20}, life.found.text


def test_an_up_repairs_it_and_leaves_others_labels_alone(life: Life) -> None:
    assert life.repaired.counts == {"created": 3, "updated": 1, "unchanged": 20}, life.repaired.text
    assert life.labels[1]["managed-by"] == "vertune"
    assert life.labels[1]["own"] == "label"
    assert life.repaired_for_good.code == 0, life.repaired_for_good.text


def test_what_exists_is_taken_over_as_it_is(life: Life) -> None:
    assert life.imported.code == 0, life.imported.text
    assert life.imported.counts["imported"] == len(EXISTING)
    assert life.imported_as_it_is.code == 0, life.imported_as_it_is.text
    state = json.loads(life.imported_state.text)["deployment"]["resources"]
    taken = {one["type"]: one["inputs"] for one in state if one.get("custom")}
    assert taken["gcp:storage/bucket:Bucket"]["labels"]["team"] == "search"
    assert taken["gcp:storage/bucketIAMMember:BucketIAMMember"] == {
        "bucket": "vertune-local",
        "role": "roles/storage.objectViewer",
        "member": MEMBER,
    }


def test_destroy_is_refused_before_anything_is_deleted(life: Life) -> None:
    assert life.refused.code != 0
    assert "cannot be deleted" in life.refused.text
    assert "protected" in life.refused.text
    assert "deleted" not in life.refused.counts
    assert life.kept == [200, 200]


def test_destroy_is_allowed_by_a_setting(life: Life) -> None:
    assert life.allowed.code == 0, life.allowed.text
    assert "created" not in life.allowed.counts  # all was still there


def test_destroy_leaves_nothing_but_the_apis_switched_on(life: Life) -> None:
    assert life.destroyed.code == 0, life.destroyed.text
    assert life.destroyed.counts == {"deleted": 24}
    services = life.left["services"]
    assert isinstance(services, list)
    assert len(services) == 6
    nothing: dict[str, object] = {"buckets": [], "accounts": [], "members": [], "roles": []}
    assert life.left == nothing | {"services": services}
