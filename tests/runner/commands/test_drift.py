"""`vertune drift` over the wire: what was changed behind the ledger's back, found and repaired."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from jobs.emulator.emulator import Emulator
from jobs.runner.entry import Entry
from jobs.runner.pointer import ALIAS
from tests.conftest import Repository
from tests.runner.commands.calls import vertune
from tests.runner.tuned import applied, entries, place_of, planned

US = "projects/vertune-local/locations/us"


@pytest.fixture
def tuned(provisioned: Repository) -> Repository:
    """With one tuning that is served."""
    provisioned.job("one")
    place = place_of(provisioned)
    applied(place)
    (entry,) = entries(place, "one")
    model = place.registry.model(str(entry.tuned_model))
    assert model is not None
    place.registry.give(model, ALIAS)
    return provisioned


def the_entry(repository: Repository) -> Entry:
    (entry,) = entries(place_of(repository), "one")
    return entry


def path(entry: Entry) -> str:
    return f"ledger/{entry.name}/{entry.fingerprint}.json"


def differences(repository: Repository, *words: str) -> dict[str, dict[str, Any]]:
    """By kind, as -o json prints them; the exit code tells whether there are any."""
    result = vertune(repository, "drift", "-o", "json", *words)
    found = json.loads(result.stdout)
    assert result.exit_code == (3 if found else 0), result.output
    assert {tuple(one) for one in found} <= {
        ("kind", "name", "resource", "what", "means", "advice")
    }
    return {one["kind"]: one for one in found}


def jobs(repository: Repository) -> int:
    return len(place_of(repository).vertex.jobs({}))


def call(emulator: Emulator, method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(method, f"{emulator.url}/v1/{path}", json=body, timeout=20)
    answer.raise_for_status()
    return answer.json()


def undeploy(emulator: Emulator, entry: Entry) -> None:
    for one in call(emulator, "GET", f"{US}/endpoints")["endpoints"]:
        for deployed in one.get("deployedModels", ()):
            body = {"deployedModelId": deployed["id"]}
            call(emulator, "POST", f"{one['name']}:undeployModel", body)


def delete_model(emulator: Emulator, entry: Entry) -> None:
    undeploy(emulator, entry)
    call(emulator, "DELETE", str(entry.tuned_model).partition("@")[0])


def delete_endpoint(emulator: Emulator, entry: Entry) -> None:
    undeploy(emulator, entry)
    call(emulator, "DELETE", str(entry.endpoint))


def relabel(emulator: Emulator, entry: Entry) -> None:
    name = str(entry.tuned_model).partition("@")[0]
    call(emulator, "PATCH", f"{name}?updateMask=labels", {"labels": {"vertune-spec": "two"}})


def move_alias(emulator: Emulator, entry: Entry) -> None:
    body = {"versionAliases": [f"-{ALIAS}"]}
    call(emulator, "POST", f"{entry.tuned_model}:mergeVersionAliases", body)


def test_what_is_as_it_is_recorded_has_not_drifted(tuned: Repository) -> None:
    result = vertune(tuned, "drift")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "No drift: 1 tuning recorded, everything as it is recorded.\n"
    assert differences(tuned) == {}


def test_where_nothing_was_ever_done_nothing_has_drifted(provisioned: Repository) -> None:
    assert differences(provisioned) == {}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (delete_model, "tuned model missing"),
        (undeploy, "undeployed"),
        (delete_endpoint, "endpoint missing"),
        (relabel, "labels changed"),
        (move_alias, "alias moved"),
    ],
)
def test_what_somebody_changed_at_the_service_is_found(
    tuned: Repository,
    emulator: Emulator,
    change: Callable[[Emulator, Entry], None],
    kind: str,
) -> None:
    change(emulator, the_entry(tuned))
    (found,) = differences(tuned).items()
    assert found[0] == kind
    assert found[1]["name"] == "one"
    text = vertune(tuned, "drift").stdout
    assert text.startswith(f"one: {kind}\n")
    assert found[1]["advice"] in text
    assert f"| one | {kind} |" in vertune(tuned, "drift", "-o", "markdown").stdout


def test_drift_changes_nothing(tuned: Repository, emulator: Emulator) -> None:
    delete_model(emulator, the_entry(tuned))
    place_of(tuned).bucket.blob("ledger/junk.json").upload_from_string("{")
    emulator.faults.write(
        "".join(
            f"- {{name: {method}, method: {method}, status: 403}}\n"
            for method in ("POST", "PUT", "PATCH", "DELETE")
        ),
        "rules",
    )
    assert set(differences(tuned)) == {"tuned model missing", "ledger object unreadable"}
    assert {rule["hits"] for rule in emulator.faults.listed()} == {0}


def test_a_lost_entry_is_proved_by_its_job_and_apply_rebuilds_it(tuned: Repository) -> None:
    before = the_entry(tuned)
    place_of(tuned).bucket.blob(path(before)).delete()
    found = differences(tuned)
    assert set(found) == {"ledger entry lost", "served entry lost"}
    assert found["ledger entry lost"]["resource"] == before.job
    assert "`vertune apply` finds it" in found["ledger entry lost"]["advice"]

    applied(place_of(tuned))

    assert jobs(tuned) == 1
    after = the_entry(tuned)
    assert (after.job, after.tuned_model, after.state) == (
        before.job,
        before.tuned_model,
        "succeeded",
    )
    assert place_of(tuned).ledger.recorded()["one"].active == before.fingerprint
    assert not planned(place_of(tuned))
    assert differences(tuned) == {}


def test_a_job_that_is_gone_while_it_was_under_way_is_recorded_as_failed(
    tuned: Repository,
) -> None:
    place, entry = place_of(tuned), the_entry(tuned)
    read = place.ledger.read("one", entry.fingerprint)
    assert read is not None
    gone = str(entry.job).rpartition("/")[0] + "/local-404"
    lost = {"state": "submitted", "job": gone, "tuned_model": None, "score": None}
    long_ago = {"leased": "2026-01-01T00:00:00+00:00"}  # a young job may not be known everywhere
    place.ledger.update(read[0].model_copy(update=lost | long_ago), read[1])
    assert differences(tuned)["job missing"]["resource"] == gone

    assert vertune(tuned, "apply", "--yes").exit_code == 1

    assert the_entry(tuned).state == "failed"
    assert "job missing" not in differences(tuned)


@pytest.mark.parametrize("change", [delete_model, delete_endpoint])
def test_what_is_gone_is_tuned_again_once_a_person_asks(
    tuned: Repository, emulator: Emulator, change: Callable[[Emulator, Entry], None]
) -> None:
    before = the_entry(tuned)
    change(emulator, before)
    assert not planned(place_of(tuned))
    (found,) = differences(tuned).values()
    assert "`vertune apply --retry one`" in found["advice"]
    said = vertune(tuned, "plan", "--retry", "one").stdout
    assert "+ submit one: once more, as it was asked for; failed before" in said
    assert the_entry(tuned) == before

    vertune(tuned, "apply", "--yes", "--retry", "one")

    after = the_entry(tuned)
    assert (after.state, after.previous) == ("succeeded", [before.job])
    assert after.tuned_model != before.tuned_model
    assert jobs(tuned) == 2
    assert place_of(tuned).ledger.recorded()["one"].active == after.fingerprint
    kinds = {one["kind"] for one in differences(tuned).values()}
    assert kinds <= {"tuned model unknown"}  # the one whose endpoint was deleted is there still


def test_what_is_there_is_not_tuned_again_though_a_person_asks(tuned: Repository) -> None:
    said = vertune(tuned, "plan", "--retry", "one").stdout
    assert said.endswith("Nothing to do: 1 spec in sync.\n")
    vertune(tuned, "apply", "--yes", "--retry", "one")
    assert jobs(tuned) == 1


def test_objects_that_were_edited_by_hand_are_found(tuned: Repository) -> None:
    entry = the_entry(tuned)
    bucket = place_of(tuned).bucket
    blob = bucket.get_blob(path(entry))
    text = blob.download_as_text()
    blob.upload_from_string(text.replace('"accuracy"', '"rouge_l"'))
    bucket.blob("ledger/junk.json").upload_from_string("{")
    found = differences(tuned)
    assert found["ledger entry edited"]["what"].endswith("differ in score")
    assert found["ledger object unreadable"]["resource"] == "gs://vertune-local/ledger/junk.json"


def test_a_body_that_cannot_be_read_is_found(tuned: Repository) -> None:
    entry = the_entry(tuned)
    place_of(tuned).bucket.get_blob(path(entry)).upload_from_string("{")
    (found,) = differences(tuned).values()
    assert (found["kind"], found["name"]) == ("ledger object unreadable", "one")


def test_names_that_somebody_wrote_into_the_ledger_are_not_asked_for(tuned: Repository) -> None:
    place, entry = place_of(tuned), the_entry(tuned)
    read = place.ledger.read("one", entry.fingerprint)
    assert read is not None
    nonsense = {"job": "x", "tuned_model": "y", "endpoint": "z/locations/us/"}
    place.ledger.update(read[0].model_copy(update=nonsense), read[1])
    assert set(differences(tuned)) == {"job missing", "tuned model missing", "job unknown"}


def test_one_name_can_be_looked_at_alone(tuned: Repository, emulator: Emulator) -> None:
    delete_model(emulator, the_entry(tuned))
    assert differences(tuned, "--select", "two") == {}
    assert set(differences(tuned, "--select", "one")) == {"tuned model missing"}


def test_faulty_specs_are_named_and_hide_no_drift(tuned: Repository, emulator: Emulator) -> None:
    delete_model(emulator, the_entry(tuned))
    tuned.spec("one", "task: [\n")
    result = vertune(tuned, "drift")
    assert result.exit_code == 3
    assert "jobs/one.yaml" in result.stderr


def test_lists_are_read_once_whatever_the_number_of_tunings(
    tuned: Repository, emulator: Emulator
) -> None:
    tuned.job("two")
    applied(place_of(tuned))
    rules = "".join(
        f'- {{name: {name}, path: "/v1*/{name}", delay: 0.001}}\n'
        for name in ("tuningJobs", "models", "endpoints")
    )
    emulator.faults.write(rules, "rules")
    differences(tuned)
    assert {rule["name"]: rule["hits"] for rule in emulator.faults.listed()} == {
        "tuningJobs": 1,
        "models": 1,
        "endpoints": 1,
    }


def test_without_a_bucket_drift_says_what_makes_it(
    repository: Repository, provisioned: Repository
) -> None:
    place_of(provisioned).bucket.delete()
    result = vertune(repository, "drift")
    assert result.exit_code == 1
    assert "`pulumi up`" in result.stderr
