"""Settings: what is accepted, and that every fault is said at once with what to do."""

import re

import pytest

from infra.settings import Settings, check, table
from tests.infra.program import ROOT

GOOD = {"gcp:project": "my-project", "gcp:region": "us-central1", "vertune:bucket": "my-bucket"}
URL = "http://127.0.0.1:8080"


def settings(**own: str) -> Settings:
    found, faults = check(GOOD | {f"vertune:{key}": value for key, value in own.items()}, {})
    assert faults == []
    assert found is not None
    return found


def faults(config: dict[str, str], **environment: str) -> list[str]:
    found, said = check(config, environment)
    assert found is None
    return said


def test_three_settings_are_enough() -> None:
    least = settings()
    assert (least.project, least.region, least.bucket) == tuple(GOOD.values())
    assert (least.emulator, least.deletion_protection, least.labels) == (False, True, {})
    assert (least.soft_delete_days, least.noncurrent_days) == (7, 30)
    assert (least.max_usd, least.max_concurrent_jobs) == (None, 1)


def test_values_are_read_from_the_text_that_pulumi_hands_over() -> None:
    full = settings(
        labels='{"team": "search"}',
        deletionProtection="false",
        softDeleteDays="30",
        noncurrentDays="90",
        servingLocation="eu",
        maxUsd="12.5",
        maxConcurrentJobs="3",
        prices='{"gemini-3.5-flash-lite": 1.5}',
    )
    assert full.prices == {"gemini-3.5-flash-lite": 1.5}
    assert full.labels == {"team": "search"}
    assert full.deletion_protection is False
    assert (full.soft_delete_days, full.noncurrent_days, full.max_concurrent_jobs) == (30, 90, 3)
    assert (full.max_usd, full.serving) == (12.5, "eu")


def test_readers_of_the_ledger_are_service_accounts_by_their_whole_name() -> None:
    email = "vertune-tuner@my-project-prod.iam.gserviceaccount.com"
    assert settings(ledgerReaders=f'["{email}"]').ledger_readers == (email,)
    for given in ('["allUsers"]', '["someone@example.com"]', '["x\') || true"]'):
        (said,) = faults(GOOD | {"vertune:ledgerReaders": given})
        assert "vertune:ledgerReaders.0:" in said
        assert "cannot be a service account, as NAME@PROJECT.iam.gserviceaccount.com" in said
    assert "is not a list" in faults(GOOD | {"vertune:ledgerReaders": email})[0]


@pytest.mark.parametrize(("region", "location"), [("us-central1", "us"), ("europe-west4", "eu")])
def test_models_are_served_around_the_region_they_were_tuned_in(region: str, location: str) -> None:
    found, _ = check(GOOD | {"gcp:region": region}, {})
    assert found is not None
    assert found.serving == location


def test_a_stack_labels_what_it_makes_with_its_name() -> None:
    labels = settings(labels='{"team": "search"}').labelled("Feature.1")
    assert labels == {"team": "search", "managed-by": "vertune", "stack": "feature-1"}


def test_every_fault_is_said_at_once() -> None:
    said = faults(
        {
            "gcp:project": "P",
            "vertune:bucket": "goog-x",
            "vertune:buckt": "b",
            "vertune:softDeleteDays": "3",
            "vertune:labels": '{"Team": "a b", "stack": "mine"}',
            "vertune:emulator": "true",
            "vertune:prices": '{"gemini-3.5-flash": 0}',
        }
    )
    for text in (
        "vertune:buckt: is no setting of this project: did you mean vertune:bucket?",
        "vertune:emulator: is true, but VERTUNE_EMULATOR_URL is not set",
        "gcp:project: 'P' cannot be a project id",
        "gcp:region: is missing: set it with `pulumi config set gcp:region VALUE`",
        "vertune:bucket: 'goog-x' cannot be a bucket's name",
        "vertune:softDeleteDays: input should be greater than or equal to 7",
        "vertune:prices.gemini-3.5-flash: input should be greater than 0",
        "vertune:labels.Team: 'Team' cannot be a label's name",
        "vertune:labels.Team: 'a b' cannot be a label's value",
        "vertune:labels.stack: 'stack' cannot be a label's name",
    ):
        assert [one for one in said if one.startswith(text)], (text, said)
    assert len(said) == 10


def test_a_strange_setting_far_from_any_is_answered_with_all_of_them() -> None:
    (said,) = faults(GOOD | {"vertune:zzz": "1"})
    assert "vertune:softDeleteDays" in said


def test_a_setting_of_the_wrong_family_is_pointed_to_the_right_one() -> None:
    (said,) = faults(GOOD | {"vertune:region": "us-central1"})
    assert said.endswith("did you mean gcp:region?")


def test_settings_of_the_provider_are_none_of_our_business() -> None:
    assert check(GOOD | {"gcp:disableGlobalProjectWarning": "true"}, {})[1] == []


def test_a_region_without_tuning_is_refused() -> None:
    (said,) = faults(GOOD | {"gcp:region": "europe-west1"})
    assert said == "gcp:region: input should be 'us-central1' or 'europe-west4'"


def test_labels_that_are_no_mapping_are_a_fault_and_no_crash() -> None:
    for labels in ("team", "[1]", '{"team": 1}'):
        (said,) = faults(GOOD | {"vertune:labels": labels})
        assert said.startswith(("vertune:labels: ", "vertune:labels.team: "))


def test_the_emulators_stack_never_goes_to_the_cloud() -> None:
    (said,) = faults(GOOD | {"vertune:emulator": "true"})
    assert "vertune emulator start" in said
    found, _ = check(GOOD | {"vertune:emulator": "true"}, {"VERTUNE_EMULATOR_URL": URL})
    assert found is not None
    assert found.emulator


def test_a_stack_of_the_cloud_never_goes_to_the_emulator() -> None:
    (said,) = faults(GOOD, VERTUNE_EMULATOR_URL=URL)
    assert f"VERTUNE_EMULATOR_URL={URL} is set" in said


def test_a_repository_is_known_by_numbers_only() -> None:
    github = settings(github='{"repositoryId": 12, "ownerId": "34"}').github
    assert github is not None
    assert (github.repository_id, github.owner_id, github.branch) == ("12", "34", "main")
    assert settings().github is None


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ('{"ownerId": "34"}', "vertune:github.repositoryId: is missing: set it with"),
        ('{"repositoryId": "o/r", "ownerId": "34"}', "'o/r' cannot be a number of GitHub's"),
        ('{"repositoryId": "1", "ownerId": "2", "branch": "x\' || true"}', "a branch's name"),
        ('{"repositoryId": "1", "ownerId": "2", "environment": "x\'"}', "an environment's name"),
        ('{"repositoryId": "1", "ownerId": "2", "pool": "gcp-x"}', "a pool's id"),
        ('{"repositoryId": "1", "ownerId": "2", "repo": "x"}', "vertune:github.repo: extra"),
        ("o/r", "is not a mapping"),
    ],
)
def test_a_repository_that_cannot_be_one_is_refused(given: str, fault: str) -> None:
    (said,) = faults(GOOD | {"vertune:github": given})
    assert fault in said


def test_the_page_of_the_settings_shows_them_all_as_they_are() -> None:
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    shown = re.search(r"<!-- settings -->\n(.*?)\n<!-- /settings -->", page, re.DOTALL)
    assert shown
    assert shown[1] == table()
