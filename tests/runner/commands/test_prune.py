"""`vertune prune`: dry unless --yes is given; what is shown is what is deleted."""

import json

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner import pointer
from tests.conftest import Repository
from tests.runner.commands.calls import vertune
from tests.runner.tuned import another, entries, place_with, record_of

KEEP = ("prune", "--keep", "0")


def test_without_yes_it_only_shows_what_would_go(provisioned: Repository) -> None:
    place, (first, second) = place_with(provisioned, "one", 2)
    result = vertune(provisioned, *KEEP)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"one {first.fingerprint[:12]}" in result.stdout
    assert str(first.tuned_model) in result.stdout
    assert "not served, and no spec asks for it" in result.stdout
    assert " bytes" in result.stdout
    assert result.stdout.endswith("\nNothing was deleted; `vertune prune --yes` deletes 2.\n")
    assert entries(place, "one") == [first, second]


def test_with_yes_it_goes_and_the_next_one_finds_nothing(provisioned: Repository) -> None:
    place, (first, second) = place_with(provisioned, "one", 2)
    body = json.loads(vertune(provisioned, *KEEP, "--yes", "-o", "json").stdout)
    assert (body["deleted"], body["failed"]) == (True, {})
    assert [row["what"] for row in body["found"]] == [
        f"one {first.fingerprint[:12]}",
        f"dataset {str(first.inputs['dataset'])[:12]}",
    ]
    assert entries(place, "one") == [second]
    again = vertune(provisioned, *KEEP, "--yes")
    assert again.stdout.startswith(f"Kept, served: one {second.fingerprint[:12]}\nNothing to prune")


def test_by_default_the_newest_beside_the_served_one_stays(provisioned: Repository) -> None:
    _, (first, _) = place_with(provisioned, "one", 2)
    newest, young = vertune(provisioned, "prune"), vertune(provisioned, *KEEP, "--older-than", "1")
    for result, option in ((newest, "(--keep)"), (young, "(--older-than)")):
        assert f"{option}: one {first.fingerprint[:12]}\n" in result.stdout
        assert "Nothing to prune" in result.stdout
    kept = json.loads(vertune(provisioned, "prune", "-o", "json").stdout)["kept"]
    assert ("one", first.fingerprint) in {(one["name"], one["fingerprint"]) for one in kept}


def test_what_was_refused_is_named_and_exits_with_1(
    provisioned: Repository, emulator: Emulator
) -> None:
    place, (first, second) = place_with(provisioned, "one", 2)
    emulator.faults.set(Rule("no", method="DELETE", path="*/models/*", status=403))
    result = vertune(provisioned, *KEEP, "--yes")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"one {first.fingerprint[:12]}: deleting {first.tuned_model}")
    assert result.stdout.endswith("\nDeleted 0 of 2.\n")  # its data stays as long as it does
    assert entries(place, "one") == [first, second]


def test_another_s_bucket_and_specs_that_cannot_be_read_stop_it(provisioned: Repository) -> None:
    place, both = place_with(provisioned, "one", 2)
    provisioned.spec("torn", "task: [\n")
    assert vertune(provisioned, *KEEP, "--yes").stderr.startswith("jobs/torn.yaml:2: ")
    (provisioned.root / "jobs/torn.yaml").unlink()
    place.ledger.mark(place.owner.model_copy(update={"stack": "prod"}), place.ledger.owner())
    result = vertune(provisioned, *KEEP, "--yes")
    assert result.exit_code == 1
    assert "the bucket belongs to stack prod of project vertune" in result.stderr
    assert entries(place, "one") == both


# Leaked data, as docs/roles/on-call.md has it


@pytest.mark.parametrize("mended", ["anew", "as before", "removed"])
def test_once_leaked_data_is_mended_and_applied_all_of_it_is_deleted(
    provisioned: Repository, mended: str
) -> None:
    place, (clean, leaked) = place_with(provisioned, "one", 2)
    back = pointer.rollback(place.ledger.recorded(), "one", None, None)
    pointer.carry_out(back, place.ledger.recorded(), place.ledger, place.registry)
    if mended == "anew":
        another(provisioned, "one", 2)
    elif mended == "as before":
        provisioned.job("one")
    else:
        (provisioned.root / "jobs/one.yaml").unlink()
    assert vertune(provisioned, "apply", "--yes", "--no-record").exit_code == 0
    result = vertune(provisioned, *KEEP, "--yes")
    assert result.exit_code == 0, result.output
    assert f"dataset {str(leaked.inputs['dataset'])[:12]}" in result.stdout
    assert place.registry.model(leaked.tuned_model or "") is None
    assert place.registry.endpoint(leaked.endpoint or "") is None
    kept = {blob.name for blob in place.bucket.list_blobs()}
    assert not [name for name in kept if leaked.fingerprint in name]
    assert not [name for name in kept if str(leaked.inputs["dataset"]) in name]
    served = record_of(place, "one").active
    assert (served is None) == (mended == "removed")
    assert (served == clean.fingerprint) == (mended == "as before")
