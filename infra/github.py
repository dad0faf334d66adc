"""GitHub: the repository whose workflows may act for a stack, and what of theirs may do what.

Names can change hands: a repository and its owner are known by their numbers alone.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

ISSUER = "https://token.actions.githubusercontent.com"
PLAN, TUNE, NOTHING = "plan", "tune", "nothing"
# Neither is ever sent for a pull request, whose workflow its author may have written.
_EVENTS = ("push", "schedule", "workflow_dispatch")


def _matching(pattern: str, what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{value!r} cannot be {what}")
        return value

    return AfterValidator(check)


Number = Annotated[
    str,
    BeforeValidator(lambda given: str(given) if isinstance(given, int) else given),
    _matching(r"[1-9][0-9]{0,19}", "a number of GitHub's (`gh api repos/OWNER/NAME --jq .id`)"),
]
# Neither may hold a quote: both stand in expressions.
Branch = Annotated[str, _matching(r"[A-Za-z0-9._/-]{1,200}", "a branch's name")]
Environment = Annotated[str, _matching(r"[A-Za-z0-9._ -]{1,100}", "an environment's name")]
Pool = Annotated[
    str,
    _matching(
        r"(?!gcp-)[a-z0-9-]{4,32}",
        "a pool's id: 4 to 32 lower-case letters, digits and hyphens, not starting with gcp-",
    ),
]


class GitHub(BaseModel):
    """Tuning is for the protected branch, or for the environment if one is named."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    repository_id: Number
    owner_id: Number
    branch: Branch = "main"
    environment: Environment | None = None
    pool: Pool = "vertune"  # an id that was deleted stays taken for thirty days

    @property
    def condition(self) -> str:
        """Whose tokens are taken at all."""
        return (
            f"assertion.repository_id == '{self.repository_id}'"
            f" && assertion.repository_owner_id == '{self.owner_id}'"
        )

    @property
    def mapping(self) -> dict[str, str]:
        """`attribute.may` is what the accounts' policies go by."""
        return {
            "google.subject": "assertion.sub",
            "attribute.may": (
                f"assertion.event_name == 'pull_request' ? '{PLAN}'"
                f" : ({self._tunes} ? '{TUNE}' : '{NOTHING}')"
            ),
        }

    @property
    def _tunes(self) -> str:
        events = ", ".join(f"'{event}'" for event in _EVENTS)
        place = f"assertion.event_name in [{events}]"
        if self.environment is not None:
            named = f"assertion.environment == '{self.environment}'"
            return f"{place} && has(assertion.environment) && {named}"
        branch = f"assertion.ref == 'refs/heads/{self.branch}'"
        return f"{place} && {branch} && assertion.ref_protected == 'true'"
