"""Phone numbers as people write them: what is accepted, what is refused with what to write, what may be called."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clouds import CLOUDS
from domain.configuration.callers import PhonePrefixes
from invite.phones import NotAllowed, PhoneRefused, check_allowed, normalised
from invite.reading import invitees, read_body
from invite.request import InviteBody, InvitePhoneBody
from tests.invite.bodies import body, fault, people, phone, request
from web.errors import BadRequest

ROOT = Path(__file__).resolve().parents[2]
US = "+12065550100"
GB = "+442079460018"
DE = "+4930901820"

ACCEPTED = {
    "+12065550100": US,
    "+1 (206) 555-0100": US,
    "+1 206 555 0100": US,
    "+1-206-555-0100": US,
    "+1.206.555.0100": US,
    "+ 1 206 555 0100": US,
    "+1(206)5550100": US,
    "+(1) 206 555 0100": US,
    "  +12065550100  ": US,
    "tel:+12065550100": US,
    "TEL:+1-206-555-0100": US,
    "Tel: +1 206 555 0100": US,
    "+1\u00a0206\u00a0555\u00a00100": US,
    "+1\u202f206\u202f555\u202f0100": US,
    "+1\u2007206\u2009555\u30000100": US,
    "+1\u2011206\u2011555\u20110100": US,
    "+1\u2010206\u2012555\u20130100": US,
    "+1\u2014206\u2015555\u22120100": US,
    "+1\ufe63206\u2043555\uff0d0100": US,
    "+1\u00ad206\u00ad5550100": US,
    "\u202a+1 206 555 0100\u202c": US,
    "\u200e+12065550100\u200f": US,
    "\u2066+12065550100\u2069": US,
    "\u061c+12065550100": US,
    "\u202a tel:+12065550100 \u202c": US,
    "+1 ((206)) 555-0100": US,
    "+1 (206) 555 - 0100": US,
    "+44 20 7946 0018": GB,
    "+44 (0) 20 7946 0018": GB,
    "+44(0)2079460018": GB,
    "+44 ( 0 ) 20 7946 0018": GB,
    "+(44)(0)20 7946 0018": GB,
    "+44 020 7946 0018": GB,
    "+44 (0)7700 900123": "+447700900123",
    "+49 30/901820": DE,
    "+49 (0)30/901820": DE,
    "+49 30 / 90 18 20": DE,
    "+49 (30) 90-18-20": DE,
    "+49.30.901820": DE,
    "+33 (0)6 39 98 12 34": "+33639981234",
    "+33 1 42 68 53 00": "+33142685300",
    "+39 06 6982 1234": "+390669821234",
    "+39 (0)6 6982 1234": "+390669821234",
    "+39 (0) 02 1234567": "+39021234567",
    "+39 335 123 4567": "+393351234567",
    "+39 (0)335 123 4567": "+393351234567",
    "+378 (0)549 886377": "+3780549886377",
    "+225 (0)7 12 34 56 78": "+2250712345678",
    "+229 (0)1 95 12 34 56": "+2290195123456",
    "+241 (0)6 03 12 34": "+24106031234",
    "+242 (0)6 612 3456": "+242066123456",
    "+7 (495) 123-45-67": "+74951234567",
    "+81 (0)3-1234-5678": "+81312345678",
    "+61 (0)2 5550 1234": "+61255501234",
    "+353 (0)1 234 5678": "+35312345678",
    "+52 55 1234 5678": "+525512345678",
    "+55 (11) 91234-5678": "+5511912345678",
    "+91 98765 43210": "+919876543210",
    "+86 138 0013 8000": "+8613800138000",
    "+971 50 123 4567": "+971501234567",
    "+4915112345678": "+4915112345678",
    "+12345678901": "+12345678901",
    "+800 1234 5678": "+80012345678",
    "+870 773 111 632": "+870773111632",
}
PLUS, LETTERS, CHARACTERS, PARENTHESES = "start with a plus", "letters or an extension", "can't be used", "parenthesis"
SLASH, COUNTRY, LENGTH, LOCAL = "slash", "country code", "too few or too many", "no area code"
REFUSED = {
    "": PLUS,
    " ": PLUS,
    "2065550100": PLUS,
    "12065550100": PLUS,
    "0012065550100": PLUS,
    "030 901820": PLUS,
    "(+1) 206 555 0100": PLUS,
    "(0)30 901820": PLUS,
    "4:+12065550100": PLUS,
    "\uff0b12065550100": PLUS,
    "\u0661\u0662\u0660\u0666": PLUS,
    "tel:2065550100": PLUS,
    "tel:tel:+12065550100": LETTERS,
    "+1-800-FLOWERS": LETTERS,
    "+1 206 555 0100 ext. 5": LETTERS,
    "+1 206 555 0100 x12": LETTERS,
    "+1 206 555 0100;ext=12": LETTERS,
    "+1 206 555 0100#12": LETTERS,
    "+1 206 555 0100,12": LETTERS,
    "+1 206 555 0100*1": LETTERS,
    "+1 206 555 0100~12": LETTERS,
    "+1 206 555 0100 (mobile)": LETTERS,
    "p42 +1 206 555 0100": LETTERS,
    "Anna +12065550100": LETTERS,
    "+12065550100;phone-context=+1": LETTERS,
    "+12065550100\u30fc1": LETTERS,
    "+O12065550100": LETTERS,
    "++12065550100": CHARACTERS,
    "+1 206 555 0100 +1 206 555 0101": CHARACTERS,
    "+1\t206 555 0100": CHARACTERS,
    "+12065550100\n": CHARACTERS,
    "+1206\r5550100": CHARACTERS,
    "+1206\u20285550100": CHARACTERS,
    "+1206\u200e5550100": CHARACTERS,
    "+1206\u200b5550100": CHARACTERS,
    "+1206_5550100": CHARACTERS,
    "+1206'5550100": CHARACTERS,
    "+1206\u00b75550100": CHARACTERS,
    "+1206[5]550100": CHARACTERS,
    "+1206555010\uff10": CHARACTERS,
    "+\u0661\u0662\u0660\u0666\u0665\u0665\u0665\u0660\u0661\u0660\u0660": CHARACTERS,
    "+1\x00206": CHARACTERS,
    "+1\\2065550100": CHARACTERS,
    "+1 (206 555-0100": PARENTHESES,
    "+1 206) 555-0100": PARENTHESES,
    "+1 )206( 555-0100": PARENTHESES,
    "+49 30/9018/20": SLASH,
    "+/4930901820": SLASH,
    "+4930901820/": SLASH,
    "+": LENGTH,
    "+()": LENGTH,
    "+1": LENGTH,
    "+12": LENGTH,
    "+0 123 456 789": COUNTRY,
    "+999": COUNTRY,
    "+999 123 456 789": COUNTRY,
    "+049 (0)30 901820": COUNTRY,
    "+1 555-0100": LOCAL,
    "+49 112": LOCAL,
    "+1 911": LENGTH,
    "+1 206 555 01000": LENGTH,
    "+49 301234567890123": LENGTH,
    "+123456789012345": LENGTH,
    "+1234567890123456": LENGTH,
    "+81 0120 1234567890123": LENGTH,
    "+52 1 55 1234 5678": "Leave out the 1",
    "+1 206 555 0100" + " " * 300: "too long",
    "+" + "1" * 5000: "too long",
}


@pytest.mark.parametrize(("text", "number"), ACCEPTED.items())
def test_accepted(text: str, number: str) -> None:
    """What people write is the number that it means, and a number in E.164 stays as it is."""
    assert normalised(text) == number
    assert normalised(number) == number


@pytest.mark.parametrize(("text", "words"), REFUSED.items())
def test_refused(text: str, words: str) -> None:
    """Everything else is refused, with what to write and without the text."""
    with pytest.raises(PhoneRefused) as caught:
        normalised(text)
    message = str(caught.value)
    assert words in message
    assert "such as +12065550100." in message or "Leave out the 1." in message
    found = fault(body(phone(text)))
    assert found.target == "participants[0].identity.phone.id"
    assert found.code == ("NotE164" if text.strip() else "Empty")


def test_which_codes_keep_the_zero() -> None:
    """The codes whose example numbers begin with 0 are those that the metadata had when this was written."""
    import phonenumbers  # noqa: PLC0415

    from invite.phones import _keeps_zero  # noqa: PLC0415

    kept = {code for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE if _keeps_zero(code)}
    assert kept == {39, 378, 225, 229, 241, 242}


ALL = PhonePrefixes()
LISTED = {
    "all": ALL,
    "all,+44870,+870": PhonePrefixes(allows_all=True, listed=("+44870", "+870")),
    "+44": PhonePrefixes(allows_all=False, listed=("+44",)),
    "+1206,+49": PhonePrefixes(allows_all=False, listed=("+1206", "+49")),
    "all,+979": PhonePrefixes(allows_all=True, listed=("+979",)),
    "all,+9791": PhonePrefixes(allows_all=True, listed=("+9791",)),
    "all,+1": PhonePrefixes(allows_all=True, listed=("+1",)),
    "all,+1900": PhonePrefixes(allows_all=True, listed=("+1900",)),
    "all,+447": PhonePrefixes(allows_all=True, listed=("+447",)),
    "+8": PhonePrefixes(allows_all=False, listed=("+8",)),
}


@pytest.mark.parametrize(
    ("setting", "number", "to_list"),
    [
        ("all", US, None),
        ("all", DE, None),
        ("all", "+448701234567", "+44870"),
        ("all", "+447012345678", "+44701"),
        ("all", "+19002345678", "+1900"),
        ("all", "+870773111632", "+870"),
        ("all", "+80012345678", "+800"),
        ("all", "+979123456789", "+979123"),
        ("all", "+4911833", None),
        ("all,+44870,+870", "+448701234567", None),
        ("all,+44870,+870", "+448711234567", "+44871"),
        ("all,+44870,+870", "+870773111632", None),
        ("+44", GB, None),
        ("+44", "+448701234567", "+44870"),
        ("+44", US, "+1 "),
        ("+1206,+49", US, None),
        ("+1206,+49", "+14255550100", "+1 "),
        ("+1206,+49", GB, "+44"),
        ("all,+979", "+979123456789", "+979123"),
        ("all,+9791", "+979123456789", None),
        ("all,+1", "+19002345678", "+1900"),
        ("all,+1900", "+19002345678", None),
        ("all,+447", "+447012345678", None),
        ("+8", "+870773111632", "+870"),
        ("+8", "+81312345678", None),
    ],
)
def test_prefixes(setting: str, number: str, to_list: str | None) -> None:
    """What a prefix opens and what it doesn't; the refusal names the prefix to list, which then is enough."""
    if to_list is None:
        check_allowed(number, LISTED[setting])
        return
    with pytest.raises(NotAllowed) as caught:
        check_allowed(number, LISTED[setting])
    assert to_list in str(caught.value)
    named = re.findall(r"\+[0-9]+", str(caught.value))
    assert len(named) == 1
    check_allowed(number, PhonePrefixes(allows_all=False, listed=tuple(named)))
    assert number not in str(caught.value)


