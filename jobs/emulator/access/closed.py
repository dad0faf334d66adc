"""Closed: APIs that were disabled by hand and projects whose billing was, and how they refuse.

What nobody ever closed is open: here nothing has to be enabled or paid for first.
https://cloud.google.com/service-usage/docs/troubleshooting
https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

from collections.abc import Mapping
from typing import Any

from jobs.emulator.errors import ApiError
from jobs.emulator.state import State

_BILLING = "billing"
_PAID = frozenset({"aiplatform", "storage"})
# The API by how its permissions begin, and what it is called.
_APIS: Mapping[str, tuple[str, str]] = {
    "aiplatform": ("aiplatform.googleapis.com", "Vertex AI API"),
    "storage": ("storage.googleapis.com", "Cloud Storage API"),
    "iam": ("iam.googleapis.com", "Identity and Access Management (IAM) API"),
    "resourcemanager": ("cloudresourcemanager.googleapis.com", "Cloud Resource Manager API"),
}


class Closed:
    """By the project's id. False where nothing is, so that most calls need not ask further."""

    def __init__(self, state: State, numbers: Mapping[str, str]) -> None:
        self._state, self._numbers = state, numbers
        self._documents = state.documents("closed")
        self._known = {one["what"] for one in self._documents.list()}

    def __bool__(self) -> bool:
        return bool(self._known)

    def close(self, project: str, service: str) -> None:
        with self._state.transaction():
            self._documents.put(f"{project}/{service}", {"what": f"{project}/{service}"})
            self._known.add(f"{project}/{service}")

    def open(self, project: str, service: str) -> None:
        with self._state.transaction():
            self._documents.delete(f"{project}/{service}")
            self._known.discard(f"{project}/{service}")

    def bill(self, project: str, account: str) -> None:
        """From now on to this billing account; to none if it is empty."""
        self.open(project, _BILLING) if account else self.close(project, _BILLING)

    def refusal(self, permission: str, project: str) -> ApiError | None:
        """What a call that needs the permission meets before it is asked who calls."""
        kind = permission.partition(".")[0]
        api, title = _APIS.get(kind, ("", ""))
        if f"{project}/{api}" in self._known:
            return self._disabled(project, api, title)
        if kind in _PAID and f"{project}/{_BILLING}" in self._known:
            return _unpaid_storage() if kind == "storage" else self._unpaid(project, api)
        return None

    def _disabled(self, project: str, api: str, title: str) -> ApiError:
        where = f"https://console.developers.google.com/apis/api/{api}/overview?project={project}"
        message = (
            f"{title} has not been used in project {project} before or it is disabled. Enable it by"
            f" visiting {where} then retry. If you enabled this API recently, wait a few minutes"
            " for the action to propagate to our systems and retry."
        )
        return self._forbidden("SERVICE_DISABLED", message, project, api)

    def _unpaid(self, project: str, api: str) -> ApiError:
        number = self._numbers[project]
        message = (
            "This API method requires billing to be enabled. Please enable billing on project"
            f" #{number} by visiting https://console.developers.google.com/billing/enable?project="
            f"{number} then retry. If you enabled billing for this project recently, wait a few"
            " minutes for the action to propagate to our systems and retry."
        )
        return self._forbidden("BILLING_DISABLED", message, project, api)

    def _forbidden(self, reason: str, message: str, project: str, api: str) -> ApiError:
        info: dict[str, Any] = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "googleapis.com",
            "metadata": {"consumer": f"projects/{self._numbers[project]}", "service": api},
        }
        return ApiError(403, message, "forbidden", "PERMISSION_DENIED", [info])


def _unpaid_storage() -> ApiError:
    message = "The billing account for the owning project is disabled in state absent"
    return ApiError(403, message, "accountDisabled")
