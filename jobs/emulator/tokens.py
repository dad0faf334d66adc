"""Tokens: OAuth access tokens for whoever shows a signed assertion."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from jobs.emulator.wire import Answer, Request, Response, Route

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_GOOGLES = "https://oauth2.googleapis.com/token"  # Python's library names it whatever it calls
_LIFE = 3600
_PREFIX = "local-"


class Tokens:
    """Reads who an assertion names and for how long, and takes its word for it.

    A signature would prove nothing: who reaches loopback may as well name the owner himself.
    """

    def routes(self) -> list[Route]:
        return [Route("POST", "/token", self._token)]

    def _token(self, request: Request) -> Answer:
        form = {key: values[0] for key, values in parse_qs(request.body.read().decode()).items()}
        if form.get("grant_type") != _GRANT:
            return _refused("unsupported_grant_type", f"Only {_GRANT} is served.")
        claims = _claims(form.get("assertion", ""))
        if claims is None or not isinstance(claims.get("iss"), str):
            return _refused("invalid_grant", "Invalid JWT: it has no issuer.")
        if claims.get("aud") not in (f"{request.origin}/token", _GOOGLES):
            return _refused("invalid_grant", f"Invalid JWT: its audience is {claims.get('aud')}.")
        if not claims.get("exp", 0) > time.time():
            return _refused("invalid_grant", "Invalid JWT: it has expired.")
        if "target_audience" in claims:
            return _refused("invalid_request", "The emulator issues access tokens only.")
        token = issue(claims.get("sub") or claims["iss"])
        return {"access_token": token, "expires_in": _LIFE - 1, "token_type": "Bearer"}


def issue(email: str) -> str:
    """An access token that stands for `email`."""
    claims = {"email": email, "exp": int(time.time()) + _LIFE}
    return _PREFIX + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def principal(token: str) -> str | None:
    """The email a token stands for; None if it is not of this issue, or has expired."""
    claims = _decoded(token.removeprefix(_PREFIX)) if token.startswith(_PREFIX) else None
    if claims is None or not claims.get("exp", 0) > time.time():
        return None
    return str(claims["email"])


def _claims(assertion: str) -> Mapping[str, Any] | None:
    parts = assertion.split(".")
    return _decoded(parts[1]) if len(parts) == 3 else None


def _decoded(part: str) -> Mapping[str, Any] | None:
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None


def _refused(error: str, description: str) -> Response:
    return Response(400, {"error": error, "error_description": description})
