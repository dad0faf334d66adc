"""Secrets: keys, tokens and passwords in texts; what is shown of one is never enough to use it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jobs.runner import rules
from jobs.runner.found import Found
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding, Rule


@dataclass(frozen=True)
class Pattern:
    """What a secret looks like; texts without one of `starts` need no second look.

    The first group of the pattern, or all of it, is the secret. It is compiled when it is needed.
    """

    rule: Rule
    name: str
    starts: tuple[str, ...]
    pattern: str


def _token(name: str, starts: tuple[str, ...], pattern: str) -> Pattern:
    return Pattern(rules.TOKEN, name, starts, rf"(?<![\w-])({pattern})(?![\w-])")


# As the issuers document them, and as the scanners of code hosts look for them.
TOKENS = (
    _token("key of AWS", ("AKIA", "ASIA"), r"A[KS]IA[A-Z2-7]{16}"),
    _token("API key of Google", ("AIza",), r"AIza[\w-]{35}"),
    _token("OAuth token of Google", ("ya29.",), r"ya29\.[\w-]{30,}"),
    _token("client secret of Google", ("GOCSPX-",), r"GOCSPX-[\w-]{28}"),
    _token("token of GitHub", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_\w{36}"),
    _token("token of GitHub", ("github_pat_",), r"github_pat_\w{60,}"),
    _token("token of GitLab", ("glpat-",), r"glpat-[\w-]{20,}"),
    _token("token of Slack", ("xoxb-", "xoxp-", "xoxa-", "xoxs-"), r"xox[bpas]-[\w-]{20,}"),
    _token(
        "webhook of Slack", ("hooks.slack.com/",), r"hooks\.slack\.com/services/T\w+/B\w+/\w{20,}"
    ),
    _token("key of Stripe", ("sk_live_", "rk_live_"), r"[sr]k_live_\w{20,}"),
    _token("key of OpenAI", ("sk-",), r"sk-(?:proj-|svcacct-)?[\w-]{40,}"),
    _token("token of Hugging Face", ("hf_",), r"hf_[A-Za-z]{34}"),
    _token("token of npm", ("npm_",), r"npm_\w{36}"),
    _token("token of PyPI", ("pypi-AgE",), r"pypi-AgE[\w-]{50,}"),
    _token("key of SendGrid", ("SG.",), r"SG\.[\w-]{22}\.[\w-]{43}"),
    _token("JSON web token", ("eyJ",), r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
)
OTHERS = (
    Pattern(
        rules.PRIVATE_KEY,
        "private key",
        ("-----begin ",),
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----",
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
        ("assw", "ecret", "pi_key", "pikey"),
        r"(?i)\b(?:password|passwd|client_secret|secret|api_?key)[\"']?"
        r"(?:\s{0,3}[:=]\s{0,3}|\s+is:?\s+)[\"']?(?=\S{0,80}\d)(?=\S{0,80}[A-Za-z])([^\s\"',;]{8,80})",
    ),
)

# Tokens have a long run of letters, digits, "-" and "_", which hardly any text of words has.
_RUN = bytes(
    97 if (chr(byte).isalnum() and byte < 128) or byte in b"-_" else 32 for byte in range(256)
)
_LONG = b"a" * 20


class Secrets:
    """Patterns are tried only where they may match."""

    marks: Mapping[str, str] = {
        "token": "|".join(re.escape(start) for one in TOKENS for start in one.starts),
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
        if pattern.rule is not rules.TOKEN or any(start in text for start in pattern.starts):
            for match in re.finditer(pattern.pattern, text):
                yield pattern, match[match.re.groups]


def one(name: str) -> str:
    """With its article; I, A and O begin an IBAN, an API key and an OAuth token as vowels, too."""
    return f"{'an' if name[0] in 'aeioAIO' else 'a'} {name}"


def masked(secret: str, shown: int = 4) -> str:
    """The start of it, enough to find it and not to use it; of a short one less."""
    kept = secret[: min(shown, len(secret) // 4)]
    return f"{kept}… ({len(secret)} characters)"
