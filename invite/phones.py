"""Phone numbers as people write them, normalised to E.164 before anything else.

The library accepts letters, extensions and other scripts' digits without an error, so the text is checked first, and
the library gets a plus sign and digits only. Import this module with the first phone number: that takes 10 to 30 ms.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import phonenumbers as library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.configuration.callers import PhonePrefixes

_WRITE = "Write a plus sign, the country code and the number, such as +12065550100."
_NO_COUNTRY = "The phone number has no valid country code."
_WRONG_LENGTH = "The phone number has too few or too many digits for its country."
_MEXICO = "Phone numbers of Mexico no longer have a 1 after +52. Leave out the 1."
_LONGEST_TEXT = 250
# E.164 has at most 15 digits; the library's metadata has longer numbers.
_MOST_DIGITS = 15
# Direction marks, which come with numbers that are copied from contact lists.
_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Dashes that Unicode has in other categories than Pd: soft hyphen, hyphen bullet, super- and subscript minus, minus.
_MORE_DASHES = "\u00ad\u2043\u207b\u208b\u2212"
_PLAIN = re.compile(r"[0-9 .()/-]*")
_EXTENSION = ";,#*~"
_TRUNK_ZERO = re.compile(r"\( *0 *\)")
_NON_GEOGRAPHIC = "001"
_DIGITS_TO_LIST = 3


class PhoneRefused(ValueError):
    """Something can't be used as a phone number; the message says why and what to write, without the value."""


class NotAllowed(PhoneRefused):
    """``PHONE_PREFIXES`` doesn't allow the number."""


def normalised(text: str) -> str:
    """Return a phone number in E.164.

    Raises:
        PhoneRefused: it can't be used as one.
    """
    numbers: list[library.PhoneNumber] = []
    refusals: list[PhoneRefused] = []
    for digits in _readings(_checked(text)):
        try:
            numbers.append(_possible(digits))
        except PhoneRefused as refusal:
            refusals.append(refusal)
    if not numbers:
        raise refusals[0]
    chosen = next(filter(library.is_valid_number, numbers), numbers[0])
    return library.format_number(chosen, library.PhoneNumberFormat.E164)


def check_allowed(number: str, prefixes: PhonePrefixes) -> None:
    """Check a number in E.164 against ``PHONE_PREFIXES``.

    Raises:
        NotAllowed: it may not be called; the message names the prefix to list.
    """
    parsed = library.parse(number)
    code = f"+{parsed.country_code}"
    costly = (library.PhoneNumberType.PREMIUM_RATE, library.PhoneNumberType.PERSONAL_NUMBER)
    if library.number_type(parsed) in costly:
        needed, prefix = len(code) + 1, number[: len(code) + _DIGITS_TO_LIST]
    elif library.region_code_for_number(parsed) == _NON_GEOGRAPHIC:
        needed, prefix = len(code), code
    else:
        needed, prefix = 0 if prefixes.allows_all else 1, code
    if needed and not any(len(listed) >= needed and number.startswith(listed) for listed in prefixes.listed):
        raise NotAllowed(
            "The app isn't allowed to call this phone number. "
            f"Use another number, or ask your administrator to add {prefix} to PHONE_PREFIXES."
        )


def _checked(text: str) -> str:
    """Return what follows the plus sign, with plain spaces and dashes.

    Raises:
        PhoneRefused: the text has something that a phone number doesn't have.
    """
    if len(text) > _LONGEST_TEXT:
        raise PhoneRefused(f"The phone number is too long. {_WRITE}")
    plain = "".join(map(_plain, text.strip(_MARKS))).strip(" " + _MARKS)
    if plain[:4].casefold() == "tel:":
        plain = plain[4:].lstrip(" ")
    if any(letter.isalpha() or letter in _EXTENSION for letter in plain):
        raise PhoneRefused(f"The phone number has letters or an extension, which can't be called. {_WRITE}")
    if not plain.startswith("+"):
        raise PhoneRefused(f"The phone number doesn't start with a plus sign and its country code. {_WRITE}")
    number = plain[1:]
    if not _PLAIN.fullmatch(number):
        raise PhoneRefused(f"The phone number has characters that can't be used. {_WRITE}")
    if not _is_balanced(number):
        raise PhoneRefused(f"A parenthesis of the phone number is missing. {_WRITE}")
    before, slash, after = number.partition("/")
    if slash and not (_digits(before) and _digits(after) and "/" not in after):
        raise PhoneRefused(f"The phone number has a slash that separates nothing, or several numbers. {_WRITE}")
    return number


def _plain(letter: str) -> str:
    category = unicodedata.category(letter)
    if category == "Zs":
        return " "
    return "-" if category == "Pd" or letter in _MORE_DASHES else letter


def _is_balanced(text: str) -> bool:
    depth = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return False
    return depth == 0


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _readings(number: str) -> Iterator[str]:
    """Return the digits to try, in order: ``(0)`` after the country code is dialled in some countries only."""
    zero = _TRUNK_ZERO.search(number)
    code = _digits(number[: zero.start()]) if zero else ""
    if zero is None or code not in map(str, library.COUNTRY_CODE_TO_REGION_CODE):
        yield _digits(number)
        return
    rest = _digits(number[zero.end() :])
    both = (f"{code}0{rest}", f"{code}{rest}")
    yield from both if _keeps_zero(int(code)) else reversed(both)


@cache
def _keeps_zero(code: int) -> bool:
    """Return whether numbers of a country code may begin with 0, by the examples of the library's metadata."""
    kinds = (library.PhoneNumberType.FIXED_LINE, library.PhoneNumberType.MOBILE)
    regions = library.COUNTRY_CODE_TO_REGION_CODE[code]
    examples = [library.example_number_for_type(region, kind) for region in regions for kind in kinds]
    return any(library.national_significant_number(number).startswith("0") for number in examples if number)


def _possible(digits: str) -> library.PhoneNumber:
    """Return the number that digits can be. It need not be *valid*: new ranges and those for examples aren't.

    Raises:
        PhoneRefused: they can be none.
    """
    try:
        number = library.parse(f"+{digits}")
    except library.NumberParseException as error:
        is_code = error.error_type == library.NumberParseException.INVALID_COUNTRY_CODE
        raise PhoneRefused(f"{_NO_COUNTRY if is_code else _WRONG_LENGTH} {_WRITE}") from None
    reason = library.is_possible_number_with_reason(number)
    if reason == library.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        raise PhoneRefused(f"The phone number has no area code, or can't be called from other countries. {_WRITE}")
    is_long = len(library.format_number(number, library.PhoneNumberFormat.E164)) > len("+") + _MOST_DIGITS
    if is_long or reason != library.ValidationResult.IS_POSSIBLE:
        raise PhoneRefused(_MEXICO if digits.startswith("521") else f"{_WRONG_LENGTH} {_WRITE}")
    return number
