"""Caller: the principal behind a request's token, with all names by which policies mean it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from jobs.emulator import tokens
from jobs.emulator.errors import ApiError, rpc_error
from jobs.emulator.principals import Principals
from jobs.emulator.wire import Request

_OWNERS_TOKEN = "local"
_EVERYONE = frozenset({"allUsers", "allAuthenticatedUsers"})


@dataclass(frozen=True)
class Caller:
    """`name` is how refusals call it: an email, or a workload's `principal://` address."""

    name: str
    members: frozenset[str] = field(default=_EVERYONE)
    owns_all: bool = False


class Callers:
    """Whoever sends no token is the owner: Google's storage client sends none to an emulator."""

    def __init__(self, principals: Principals) -> None:
        self._principals = principals

    def of(self, request: Request) -> Caller:
        """Raises 401 for a token that stands for nobody."""
        token = (request.headers.get("Authorization") or "").removeprefix("Bearer ").strip()
        if token in ("", _OWNERS_TOKEN):
            return Caller("owner", owns_all=True)
        claims = tokens.claims_of(token) or self._signed(token)
        if claims is None:
            raise _unauthenticated("the token is not of this emulator's issue, or has expired")
        return self._named(str(claims["email"]), claims)

    def _signed(self, token: str) -> Mapping[str, object] | None:
        """Of a JWT that a client signed itself instead of asking for a token."""
        claims = tokens.decoded(token) or {}
        issuer, expires = claims.get("iss"), claims.get("exp")
        if not isinstance(issuer, str) or not isinstance(expires, int | float):
            return None
        fresh = expires > time.time() and self._principals.signs(issuer)
        return {"email": issuer} if fresh else None

    def _named(self, name: str, claims: Mapping[str, object]) -> Caller:
        if name.startswith("principal://"):
            sets = claims.get("sets")
            return Caller(name, _EVERYONE | {name, *(sets if isinstance(sets, list) else ())})
        if self._principals.is_owner(name):
            return Caller(name, owns_all=True)
        account = self._principals.account(name)
        if not self._principals.exists(name) or (account or {}).get("disabled"):
            raise _unauthenticated(f"the service account {name} is deleted or disabled")
        return Caller(name, _EVERYONE | {f"serviceAccount:{name}"})


def _unauthenticated(why: str) -> ApiError:
    return rpc_error(
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login"
        f" cookie or other valid authentication credential ({why}).",
    )
