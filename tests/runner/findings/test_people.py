"""People and secrets: checksums, and masks that show too little to be used."""

import string

from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.findings.people import KINDS, card, iban, matches
from jobs.runner.findings.secrets import OTHERS, TOKENS, masked, one


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
    said = {one(pattern.name) for pattern in (*TOKENS, *OTHERS, *KINDS)}
    assert {"an e-mail address", "an IP address", "an IBAN", "an API key of Google"} <= said
    assert {"a password", "a JSON web token", "a card number", "a key of AWS"} <= said
