"""Kinds: the texts that settings may hold, each with what it may look like, said in words."""

import json
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field


def _text(pattern: str, what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{value!r} cannot be {what}")
        return value

    return AfterValidator(check)


def mapping(given: object) -> object:
    """Pulumi hands over a mapping as JSON."""
    try:
        value = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ValueError(f"{given!r} is not a mapping of names to values")
    return value


def sequence(given: object) -> object:
    """Pulumi hands over a list as JSON."""
    try:
        value = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        value = None
    if not isinstance(value, list):
        raise ValueError(f"{given!r} is not a list")
    return value


Project = Annotated[
    str,
    _text(
        r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
        "a project id: 6 to 30 lower-case letters, digits and hyphens, a letter first",
    ),
]
Bucket = Annotated[
    str,
    _text(
        r"(?!goog)[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]",
        "a bucket's name: 3 to 63 lower-case letters, digits, hyphens and underscores,"
        " not starting with goog",
    ),
]
Email = Annotated[
    str,
    _text(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "an email address"),
]
KmsKey = Annotated[
    str,
    _text(
        r"projects/[a-z0-9:.-]+/locations/[a-z0-9-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+",
        "a key, as projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY",
    ),
]
Prefix = Annotated[
    str,
    _text(
        r"[a-z][a-z0-9-]{0,20}[a-z0-9]",
        "how accounts' names begin: 2 to 22 lower-case letters, digits and hyphens, a letter first",
    ),
]
ServiceAccount = Annotated[
    str,
    _text(
        r"[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9-]{4,28}[a-z0-9]\.iam\.gserviceaccount\.com",
        "a service account, as NAME@PROJECT.iam.gserviceaccount.com",
    ),
]
BillingAccount = Annotated[
    str,
    _text(
        r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}",
        "a billing account's id, as 012345-6789AB-CDEF01 (`gcloud billing accounts list`)",
    ),
]
Key = Annotated[
    str,
    _text(
        r"(?!goog-|(managed-by|stack)$)[a-z][a-z0-9_-]{0,62}",
        "a label's name: lower-case letters, digits, hyphens and underscores, a letter first;"
        " managed-by, stack and goog-… are taken",
    ),
]
Value = Annotated[
    str,
    _text(
        r"[a-z0-9_-]{0,63}",
        "a label's value: at most 63 lower-case letters, digits, hyphens and underscores",
    ),
]
Labels = Annotated[
    dict[Key, Value],
    Field(max_length=60),  # sixty-four in the cloud; the stack and the provider add their own
    BeforeValidator(mapping),
]
Readers = Annotated[tuple[ServiceAccount, ...], BeforeValidator(sequence)]
Prices = Annotated[
    dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]],
    BeforeValidator(mapping),
]
