"""Secrets: keys, tokens and passwords in texts; what is shown of one is never enough to use it."""

import re
from collections.abc import Iterator, Mapping, Sequence

from jobs.runner import rules
from jobs.runner.findings.tokens import TOKENS, Pattern
from jobs.runner.found import Found
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding

OTHERS = (
    Pattern(
        rules.PRIVATE_KEY,
        "private key",
        ("-----begin ",),
        # Up to its end, or as far as it looks like one: what is left of a key is still a key.
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:(?!-----)[\s\S])*-----END (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"
        r"|(?:(?:\s|\\n)*[A-Za-z0-9+/=]{16,})*)",
    ),
    Pattern(
        rules.PASSWORD,
        "password in a URL",
        ("://",),
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,80}:([^\s/:@]{3,80})@[\w.-]+",
    ),
    Pattern(
        rules.PASSWORD,
        "password",
        ("assw", "ecret", "pi_key", "pikey", "_token", "authtoken", "ccountkey", "ccess_key"),
        r"(?i)(?<![^\W_])(?:password|passwd|secret|(?:secret_)?access_key|secret_key|api_?key"
        r"|(?:access_|auth_?)token|accountkey)[\"']?(?:\s{0,3}[:=]\s{0,3}|\s+is:?\s+)[\"']?"
        r"(?=\S{0,80}\d)(?=\S{0,80}[A-Za-z])(?![\w.]{1,80}[(\[])([^\s\"',;]{8,})",
    ),
)

# Tokens have a long run of letters, digits and these, which hardly any text of words has.
_RUN = bytes(
    97 if (chr(byte).isalnum() and byte < 128) or byte in b"-_.~" else 32 for byte in range(256)
)
_LONG = b"a" * 20


class Secrets:
    """Patterns are tried only where they may match."""

    marks: Mapping[str, str] = {
        "token": "|".join(one.mark for one in TOKENS),
        **{one.name: "(?i)" + "|".join(map(re.escape, one.starts)) for one in OTHERS},
    }

    def __init__(self) -> None:
        self._found: dict[SplitName, Found] = {}

    def look(self, rows: Rows, marked: Mapping[str, Sequence[int]]) -> None:
        self._found.setdefault(rows.split, Found(rows.shown))
        self._search(rows, TOKENS, [row for row in marked["token"] if _has_run(rows.text(row))])
        for pattern in OTHERS:
            self._search(rows, (pattern,), marked[pattern.name])

    def _search(self, rows: Rows, patterns: Sequence[Pattern], there: Sequence[int]) -> None:
        found = self._found[rows.split]
        for row in there:
            for pattern, secret in matches(rows.text(row), patterns):
                what = f"holds {one(pattern.name)}: {masked(secret)}"
                found.add(pattern.rule, rows.numbers[row], what)

    def findings(self) -> Iterator[Finding]:
        for found in self._found.values():
            yield from found.all()


def _has_run(text: str) -> bool:
    return _LONG in text.encode().translate(_RUN)


def matches(text: str, patterns: Sequence[Pattern]) -> Iterator[tuple[Pattern, str]]:
    for pattern in patterns:
        if pattern.rule is not rules.TOKEN or pattern.may_be_in(text):
            for match in re.finditer(pattern.pattern, text):
                yield pattern, match[match.re.groups]


def one(name: str) -> str:
    """With its article; I, A and O begin an IBAN, an API key and an OAuth token as vowels, too."""
    return f"{'an' if name[0] in 'aeioAIO' else 'a'} {name}"


def masked(secret: str, shown: int = 4) -> str:
    """The start of it, enough to find it and not to use it; of a short one less."""
    kept = secret[: min(shown, len(secret) // 4)]
    return f"{kept}… ({len(secret)} characters)"
