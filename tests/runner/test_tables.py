"""Tables: nothing is cut, and no text from elsewhere can act where the table is shown."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner import tables
from jobs.runner.errors import plain


def test_nothing_is_cut_however_long_it_is() -> None:
    long = "projects/1/models/" + "x" * 20_000
    assert long in tables.text(("name", "model"), [("a", long)])
    assert long in tables.markdown(("name", "model"), [("a", long)])


def test_lines_of_a_text_stay_lines_and_do_not_end_in_blanks() -> None:
    drawn = tables.text(("prompt", "answer"), [("one\ntwo", "x")])
    assert drawn.splitlines()[2:] == ["  one      x", "  two"]
    assert "\n".join(line.rstrip() for line in drawn.splitlines()) == drawn


def test_text_is_shown_as_it_is_and_moves_nothing() -> None:
    drawn = tables.text(("a",), [("[bold]x[/] :rocket: \x1b[2J",)])
    assert r"[bold]x[/] :rocket: \x1b[2J" in drawn


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, 3 → 4 (jobs/a.yaml:5)", None),
        ("at_least 0.9", None),
        ("a|b", r"a\|b"),
        ("a\r\nb\nc", "a b c"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)>"),
        ("&lt;b&gt; &#64;team", "&amp;lt;b&amp;gt; &amp;#\u200b64;team"),
        ("@octocat and @org/team", "@\u200boctocat and @\u200borg/team"),
        ("projects/1/locations/us/models/7@1", None),
        ("fixes #12", "fixes #\u200b12"),
        ("![x](http://evil)", r"!\[x\](http://evil)"),
        ("`code` *bold* _soft_ ~gone~", r"\`code\` \*bold\* \_soft\_ \~gone\~"),
        ("__init__", r"\_\_init\_\_"),
        ("$2 or $3", r"\$2 or \$3"),
        ("back\\slash", r"back\\slash"),
        ("\x1b[31m", r"\\x1b\[31m"),
    ],
)
def test_markdown_shows_a_text_as_it_is(text: str, shown: str | None) -> None:
    assert tables.escaped(text) == (text if shown is None else shown)


def test_a_cell_can_not_break_its_row() -> None:
    drawn = tables.markdown(("a", "b"), [("x | y\n| z |", "\\|")])
    assert drawn.splitlines()[:2] == ["| a | b |", "| --- | --- |"]
    (row,) = drawn.splitlines()[2:]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 3


_NASTY = st.text(st.sampled_from("ab12 @#<>&|\\`*_[]()~$!:/\n\r\x1b\u202e"), max_size=30)


@given(_NASTY)
def test_no_text_is_markup_html_or_a_mention(text: str) -> None:
    shown = tables.escaped(text)
    assert shown.isprintable() or "\u200b" in shown
    assert "<" not in shown
    assert not re.search(r"(?<!\w)@\w|#\d", shown)
    unescaped = re.sub(r"\\[\\`*\[\]~|$_]", "", shown)
    assert not re.search(r"[\\`*\[\]~|$]", unescaped)
    readable = html.unescape(re.sub(r"\\([\\`*\[\]~|$_])", r"\1", shown)).replace("\u200b", "")
    assert readable == plain(text.replace("\r\n", "\n").replace("\n", " "))
