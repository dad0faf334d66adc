"""People: numbers and addresses by which somebody can be found or charged, shown masked."""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from jobs.runner import rules
from jobs.runner.findings import phones
from jobs.runner.findings.secrets import masked, one
from jobs.runner.found import Found
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding, Rule


@dataclass(frozen=True)
class Kind:
    """A pattern, compiled when it is needed, and what must hold of all that it matches."""

    rule: Rule
    name: str
    pattern: str
    holds: Callable[[str], bool]


def card(text: str) -> bool:
    """Luhn's checksum, and a length and start that payment cards have."""
    digits = [int(character) for character in text if character.isdigit()]
    if not 13 <= len(digits) <= 19 or digits[0] not in (3, 4, 5, 6) or len(set(digits)) < 2:
        return False
    doubled = [digit if place % 2 else digit * 2 for place, digit in enumerate(digits[-2::-1])]
    total = sum(digit - 9 if digit > 9 else digit for digit in doubled)
    return (total + digits[-1]) % 10 == 0


def iban(text: str) -> bool:
    """The checksum of ISO 13616: read as a number, the rest by 97 is 1."""
    whole = text.replace(" ", "")
    turned = whole[4:] + whole[:4]
    return 15 <= len(whole) <= 34 and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


_RESERVED = re.compile(
    r"(?:[.@]example\.(?:com|org|net)|[.@](?:example|test|invalid|localhost))$", re.IGNORECASE
)


def email(text: str) -> bool:
    """Not one of the domains that are set aside for examples (RFC 2606), nor a password's end."""
    return "://" not in text and not _RESERVED.search(text)


# RFC 9637; the older one for examples is known to all versions of the library.
_EXAMPLES = ipaddress.IPv6Network("3fff::/20")


def address(text: str) -> bool:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return False
    return found.is_global and found not in _EXAMPLES


_EMAIL = Kind(
    rules.EMAIL,
    "e-mail address",
    r"\b(?:[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,80}:)?[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b",
    email,
)
_ADDRESSES = (
    Kind(
        rules.ADDRESS,
        "IP address",
        r"(?a)(?<![\w.§])(?<![Vv]ersion )(?<![Ss]ection[ -])(?<![=<>~!]=)"
        r"(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)",
        address,
    ),
    Kind(  # all that are routed begin so, which no time and no name of a program does
        rules.ADDRESS,
        "IP address",
        r"(?a)(?<![\w.:-])[23][0-9A-Fa-f]{3}(?::{1,2}[0-9A-Fa-f]{1,4}){1,7}(?:::)?(?![\w-]|:\w)",
        address,
    ),
)
_LONG_NUMBERS = (  # in the order in which a text belongs to the first that takes it
    Kind(
        rules.IBAN,
        "IBAN",
        r"(?a)\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
        iban,
    ),
    Kind(
        rules.CARD,
        "card number",
        r"(?a)(?<![\w.-])(?:(?:\d{4}[ -]){3}\d{4}|\d{4}[ -]\d{6}[ -]\d{5}|\d{13,19})(?![\w-])",
        card,
    ),
    *(
        Kind(rules.PHONE, "telephone number", f"(?a){pattern}", holds)
        for pattern, holds in (
            (phones.INTERNATIONAL, phones.international),
            (phones.GROUPED, phones.grouped),
            (phones.NAMED, phones.national),
        )
    ),
)
KINDS = (_EMAIL, *_LONG_NUMBERS, *_ADDRESSES)


class People:
    """Patterns are tried only where they may match."""

    marks: Mapping[str, str] = {
        "at": "@",
        "parted number": r"[0-9]\.[0-9]",
        "sixth version": "[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{1,4}:|:[0-9A-Fa-f]|:)",
        "long number": r"[0-9](?:[ ().+/-]*[0-9]){8}",
        "called": rf"{phones.CALLED}\(?[0-9](?:[ ()./-]{{0,2}}[0-9]){{6}}",
    }

    def __init__(self) -> None:
        self._found: dict[SplitName, Found] = {}

    def look(self, rows: Rows, marked: Mapping[str, Sequence[int]]) -> None:
        self._found.setdefault(rows.split, Found(rows.shown))
        self._search(rows, (_EMAIL,), marked["at"])
        self._search(rows, _ADDRESSES, _either(marked, "parted number", "sixth version"))
        self._search(rows, _LONG_NUMBERS, _either(marked, "long number", "called"))

    def _search(self, rows: Rows, kinds: tuple[Kind, ...], there: Sequence[int]) -> None:
        found = self._found[rows.split]
        for row in there:
            for kind, match in matches(rows.text(row), kinds):
                what = f"holds {one(kind.name)}: {masked(match, 3)}"
                found.add(kind.rule, rows.numbers[row], what)

    def findings(self) -> Iterator[Finding]:
        for found in self._found.values():
            yield from found.all()


def _either(marked: Mapping[str, Sequence[int]], *names: str) -> Sequence[int]:
    return sorted({row for name in names for row in marked[name]})


def matches(text: str, kinds: tuple[Kind, ...]) -> Iterator[tuple[Kind, str]]:
    """What each kind finds; what one has taken the next does not see."""
    for kind in kinds:
        for match in re.finditer(kind.pattern, text):
            if kind.holds(match[0]):
                yield kind, match[match.re.groups]
        text = re.sub(kind.pattern, partial(_without, kind), text)


def _without(kind: Kind, match: re.Match[str]) -> str:
    return " " if kind.holds(match[0]) else match[0]
