"""Roles: the permissions a role holds, predefined ones from a table and a project's own."""

import json
import logging
from functools import cache
from pathlib import Path

from jobs.emulator.state import State

log = logging.getLogger(__name__)

KIND = "role"  # the documents of custom roles
_TABLE = Path(__file__).with_name("roles.json")


class Roles:
    """Of predefined roles only the permissions that some call of the emulator needs."""

    def __init__(self, state: State) -> None:
        self._custom = state.documents(KIND)

    def permissions(self, role: str) -> frozenset[str]:
        """What is unknown, or deleted, gives nothing."""
        if role.startswith("roles/"):
            return _predefined(role)
        found = self._custom.get(role)
        if found is None or found.get("deleted"):
            return frozenset()
        return frozenset(found.get("includedPermissions", ()))


@cache
def _predefined(role: str) -> frozenset[str]:
    found = table().get(role)
    if found is None:
        log.warning("%s is bound, but the emulator does not know it: it gives nothing here", role)
    return found or frozenset()


@cache
def table() -> dict[str, frozenset[str]]:
    read = json.loads(_TABLE.read_text("utf-8"))
    return {role: frozenset(one["permissions"]) for role, one in read.items()}
