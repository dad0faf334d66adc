"""Names of buckets and objects, refused where the service refuses them."""

import re

from jobs.emulator.errors import ApiError, invalid

# https://cloud.google.com/storage/docs/buckets#naming
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def check_bucket_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise ApiError(400, "Required parameter: name", "required", "INVALID_ARGUMENT")
    if (
        not _BUCKET.fullmatch(name)
        or _ADDRESS.fullmatch(name)
        or ".." in name
        or name.startswith("goog")
        or "google" in name
        or any(not 0 < len(part) <= 63 for part in name.split("."))
    ):
        raise invalid(f"Invalid bucket name: '{name}'")
    return name


# https://cloud.google.com/storage/docs/objects#naming
def check_object_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise ApiError(400, "Required parameter: name", "required", "INVALID_ARGUMENT")
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise invalid("The object's name is not valid Unicode.") from None
    if length > 1024:
        raise invalid("The maximum object length is 1024 characters, but got a name with more.")
    if "\r" in name or "\n" in name:
        raise invalid("Disallowed unicode characters present in object name.")
    if name in (".", "..") or name.startswith(".well-known/acme-challenge/"):
        raise invalid(f"Disallowed object name: '{name}'")
    return name
