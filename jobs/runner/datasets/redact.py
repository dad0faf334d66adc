"""Redact: a copy in which secrets and personal data are replaced by what they were."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from jobs.runner.datasets.files import checked, new, rows
from jobs.runner.findings.people import KINDS
from jobs.runner.findings.secrets import OTHERS
from jobs.runner.findings.tokens import TOKENS


def redact(path: Path, to: Path) -> Counter[str]:
    """How often each kind was replaced."""
    checked(path)
    count: Counter[str] = Counter()
    with new(to) as stream:
        for row in rows(path):
            body = json.loads(row.line)
            clean = _everywhere(body, count)
            same = clean == body
            stream.write(row.line if same else json.dumps(clean, ensure_ascii=False).encode())
            stream.write(b"\n")
    return count


def _everywhere(value: Any, count: Counter[str]) -> Any:
    if isinstance(value, str):
        return without(value, count)
    if isinstance(value, list):
        return [_everywhere(one, count) for one in value]
    if isinstance(value, dict):
        return {key: _everywhere(one, count) for key, one in value.items()}
    return value


def without(text: str, count: Counter[str]) -> str:
    """The text with `[kind]` in place of each secret, number and address of a person."""
    for secret in (*[one for one in TOKENS if one.may_be_in(text)], *OTHERS):
        text = _replaced(text, secret.pattern, secret.name, count, lambda found: True)
    for kind in KINDS:
        text = _replaced(text, kind.pattern, kind.name, count, kind.holds)
    return text


def _replaced(text: str, pattern: str, name: str, count: Counter[str], holds: Any) -> str:
    def put(match: re.Match[str]) -> str:
        if not holds(match[0]):
            return match[0]
        count[name] += 1
        start, end = match.span(match.re.groups)
        return match[0][: start - match.start()] + f"[{name}]" + match[0][end - match.start() :]

    return re.sub(pattern, put, text)
