"""The key file by which Google's libraries take the emulator for the token service."""

import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_MODE = 0o600


def write_key_file(path: Path, url: str, project: str, email: str) -> None:
    """Of `email`, a principal of the emulator; the key is made once and opens nothing else."""
    key = _key_of(path) or _new_key()
    body = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "local",
        "private_key": key,
        "client_email": email,
        "client_id": "0",
        "auth_uri": f"{url}/o/oauth2/auth",
        "token_uri": f"{url}/token",
        "universe_domain": "googleapis.com",
    }
    partial = path.with_suffix(".partial")
    partial.touch(_MODE)
    partial.chmod(_MODE)  # it may have been there
    partial.write_text(json.dumps(body, indent=2) + "\n", "utf-8")
    partial.replace(path)  # who reads it now, reads all of one of the two


def _key_of(path: Path) -> str | None:
    try:
        return str(json.loads(path.read_text("utf-8"))["private_key"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _new_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
