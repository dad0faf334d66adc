"""Faults: the rules in force, as the file in the emulator's folder has them, and their hits."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from jobs.emulator.errors import invalid
from jobs.emulator.faults.reading import RulesError, rules
from jobs.emulator.faults.rule import Rule
from jobs.emulator.wire import Cut, Request

log = logging.getLogger(__name__)

FILE = "faults.yaml"


class Armed:
    """A rule in force: the requests it matched, hit, and has in its hands; if it is no more."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.seen = self.hits = self.held = 0
        self.lifted = False

    def described(self) -> dict[str, Any]:
        counts = {"seen": self.seen, "hits": self.hits, "held": self.held}
        return {**self.rule.given(), **counts}


class Faults:
    """Read again when the file changed; new rules count from zero and free what old ones held."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._changed = threading.Condition()
        self._armed: tuple[Armed, ...] = ()
        self._refusal = ""
        self._signature: tuple[int, ...] | None = None
        self._closed = False

    def set(self, *rules: Rule) -> None:
        self.write(yaml.safe_dump([rule.given() for rule in rules]), "rules")

    def write(self, text: str, source: str) -> None:
        """Put the rules of a text into force; RulesError and no change if they are none."""
        rules(text, source)
        partial = self._file.with_suffix(".partial")
        with self._changed:
            partial.write_text(text, "utf-8")
            partial.replace(self._file)
            self._read()

    def clear(self) -> None:
        with self._changed:
            self._file.unlink(missing_ok=True)
            self._read()

    def listed(self) -> list[dict[str, Any]]:
        """The fields of each rule, and how many requests it has `seen`, `hits`, has `held` now."""
        self.refresh()
        with self._changed:
            return [armed.described() for armed in self._armed]

    def wait(self, name: str, hits: int = 1, seconds: float = 30.0) -> None:
        """Until a rule has so many hits; TimeoutError in the end, KeyError if there is no rule."""
        self.refresh()
        with self._changed:
            armed = next((one for one in self._armed if one.rule.name == name), None)
            if armed is None:
                raise KeyError(name)
            self._changed.wait_for(lambda: armed.hits >= hits or self._over(armed), seconds)
            if armed.hits < hits:
                raise TimeoutError(f"fault rule {name} has {armed.hits} of {hits} hits")

    def due(self, request: Request) -> list[Armed]:
        """The rules whose turn it is; each request counts as it arrives."""
        self.refresh()
        if not self._armed:
            return []
        with self._changed:
            matching = [armed for armed in self._armed if armed.rule.matches(request)]
            for armed in matching:
                armed.seen += 1
            return [armed for armed in matching if armed.rule.due(armed.seen)]

    @contextmanager
    def hit(self, armed: Armed) -> Iterator[None]:
        """Around what the fault does: who sees the hit may count on it being under way."""
        self._count(armed, hits=1, held=1)
        try:
            yield
        finally:
            self._count(armed, held=-1)

    def lifted(self, armed: Armed, seconds: float) -> bool:
        """Whether the rule was taken back within so many seconds; Cut if the emulator ends."""
        with self._changed:
            lifted = self._changed.wait_for(lambda: self._over(armed), seconds)
            if self._closed:
                raise Cut
            return lifted

    def refresh(self) -> None:
        """Read the file if it is another than before; 400 as long as it is none."""
        if self._signature != _signature(self._file):
            with self._changed:
                if self._signature != _signature(self._file):  # nobody else did meanwhile
                    self._read()
        if self._refusal:
            raise invalid(self._refusal)

    def close(self) -> None:
        """Free whatever is held or delayed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _read(self) -> None:
        # Said last: who sees that the file was read goes on without the lock, by what it finds.
        signature, refusal = _signature(self._file), ""
        found: tuple[Rule, ...] = ()
        try:
            with self._file.open("rb") as file:  # whatever takes its place meanwhile is read next
                signature = _of(os.fstat(file.fileno()))
                found = rules(file.read().decode(), FILE)
        except FileNotFoundError:
            signature = None
        except (OSError, UnicodeDecodeError) as error:
            refusal = f"{FILE}: {error}"
        except RulesError as error:
            refusal = str(error)
        self._arm(found, refusal)
        self._signature = signature

    def _arm(self, found: tuple[Rule, ...], refusal: str) -> None:
        for armed in self._armed:
            armed.lifted = True
        self._armed, self._refusal = tuple(map(Armed, found)), refusal
        self._changed.notify_all()
        if refusal:
            log.error("no request is served until the rules are mended: %s", refusal)
        else:
            log.warning("fault rules in force: %s", [rule.given() for rule in found])

    def _count(self, armed: Armed, held: int, hits: int = 0) -> None:
        with self._changed:
            armed.hits += hits
            armed.held += held
            self._changed.notify_all()

    def _over(self, armed: Armed) -> bool:
        return armed.lifted or self._closed


def _signature(file: Path) -> tuple[int, ...] | None:
    try:
        return _of(os.stat(file))
    except OSError:
        return None


def _of(found: os.stat_result) -> tuple[int, ...]:
    return found.st_mtime_ns, found.st_size, found.st_ino
