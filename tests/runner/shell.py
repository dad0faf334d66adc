"""Shell: environments as people have them, pointed at the emulator or at Google Cloud."""

from pathlib import Path

import pytest

from jobs.emulator.credentials import write_key_file

ACCOUNT = "runner@their-project.iam.gserviceaccount.com"
GOOGLE = "https://oauth2.googleapis.com"


def signed_in(monkeypatch: pytest.MonkeyPatch, folder: Path, issuer: str = GOOGLE) -> Path:
    """Application default credentials from a key file; nothing is asked of the network."""
    path = folder / "key.json"
    write_key_file(path, issuer, "their-project", ACCOUNT)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return path


def signed_out(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """No credentials anywhere; for a metadata server no test looks."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(folder / "no-gcloud"))


def pointed_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """What `vertune emulator env` sets that Google's clients listen to."""
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_VERTEX_BASE_URL", "VERTUNE_EMULATOR_URL"):
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("API_ENDPOINT_OVERRIDE", url)


def behind_a_proxy(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, url)
        monkeypatch.setenv(name.lower(), url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
