"""Issuer: a stand-in for a pipeline's, with a key of its own, whose tokens name a repository."""

import base64
import json
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt

from jobs.emulator.federation import ISSUERS

GITHUB = "https://token.actions.githubusercontent.com"


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """Made once: it takes a noticeable part of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def keys() -> dict[str, Any]:
    numbers = key("first").public_key().public_numbers()
    return {"keys": [{"kty": "RSA", "kid": "k1", "n": _text(numbers.n), "e": _text(numbers.e)}]}


def introduce(folder: Path, issuer: str = GITHUB) -> None:
    """Give its keys to the emulator that serves `folder`."""
    (folder / ISSUERS).write_text(json.dumps({issuer: keys()}), "utf-8")


def token(audience: str, claims: Mapping[str, object], signed_by: str = "first") -> str:
    now = int(time.time())
    pem = key(signed_by).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    signer = crypt.RSASigner.from_string(pem, "k1")
    body = {"iss": GITHUB, "aud": audience, "iat": now, "exp": now + 300, **claims}
    return str(jwt.encode(signer, body).decode())


def key_file(
    provider: str,
    email: str,
    token: Path,
    *,
    exchange: str = "https://sts.googleapis.com",
    impersonate: str = "https://iamcredentials.googleapis.com",
) -> dict[str, Any]:
    """What a pipeline's login writes: it exchanges a signed token, and acts as an account."""
    path = f"v1/projects/-/serviceAccounts/{email}:generateAccessToken"
    return {
        "type": "external_account",
        "audience": f"//iam.googleapis.com/{provider}",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{exchange}/v1/token",
        "credential_source": {"file": str(token)},
        "service_account_impersonation_url": f"{impersonate}/{path}",
    }


def _text(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