def test_number_not_allowed() -> None:
    """In both forms of a body the fault is at the number."""
    for content, model, target in (
        (body(phone("+44 870 123 4567")), InviteBody, "participants[0].identity.phone.id"),
        ({"phoneNumber": "+44 870 123 4567"}, InvitePhoneBody, "phoneNumber"),
    ):
        with pytest.raises(BadRequest) as caught:
            read_body(request(content), model, CLOUDS["global"], ALL)
        assert (caught.value.code, caught.value.target) == ("NumberNotAllowed", target)
        read_body(request(content), model, CLOUDS["global"], LISTED["all,+44870,+870"])


def test_same_person() -> None:
    """One number in two forms is one person, and in two requests one body."""
    found = fault(body(phone("+1 (206) 555-0100"), phone(US)))
    assert (found.code, found.target) == ("SamePersonTwice", "participants[1].identity.phone.id")
    assert people(body(phone("+1 (206) 555-0100"))) == people(body(phone(US)))
    flat = read_body(request({"phoneNumber": "+1 (206) 555-0100"}), InvitePhoneBody, CLOUDS["global"], ALL)
    assert invitees([flat.participant()]) == people(body(phone(US)))


SIGNS = st.sampled_from([*"0123456789", *" ()-./+", "(0)", "\u202f", "\u2011", "tel:", "x", ";", "\u0663", "\t"])


