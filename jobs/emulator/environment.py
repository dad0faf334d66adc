"""The environment that makes Google's tools and Pulumi use the emulator and its local stack."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from jobs.emulator.principals import OWNER as OWNER_ID
from jobs.emulator.projects import LOCAL_PROJECTS

KEY_FILE = "credentials.json"
BACKEND = "pulumi"
OWNER = OWNER_ID + "@{project}.iam.gserviceaccount.com"

_LOOPBACK = ("127.0.0.1", "localhost")
_PLUGIN = Path(__file__).parent / "plugin"
# Nothing listens there: the genuine provider's call to a public service fails at once, which it
# only logs, where a network that swallows packets would hold it for ten minutes.
_CLOSED = "http://127.0.0.1:1"


def local_project() -> str:
    return next(iter(LOCAL_PROJECTS))


def environment(
    url: str,
    folder: Path,
    root: Path,
    *,
    genuine_provider: bool = False,
    state: str | None = None,
) -> dict[str, str]:
    """PATH is the caller's present one, after the folders that must come first.

    `state` is a bucket of the emulator, gs://BUCKET/PREFIX, for Pulumi to keep its state in.
    """
    variables = {
        "VERTUNE_EMULATOR_URL": url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(folder / KEY_FILE),
        "GOOGLE_CLOUD_PROJECT": local_project(),
        "GOOGLE_OAUTH_ACCESS_TOKEN": "local",
        "STORAGE_EMULATOR_HOST": url,
        "GOOGLE_VERTEX_BASE_URL": url,
        "GOOGLE_STORAGE_CUSTOM_ENDPOINT": f"{url}/storage/v1/",
        "GOOGLE_IAM_BETA_CUSTOM_ENDPOINT": f"{url}/v1/",
        "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT": f"{url}/v1/",
        "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT": f"{url}/v1beta1/",
        "GOOGLE_CLOUD_BILLING_CUSTOM_ENDPOINT": f"{url}/v1/",
        "GOOGLE_MONITORING_CUSTOM_ENDPOINT": f"{url}/",
        "GOOGLE_BILLING_BUDGETS_CUSTOM_ENDPOINT": f"{url}/v1/",
        "GOOGLE_KMS_CUSTOM_ENDPOINT": f"{url}/v1/",
        "GOOGLE_COMPUTE_CUSTOM_ENDPOINT": f"{url}/compute/beta/",
        "PULUMI_BACKEND_URL": (folder / BACKEND).as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": str(root / ".vertune" / "pulumi-home"),
        "PULUMI_STACK": "local",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_GCP_SKIP_REGION_VALIDATION": "true",
        "PATH": _joined(path_entries(root, genuine_provider=genuine_provider)),
    }
    # Tools differ in which spelling they read, and a proxy cannot reach this machine's loopback.
    variables["NO_PROXY"] = variables["no_proxy"] = _direct()
    if genuine_provider:
        variables["HTTPS_PROXY"] = _CLOSED
    if state:
        # The engine's Go client wants no scheme, Python's storage client wants one.
        host = url.removeprefix("http://")
        variables |= {"PULUMI_BACKEND_URL": state, "STORAGE_EMULATOR_HOST": host}
    return variables


def path_entries(root: Path, *, genuine_provider: bool = False) -> list[str]:
    """The folders to come first on PATH: this Python, the clone's own engine, our provider."""
    entries = [Path(sys.executable).parent, root / ".vertune" / "engine" / "bin"]
    if not genuine_provider:
        entries.append(_PLUGIN)
    return [str(entry) for entry in entries]


def export_lines(variables: Mapping[str, str]) -> str:
    """For `eval "$(vertune emulator env)"`."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def plain_lines(variables: Mapping[str, str]) -> str:
    """For a file that a workflow's later steps get their environment from."""
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def _direct() -> str:
    present = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    rest = [host for host in present.split(",") if host and host not in _LOOPBACK]
    return ",".join([*_LOOPBACK, *rest])


def _joined(entries: list[str]) -> str:
    present = os.environ.get("PATH", os.defpath).split(os.pathsep)
    rest = [entry for entry in present if entry and entry not in entries]
    return os.pathsep.join([*entries, *rest])
