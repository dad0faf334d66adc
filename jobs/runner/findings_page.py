"""Page of findings: every rule explained, as docs/findings.md has it."""

from itertools import groupby

from jobs.runner.rules import RULES, Rule

_HEAD = """\
# What `vertune check` finds

Every finding has an id that stays. An **error** would fail, or the service would drop the example;
a **warning** will hurt; **advice** could make it better. Exit code 1 means that there are errors;
with `--strict` warnings are errors too. `vertune check --explain` prints this page,
`vertune check --explain VT-D014` one entry of it.

A spec may leave out warnings and advice that are meant to be so, with a reason:

```
check:
  ignore:
    - {id: VT-D038, reason: scored by hand}
```
"""
_CHAPTERS = {
    "VT-S0": "Specs",
    "VT-D0": "Form and size of the data",
    "VT-D1": "What the examples say",
    "VT-D2": "Secrets and people",
}


def page() -> str:
    parts = [_HEAD]
    for start, rules in groupby(sorted(RULES.values(), key=lambda r: r.id), lambda r: r.id[:5]):
        parts.append(f"## {_CHAPTERS[start]}\n")
        parts += [f"### {rule.id}, {rule.severity}\n\n{_text(rule)}\n" for rule in rules]
    return "\n".join(parts)


def entry(rule: Rule) -> str:
    return f"{rule.id}, {rule.severity}\n\n{_text(rule)}"


def _text(rule: Rule) -> str:
    return f"{rule.what}\n{rule.remedy}\n\n{rule.why}"
