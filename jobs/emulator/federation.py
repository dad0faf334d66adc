"""Federation: another issuer's identity token, verified and mapped as a pool's provider says."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError

from jobs.emulator.access import expressions
from jobs.emulator.errors import invalid, not_found
from jobs.emulator.workload_identity import WorkloadIdentity

ISSUERS = "issuers.json"  # in the emulator's folder: issuer to its JSON Web Key Set
_IAM = "//iam.googleapis.com/"
_SUBJECT = "google.subject"


@dataclass(frozen=True)
class Workload:
    name: str  # principal://…/subject/…
    sets: tuple[str, ...]  # principalSet://… of each mapped attribute, and of the whole pool


class Federation:
    """Fetches nothing: the keys of an issuer are in the provider, or in the emulator's folder."""

    def __init__(self, identities: WorkloadIdentity, folder: Path) -> None:
        self._identities, self._issuers = identities, folder / ISSUERS

    def workload(self, audience: str, token: str) -> Workload:
        """Whom a token stands for. Raises ApiError: 404 no such provider, 400 a refused token."""
        name = audience.removeprefix("https:").removeprefix(_IAM)
        provider = self._identities.active(name)
        if not audience.endswith(_IAM + name) or provider is None or "oidc" not in provider:
            raise not_found(f"Invalid value for audience: there is no provider {audience!r}.")
        claims = self._verified(provider, name, token)
        mapped = _mapped(provider.get("attributeMapping") or {}, claims)
        condition = provider.get("attributeCondition")
        if condition and not expressions.holds(condition, {"assertion": claims, **mapped}):
            raise invalid("The given credential is rejected by the attribute condition.")
        return _workload(name.rpartition("/providers/")[0], mapped)

    def _verified(self, provider: Mapping[str, Any], name: str, token: str) -> Mapping[str, Any]:
        issuer = str(provider["oidc"].get("issuerUri"))
        audiences = provider["oidc"].get("allowedAudiences") or [f"https:{_IAM}{name}", _IAM + name]
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token, certs=self._keys(provider["oidc"], issuer), audience=audiences
            )
        except (GoogleAuthError, ValueError) as error:
            raise invalid(f"Error connecting to the given credential's issuer: {error}") from error
        if claims.get("iss") != issuer:
            raise invalid(
                f"The issuer in ID Token {claims.get('iss')} does not match the expected one,"
                f" {issuer}."
            )
        return claims

    def _keys(self, oidc: Mapping[str, Any], issuer: str) -> dict[str, bytes]:
        """By key id."""
        if text := oidc.get("jwksJson"):
            return _public_keys(json.loads(text))
        try:
            issuers = json.loads(self._issuers.read_text("utf-8"))
            return _public_keys(issuers[issuer])
        except (OSError, LookupError) as error:
            raise invalid(
                f"the emulator has no keys of {issuer}: write its JSON Web Key Set to"
                f" {self._issuers}"
            ) from error


def _mapped(mapping: Mapping[str, str], claims: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """`google` and `attribute`, each with what is mapped to it."""
    found: dict[str, dict[str, str]] = {"google": {}, "attribute": {}}
    for target, expression in mapping.items():
        kind, _, key = target.partition(".")
        value = expressions.value(expression, {"assertion": claims})
        if isinstance(value, str) and kind in found:
            found[kind][key] = value
    if not found["google"].get("subject"):
        raise invalid(f"Could not obtain a value for {_SUBJECT} from the given credential.")
    return found


def _workload(pool: str, mapped: Mapping[str, Mapping[str, str]]) -> Workload:
    sets = [f"attribute.{key}/{value}" for key, value in mapped["attribute"].items()]
    return Workload(
        f"principal:{_IAM}{pool}/subject/{mapped['google']['subject']}",
        tuple(f"principalSet:{_IAM}{pool}/{one}" for one in (*sets, "*")),
    )


def _public_keys(keys: Mapping[str, Any]) -> dict[str, bytes]:
    return {key["kid"]: _pem(key) for key in keys["keys"] if key.get("kty") == "RSA"}


def _pem(key: Mapping[str, str]) -> bytes:
    numbers = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"]))
    return numbers.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
