"""People and secrets: checksums, and masks that show too little to be used."""

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.datasets.redact import redact
from jobs.runner.findings.people import KINDS, card, iban, matches
from jobs.runner.findings.secrets import OTHERS, masked, one
from jobs.runner.findings.tokens import TOKENS
from tests.runner.findings.datasets import findings

# Each has one, and nothing else that is to be found.
PHONES = """\
Ring (555) 123-4567
(030) 1234567
030 1234567
020 7946 0958
01 42 68 53 00
01.42.68.53.00
030/901820
030 / 90 18 20-77
(02) 9374 4000
(11) 91234-5678
03-1234-5678
212 736 5000
212.736.5000
0171-1234567
07911 123456
Tel.: 0301234567
Telephone number is 02079460958
call me at 07911123456
Tel: 612 345 678
Tlf. 22 12 34 56
電話: 0312345678
tel 91 123 45 67
+49 30 901820 77
""".splitlines()
ADDRESSES = """\
2606:4700:4700::1111
from [2a00:1450:4001:81b::200e]:443 on
2600:1F18:0147:E800:2345:6789:ABCD:EF01.
2a02:2e0:3fe:1001:302::/80
8.8.8.8
::ffff:9.9.9.9
""".splitlines()
NOBODYS = """\
on 23.11.2026 at 10:30, 2026-11-23 10:30:45, 01/02/2024 12:30, 05/2024 1234 pieces
order 0301234567, order 4711 0815 99, 0012345678, 012345678901, no. 978-0-306-40615-2
1 234 567 890, 12 345 678, 10 000 000 000, 0.123456789, 1,234,567,890.00
05 12 17 23 38 41 and 3 05 12 17 23 38, 2024 01 02 03 04 05, 001 002 003
called 2026-11-23, Call 20261123, mobile sales 23 456 789, called 12 times, 1234567 in all
brotli>=1.2.0.2, section 3.1.3.2, §4.2.3.1, Boston, MA 02110-1301
version 01.02.03.04.05, (2019) 123-456-789, (1) 2000 3000 4000, 212-555-0123
array([+1.12345679]), +2147483647, +1980-02-29 01:02:03, +0301234567
12:30:45, 2026:11:23 12:30:45, 00:1a:2b:3c:4d:5e, 001a:2b3c:4d5e, std::cafe, beef::add, a::b
::1, ::, fe80::1ff:fe23:4567:890a, fd12:3456:789a::1, 2001:db8::1, 3fff:1::1, 2000::cafe::1
2026:1, 2001:db8:0:0:0:0:0:1, 3000: 4000: 5000, 2222::find(), 2606:4700, x2606:4700:4700::1111
""".splitlines()


@given(st.text(string.digits, min_size=11, max_size=16))
def test_one_digit_in_ten_makes_a_card_number_of_a_start(digits: str) -> None:
    right = [last for last in string.digits if card(f"42{digits}{last}")]
    assert len(right) == 1


def test_a_card_number_with_two_digits_changed_around_is_none() -> None:
    assert card("4242 4242 4242 4242")
    assert not card("4242 4242 4242 2442")
    assert not card("0000 0000 0000 0000")


@given(st.text(string.digits + string.ascii_uppercase, min_size=11, max_size=30))
def test_one_pair_of_check_digits_makes_an_iban(rest: str) -> None:
    right = [check for check in range(2, 99) if iban(f"DE{check:02}{rest}")]
    assert len(right) == 1


@given(st.text(min_size=1, max_size=200))
def test_at_most_a_quarter_of_a_secret_is_shown(secret: str) -> None:
    shown = masked(secret).partition("…")[0]
    assert secret.startswith(shown)
    assert len(shown) <= len(secret) / 4


def test_what_looks_like_an_address_and_is_none_is_left_alone() -> None:
    said = {
        "postgres://ann:hunter2pw@db.acme.org/x": [],  # a secret, and said as one
        "mailto:ann@acme.org, https://acme.org/ann@acme.org": ["ann@acme.org"] * 2,
        "version 4.8.8.1, Version 4.8.8.1, v4.8.8.1": [],
        "8.8.8.8": ["8.8.8.8"],
    }
    found = {text: [match for _, match in matches(text, KINDS)] for text in said}
    assert found == said


def test_each_is_said_with_its_article() -> None:
    names = {*(secret.name for secret in (*TOKENS, *OTHERS)), *(kind.name for kind in KINDS)}
    said = {one(name) for name in names}
    assert {"an e-mail address", "an IP address", "an IBAN", "an API key of Google"} <= said
    assert {"a password", "a JSON web token", "a card number", "a key of AWS"} <= said


@pytest.mark.parametrize(("texts", "id"), [(PHONES, "VT-D213"), (ADDRESSES, "VT-D214")])
def test_each_is_found_as_it_is_written(texts: list[str], id: str, tmp_path: Path) -> None:
    said = findings(tmp_path, "chat", [(text, str(i)) for i, text in enumerate(texts)])
    found = [(one.rule.id, one.problem.line) for one in said if one.rule.id.startswith("VT-D2")]
    assert found == [(id, line) for line, _ in enumerate(texts, 1)]


def test_dates_orders_prices_and_names_of_programs_are_nobodys(tmp_path: Path) -> None:
    said = findings(tmp_path, "chat", [(text, str(i)) for i, text in enumerate(NOBODYS)])
    assert not [str(one) for one in said if one.rule.id.startswith("VT-D2")]


def test_redact_masks_what_a_check_finds_and_nothing_else(tmp_path: Path) -> None:
    texts = [*PHONES, *ADDRESSES, *NOBODYS]
    lines = [json.dumps({"input_text": text, "output_text": "b"}) + "\n" for text in texts]
    (tmp_path / "in.jsonl").write_text("".join(lines), "utf-8")
    count = redact(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert count == {"telephone number": len(PHONES), "IP address": len(ADDRESSES)}
    assert (tmp_path / "out.jsonl").read_text("utf-8").endswith("".join(lines[-len(NOBODYS) :]))
