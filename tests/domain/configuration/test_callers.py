"""Who may ask, and whom the app may call."""

from __future__ import annotations

import pytest

from domain.configuration.callers import PhonePrefixes, SignIn
from domain.configuration.faults import Kind
from tests.configured import TENANT, faults, loaded

CALLER = "26a18ebc-cdf7-4a6a-91cb-beb352805e81"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, PhonePrefixes()),
        ("all", PhonePrefixes()),
        (" ALL ", PhonePrefixes()),
        ("+44", PhonePrefixes(allows_all=False, listed=("+44",))),
        ("+1, +44 ,+1206,", PhonePrefixes(allows_all=False, listed=("+1206", "+44", "+1"))),
        ("all,+4484", PhonePrefixes(listed=("+4484",))),
        ("+123456789012345", PhonePrefixes(allows_all=False, listed=("+123456789012345",))),
    ],
)
def test_phone_prefixes(value: str | None, expected: PhonePrefixes) -> None:
    """All, some, or all and some whose type would be a reason against them."""
    assert loaded(PHONE_PREFIXES=value).phone_prefixes == expected


@pytest.mark.parametrize(
    "value", ["44", "0044", "+", "+0", "+44x", "+44 20", "+44-20", "+1234567890123456", "none", "*", "+٤٤", "+44;+1"]
)
def test_what_is_no_phone_prefix(value: str) -> None:
    """Another form is a fault: a lock that is misspelt must not stand open."""
    (fault,) = faults(PHONE_PREFIXES=f"+1,{value}")
    assert (fault.setting, fault.kind) == ("PHONE_PREFIXES", Kind.INVALID)


def test_the_callers_of_callbacks() -> None:
    """Microsoft's calling service unless others are listed, in any case of letters."""
    assert loaded().callback_caller_ids == {CALLER}
    assert loaded(CALLBACK_CALLER_IDS=f"{CALLER.upper()}, {TENANT}").callback_caller_ids == {CALLER, TENANT}


@pytest.mark.parametrize("value", ["*", "all", "contoso", f"{{{TENANT}}}", TENANT[:-1], f"{TENANT};{TENANT}"])
def test_callers_are_guids(value: str) -> None:
    """Anything else is a fault."""
    (fault,) = faults(CALLBACK_CALLER_IDS=value)
    assert (fault.setting, fault.kind) == ("CALLBACK_CALLER_IDS", Kind.INVALID)


@pytest.mark.parametrize(
    ("required", "allowed", "expected"),
    [
        (None, None, SignIn()),
        ("false", " ", SignIn()),
        ("True", None, SignIn(is_required=True)),
        ("true", f"{CALLER.upper()},", SignIn(is_required=True, allowed_principals=frozenset({CALLER}))),
    ],
)
def test_signing_in(required: str | None, allowed: str | None, expected: SignIn) -> None:
    """Off by default; with it, everybody who signed in or only those who are listed."""
    assert loaded(REQUIRE_SIGN_IN=required, ALLOWED_PRINCIPALS=allowed).sign_in == expected


@pytest.mark.parametrize(
    ("required", "allowed", "setting"),
    [
        (None, CALLER, "ALLOWED_PRINCIPALS"),
        ("false", CALLER, "ALLOWED_PRINCIPALS"),
        ("true", "ada@contoso.com", "ALLOWED_PRINCIPALS"),
        ("true", "all", "ALLOWED_PRINCIPALS"),
        ("yes", None, "REQUIRE_SIGN_IN"),
        ("1", None, "REQUIRE_SIGN_IN"),
    ],
)
def test_sign_ins_that_can_not_be(required: str | None, allowed: str | None, setting: str) -> None:
    """A list without sign-in, names in place of ids, other words: the app must not stay open by mistake."""
    (fault,) = faults(REQUIRE_SIGN_IN=required, ALLOWED_PRINCIPALS=allowed)
    assert fault.setting == setting
    assert "ada" not in fault.text
