"""ApiError: the one error a handler raises; the server writes it as Google's error JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# https://cloud.google.com/apis/design/errors#handling_errors
_CODES: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


@dataclass(eq=False)  # not frozen: contextlib sets the traceback of what passes through it
class ApiError(Exception):
    """A refusal: `code` is the HTTP status, `reason` the JSON API's word, `status` the RPC name."""

    code: int
    message: str
    reason: str = "backendError"
    status: str | None = None
    details: Sequence[Mapping[str, Any]] = field(default=())

    def __str__(self) -> str:
        return f"{self.code} {self.message}"

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "errors": [{"domain": "global", "reason": self.reason, "message": self.message}],
        }
        if self.status:
            error["status"] = self.status
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


class Unserved(ApiError):
    """No service knows the address; the server logs it, for it tells what is still to be built."""


def rpc_error(
    status: str, message: str, *, violations: Mapping[str, str] | None = None
) -> ApiError:
    """The refusal of a service with RPC statuses; `violations`: request field to fault."""
    details: list[dict[str, Any]] = []
    if violations:
        details.append(
            {
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [
                    {"field": name, "description": fault} for name, fault in violations.items()
                ],
            }
        )
    return ApiError(_CODES[status], message, _camel(status), status, details)


def invalid(message: str) -> ApiError:
    return ApiError(400, message, "invalid", "INVALID_ARGUMENT")


def not_found(message: str) -> ApiError:
    return ApiError(404, message, "notFound", "NOT_FOUND")


def conflict(message: str) -> ApiError:
    return ApiError(409, message, "conflict", "ALREADY_EXISTS")


def condition_not_met(
    message: str = "At least one of the pre-conditions you specified did not hold.",
) -> ApiError:
    return ApiError(412, message, "conditionNotMet", "FAILED_PRECONDITION")


def cut_short() -> ApiError:
    return ApiError(400, "The request's body ended before its announced length.", "badRequest")


def _camel(status: str) -> str:
    first, *rest = status.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)
