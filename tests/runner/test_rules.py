"""Rules: ids that stay, a sentence each, and a page that holds them all."""

import re
from pathlib import Path

import pytest

from jobs.runner import findings_page, rules
from jobs.runner.rules import RULES, Rule

ROOT = Path(__file__).parents[2]


def test_the_page_is_the_one_that_would_be_generated_now() -> None:
    published = (ROOT / "docs/findings.md").read_text("utf-8")
    assert published == findings_page.page(), "run: vertune check --explain > docs/findings.md"


def test_every_rule_has_a_name_in_the_module_and_its_own_id() -> None:
    named = [value for value in vars(rules).values() if isinstance(value, Rule)]
    assert {rule.id: rule for rule in named} == RULES
    assert len(named) == len(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_says_what_and_what_to_do_in_a_sentence_each(rule: Rule) -> None:
    assert re.fullmatch(r"VT-[SD]\d{3}", rule.id)
    for text in (rule.what, rule.remedy):
        assert re.fullmatch(r"[A-Z][^\n]{8,110}\.", text), text
    assert rule.why.endswith(".")
