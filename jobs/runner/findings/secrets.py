"""Secrets: keys, tokens and passwords in texts; what is shown of one is never enough to use it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jobs.runner import rules
from jobs.runner.found import Found
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding, Rule


@dataclass(frozen=True)
class Pattern:
    """What a secret looks like; texts without one of `starts` need no second look.

    The first group of the pattern, or all of it, is the secret.
    """

    rule: Rule
    name: str
    starts: tuple[str, ...]
    pattern: re.Pattern[str]


def _token(name: str, starts: tuple[str, ...], pattern: str) -> Pattern:
    return Pattern(rules.TOKEN, name, starts, re.compile(rf"(?<![\w-])({pattern})(?![\w-])"))


# As the issuers document them, and as the scanners of code hosts look for them.
PATTERNS = (
    Pattern(
        rules.PRIVATE_KEY,
        "private key",
        ("-----BEGIN ",),
        re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    ),
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
    Pattern(
        rules.PASSWORD,
        "password in a URL",
        ("://",),
        re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,80}:([^\s/:@]{3,80})@[\w.-]+"),
    ),
    Pattern(
        rules.PASSWORD,
        "password",
        ("assword", "ASSWORD", "asswd", "ecret", "ECRET", "pi_key", "PI_KEY", "piKey"),
        re.compile(
            r"(?i)\b(?:password|passwd|client_secret|secret|api_?key)[\"']?"
            r"(?:\s{0,3}[:=]\s{0,3}|\s+is:?\s+)[\"']?(?=\S*\d)(?=\S*[A-Za-z])([^\s\"',;]{8,80})"
        ),
    ),
)


class Secrets:
    """Starts of secrets are looked for in many texts at once; patterns only where one is."""

    def __init__(self) -> None:
        self._found: dict[SplitName, Found] = {}

    def take(self, rows: Rows) -> None:
        found = self._found.setdefault(rows.split, Found(rows.shown))
        texts = [
            f"{asked}\n{answer}" for asked, answer in zip(rows.asked, rows.answers, strict=True)
        ]
        whole = "\n".join(texts)
        for pattern in PATTERNS:
            here = [start for start in pattern.starts if start in whole]
            if here:
                self._search(rows, texts, pattern, here, found)

    def _search(
        self, rows: Rows, texts: list[str], pattern: Pattern, starts: list[str], found: Found
    ) -> None:
        for line, text in zip(rows.numbers, texts, strict=True):
            if any(start in text for start in starts):
                for match in pattern.pattern.finditer(text):
                    what = f"holds a {pattern.name}: {masked(match[match.re.groups])}"
                    found.add(pattern.rule, line, what)

    def findings(self) -> Iterator[Finding]:
        for found in self._found.values():
            yield from found.all()


def masked(secret: str, shown: int = 4) -> str:
    """The start of it, enough to find it and not to use it; of a short one less."""
    kept = secret[: min(shown, len(secret) // 4)]
    return f"{kept}… ({len(secret)} characters)"