@settings(deadline=None, max_examples=300)
@given(st.lists(SIGNS, max_size=24).map(lambda signs: "+" + "".join(signs)) | st.text(max_size=40))
def test_any_text(text: str) -> None:
    """Any text is refused, or is a number in E.164 that has the text's digits and stays what it is."""
    try:
        number = normalised(text)
    except PhoneRefused:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{1,14}", number)
    assert normalised(number) == number
    rest = iter(re.sub(r"[^0-9]", "", text))
    assert all(digit in rest for digit in number[1:])


@settings(deadline=None, max_examples=200)
@given(st.integers(2_000_000_000, 9_999_999_999), st.lists(st.sampled_from(" .-"), min_size=10, max_size=10))
def test_any_separators(digits: int, separators: list[str]) -> None:
    """Separators make no difference."""
    plain = f"+1{digits}"
    written = "+1" + "".join(sign + digit for sign, digit in zip(separators, str(digits), strict=True))
    try:
        assert normalised(written) == normalised(plain)
    except PhoneRefused as error:
        with pytest.raises(PhoneRefused, match=re.escape(str(error))):
            normalised(plain)


def test_imported_with_the_first_phone() -> None:
    """An invite of users doesn't import the library."""
    code = """
import sys
from domain.clouds import CLOUDS
from domain.configuration.callers import PhonePrefixes
from invite.reading import read_body
from invite.request import InviteBody
from web.answers import Request
for participant in {participants}:
    text = '{{"participants": [' + participant + ']}}'
    read_body(Request(body=text.encode()), InviteBody, CLOUDS["global"], PhonePrefixes())
    print("phonenumbers" in sys.modules)
"""
    participants = [json.dumps({"identity": {"user": {"id": "1" * 8 + "-1111-1111-1111-" + "1" * 12}}})]
    participants.append(json.dumps(phone(US)))
    command = [sys.executable, "-c", code.format(participants=participants)]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert printed.split() == ["False", "True"]
