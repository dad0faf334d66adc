"""Tokens: OAuth access tokens, for who shows an assertion or another issuer's identity token."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from jobs.emulator.errors import ApiError
from jobs.emulator.federation import Federation
from jobs.emulator.principals import Principals
from jobs.emulator.wire import Answer, Request, Response, Route

_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_GOOGLES = "https://oauth2.googleapis.com/token"  # Python's library names it whatever it calls
_LIFE = 3600
_PREFIX = "local-"


class Tokens:
    """Takes the word of who says he is the owner: who reaches loopback can read his key anyway.

    Accounts of the emulator have no key, so nobody signs for them: they are impersonated.
    """

    def __init__(self, principals: Principals, federation: Federation) -> None:
        self._principals, self._federation = principals, federation

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/token", self._token),
            Route("POST", "/v1/token", self._exchange),  # the security token service
        ]

    def _token(self, request: Request) -> Answer:
        form = _form(request)
        if form.get("grant_type") != _JWT:
            return _refused("unsupported_grant_type", f"Only {_JWT} is served.")
        claims = decoded(form.get("assertion", ""))
        if claims is None or not isinstance(claims.get("iss"), str):
            return _refused("invalid_grant", "Invalid JWT: it has no issuer.")
        if claims.get("aud") not in (f"{request.origin}/token", _GOOGLES):
            return _refused("invalid_grant", f"Invalid JWT: its audience is {claims.get('aud')}.")
        if not claims.get("exp", 0) > time.time():
            return _refused("invalid_grant", "Invalid JWT: it has expired.")
        if "target_audience" in claims:
            return _refused("invalid_request", "The emulator issues access tokens only.")
        if not self._principals.signs(claims["iss"]):
            return _refused("invalid_grant", f"Invalid JWT Signature: {claims['iss']} has no key.")
        token = issue(claims.get("sub") or claims["iss"])
        return {"access_token": token, "expires_in": _LIFE - 1, "token_type": "Bearer"}

    def _exchange(self, request: Request) -> Answer:
        form = _form(request)
        if form.get("grant_type") != _EXCHANGE:
            return _refused("unsupported_grant_type", f"Only {_EXCHANGE} is served.")
        audience, token = form.get("audience", ""), form.get("subject_token", "")
        try:
            workload = self._federation.workload(audience, token)
        except ApiError as error:
            kind = "invalid_target" if error.code == 404 else "invalid_grant"
            return _refused(kind, error.message)
        return {
            "access_token": issue(workload.name, sets=workload.sets),
            "issued_token_type": _ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": _LIFE - 1,
        }


def issue(email: str, seconds: int = _LIFE, sets: Sequence[str] = ()) -> str:
    """An access token that stands for `email`, or for a workload and the sets it is in."""
    claims = {"email": email, "exp": int(time.time()) + seconds, "sets": list(sets)}
    return _PREFIX + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def claims_of(token: str) -> Mapping[str, Any] | None:
    """What a token says; None if it is not of this issue, or has expired."""
    claims = _part(token.removeprefix(_PREFIX)) if token.startswith(_PREFIX) else None
    if claims is None or not claims.get("exp", 0) > time.time():
        return None
    return claims


def principal(token: str) -> str | None:
    """The email a token stands for."""
    claims = claims_of(token)
    return None if claims is None else str(claims["email"])


def _form(request: Request) -> dict[str, str]:
    """A form, as RFC 8693 has it, or JSON with names in one word, which Google takes too."""
    text = request.body.read().decode(errors="replace")
    if text.lstrip().startswith("{"):
        try:
            return {_words(key): str(value) for key, value in json.loads(text).items()}
        except ValueError:
            return {}
    return {key: values[0] for key, values in parse_qs(text).items()}


def _words(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def decoded(assertion: str) -> Mapping[str, Any] | None:
    """The claims of a JWT, unverified."""
    parts = assertion.split(".")
    return _part(parts[1]) if len(parts) == 3 else None


def _part(part: str) -> Mapping[str, Any] | None:
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None


def _refused(error: str, description: str) -> Response:
    return Response(400, {"error": error, "error_description": description})
