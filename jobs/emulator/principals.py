"""Principals: the service accounts and service agents that exist, by email."""

import re
from collections.abc import Mapping
from typing import Any

from jobs.emulator.state import State

OWNER = "owner"  # shorter than the id of any service account may be

_ACCOUNT = re.compile(r"[^@]+@(?P<project>[a-z0-9.:-]+)\.iam\.gserviceaccount\.com")
_AGENT = re.compile(r"service-(?P<number>\d+)@.+\.iam\.gserviceaccount\.com")


class Principals:
    """Knows what its own projects hold; accounts of any other project are taken to exist."""

    def __init__(self, state: State, numbers: Mapping[str, str]) -> None:
        self._numbers = dict(numbers)
        self.accounts = state.documents("service account")
        self._agents = state.documents("service agent")

    def agent(self, number: str, name: str) -> str:
        """Bring a service agent into being, as a service does on its first use; its email."""
        email = agent_email(number, name)
        self._agents.put(email, {"email": email})
        return email

    def account(self, name: str) -> dict[str, Any] | None:
        """An account by email or unique id."""
        if "@" in name:
            return self.accounts.get(name.lower())
        return next((one for one in self.accounts.list() if one["uniqueId"] == name), None)

    def is_owner(self, email: str) -> bool:
        """Whether it is the human's, who may everything; no account can take that name."""
        name, _, domain = email.partition("@")
        return name == OWNER and domain.partition(".")[0] in self._numbers

    def signs(self, email: str) -> bool:
        """Whether there can be a key of it: the owner's, or that of another project's account."""
        return self.is_owner(email) or not self._is_ours(email)

    def exists(self, email: str) -> bool:
        email = email.lower()
        account, agent = _ACCOUNT.fullmatch(email), _AGENT.fullmatch(email)
        if account and account["project"] in self._numbers:
            return self.accounts.get(email) is not None
        if agent and agent["number"] in self._numbers.values():
            return self._agents.get(email) is not None
        return True

    def _is_ours(self, email: str) -> bool:
        account = _ACCOUNT.fullmatch(email.lower())
        return account is not None and account["project"] in self._numbers


def agent_email(number: str, name: str) -> str:
    """`name` is the agent's own domain, as `gcp-sa-aiplatform`."""
    return f"service-{number}@{name}.iam.gserviceaccount.com"
