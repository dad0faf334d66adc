"""Phones: telephone numbers as they are written at home, known by the plans of countries.

Digits alone could be an order's or a date: they need groups as a number has them, or its word.
"""

import re
from functools import cache

# Countries of many people, and of many who write; any other's are found with their + only.
_REGIONS = (
    *("US", "GB", "DE", "FR", "AU", "JP", "IN", "NL", "CH", "AT", "BE", "SE", "KR", "CN", "BR"),
    *("ZA", "TR", "IT", "ES", "PT", "PL", "NO", "DK", "CZ", "MX", "SG", "HK"),
)
_WORDS = "tel|tél|tlf|phone|mobil|móvil|cell|fax|handy|whatsapp|call|ring|電話|电话|전화|тел"
# "Tel.: ", "Telephone number is ", "call me at "
CALLED = rf"(?i:{_WORDS})[a-z]{{0,8}}(?: (?:number|no|nr|is|me|us|at|on)){{0,3}}[ .:=#-]{{0,4}}"

INTERNATIONAL = (
    r"(?<![\w.+-])(?:\+\d{1,3}[ ./-]?(?:\(0?\d{1,5}\)[ ./-]?)?\d(?:[ ./-]?\d){6,12}"
    r"|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4})(?![\w-])"
)
_FORMS = (
    r"0\d{1,4}(?: \d{2,8}){1,4}(?:-\d{1,4})?",  # 020 7946 0958, 01 42 68 53 00
    r"(?!\d{5}-\d{4}(?!-))0\d{1,4}(?:-\d{3,8}){1,2}",  # 03-1234-5678, and no ZIP code
    r"0\d(?:\.\d\d){4}",  # 01.42.68.53.00
    r"0\d{2,4} ?/ ?\d{2,8}(?: \d{2,8}){0,3}(?:-\d{1,4})?",  # 030/901820
    r"\((?:0\d{1,4}|[1-9]\d{1,2})\) ?\d{3,8}(?:[ -]\d{2,5}){0,3}",  # (030) 1234567
    r"(?:1 )?[2-9]\d\d \d{3} \d{4}",  # 212 736 5000
    r"(?:1\.)?[2-9]\d\d\.\d{3}\.\d{4}",
)
_END = r"(?![ .,:/-]?\d|\w)"
GROUPED = rf"(?<![\w.,:+/-])(?<!\d )(?<![Vv]ersion )(?:{'|'.join(_FORMS)}){_END}"
NAMED = rf"(?<![A-Za-z]){CALLED}(\(?\d(?:[ ()./-]{{0,2}}\d){{6,13}}){_END}"
_DATE = re.compile(r"(?:19|20)\d\d([-./ ]?)[01]\d\1[0-3]\d$")


def international(text: str) -> bool:
    """9 to 15 digits, and none of the numbers that are set aside for stories."""
    digits = _digits(text)
    if not 9 <= len(digits) <= 15 or "55501" in digits or len(set(digits)) < 3:
        return False
    return not text.startswith("+") or _called(digits)


def _called(digits: str) -> bool:
    """Whether a country is called so; to look into its plan takes too long where there are many."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE as codes

    if digits[0] == "1":
        return len(digits) == 11
    return digits[0] != "0" and any(int(digits[:length]) in codes for length in (1, 2, 3))


def grouped(text: str) -> bool:
    return len(_digits(text)) >= 9 and national(text)


def national(text: str) -> bool:
    """A number of somebody's in the plan of one of the countries; dates are none."""
    digits = _digits(text)
    if "55501" in digits or len(set(digits)) < 3 or _DATE.search(text):
        return False
    return bool(_plans().fullmatch(digits))


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


@cache
def _plans() -> re.Pattern[str]:
    """One expression for all, as parsing a number once for each country takes a millisecond."""
    return re.compile("|".join(map(_plan, _REGIONS)))


def _plan(region: str) -> str:
    from phonenumbers import PhoneMetadata

    plan = PhoneMetadata.metadata_for_region(region)
    assert plan is not None, region
    kinds = (plan.fixed_line, plan.mobile, plan.voip, plan.personal_number)
    numbers = [kind.national_number_pattern for kind in kinds if kind]
    return f"(?:{plan.national_prefix or ''})?(?:{'|'.join(filter(None, numbers))})"
