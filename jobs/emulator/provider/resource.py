"""Resource: the inputs a type takes, what a change of each means, and the calls behind it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from jobs.emulator.provider.client import Client, Values
from jobs.emulator.provider.protocol import UNKNOWN


@dataclass(frozen=True)
class Input:
    required: bool = False
    replaces: bool = False  # what it names cannot be changed, only made anew
    filled: bool = False  # the service chooses a value where none is given
    local: bool = False  # steers the provider; the service never hears of it
    any_case: bool = False


@dataclass(frozen=True)
class Difference:
    changed: tuple[str, ...]
    replacing: tuple[str, ...]
    delete_first: bool  # the new one has the old one's name


class Resource(ABC):
    """One type; objects of it serve every resource of the type and keep nothing of them."""

    token: ClassVar[str]
    inputs: ClassVar[Mapping[str, Input]]
    outputs: ClassVar[frozenset[str]]  # known only when the service has answered
    changing: ClassVar[frozenset[str]] = frozenset()  # those an update changes
    naming: ClassVar[frozenset[str]] = frozenset()  # inputs that no two may share

    @abstractmethod
    def create(self, client: Client, inputs: Values) -> str:
        """Make it; its id."""

    @abstractmethod
    def observe(self, client: Client, id: str, known: Values) -> tuple[str, Values] | None:
        """Its id and properties as they are now, or None; `id` may be what an import gave."""

    @abstractmethod
    def update(self, client: Client, id: str, old: Values, new: Values) -> None:
        """Change what can be changed."""

    @abstractmethod
    def delete(self, client: Client, id: str, state: Values) -> None:
        """Remove it, content if it is gone already."""

    def foresee(self, client: Client, inputs: Values) -> Values:
        """Outputs that follow from the inputs, known before anything is made."""
        return {}

    def check(self, inputs: Values) -> Iterable[tuple[str, str]]:
        """Property and reason of each fault."""
        for name in inputs.keys() - self.inputs.keys():
            yield name, f"the emulator's provider does not serve {name!r} of {self.token}"
        for name, rule in self.inputs.items():
            if rule.required and inputs.get(name) is None:
                yield name, f"{name!r} is needed; the emulator's provider never makes up a value"

    def diff(self, old: Values, state: Values, new: Values) -> Difference:
        """Between inputs; what the service had chosen counts as if it had been given."""
        filled = {name: state.get(name) for name, rule in self.inputs.items() if rule.filled}
        old = filled | old
        changed = tuple(name for name in self.inputs if not self._same(name, old, new))
        replacing = tuple(name for name in changed if self.inputs[name].replaces)
        return Difference(changed, replacing, bool(self.naming) and not self.naming & {*changed})

    def plan(self, client: Client, inputs: Values) -> Values:
        """The state that a create would give."""
        return dict.fromkeys(self.outputs, UNKNOWN) | inputs | self._foreseen(client, inputs)

    def plan_update(self, client: Client, state: Values, inputs: Values) -> Values:
        """The state that an update would give."""
        kept = {name: value for name, value in state.items() if name not in self.inputs}
        later = dict.fromkeys(self.changing, UNKNOWN)
        return kept | later | inputs | self._foreseen(client, inputs)

    def managed(self, old: Values, observed: Values) -> Values:
        """The inputs that would have led to what is observed; all of them if none are `old`."""
        inputs = {}
        for name, rule in self.inputs.items():
            value = observed.get(name, old.get(name) if rule.local else None)
            wanted = name in old or not old or not rule.filled
            if wanted and value not in (None, {}, [], ""):
                inputs[name] = value
        return inputs

    def _foreseen(self, client: Client, inputs: Values) -> Values:
        """What is made of an unknown part is itself unknown."""
        return {
            name: UNKNOWN if isinstance(value, str) and UNKNOWN in value else value
            for name, value in self.foresee(client, inputs).items()
        }

    def _same(self, name: str, old: Values, new: Values) -> bool:
        before, after = old.get(name) or None, new.get(name) or None  # empty is as good as none
        rule = self.inputs[name]
        if after is None and rule.filled:
            return True
        if rule.any_case and isinstance(before, str) and isinstance(after, str):
            return before.lower() == after.lower()
        return before == after


def project_of(client: Client, inputs: Mapping[str, Any]) -> str:
    return str(inputs.get("project") or client.project)
