"""The secrets that sign what flows are sent."""

from __future__ import annotations

import base64

import pytest

from domain.configuration.faults import Kind
from tests.configured import faults, loaded

REFERENCE = "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/flow)"


def _secret(length: int, byte: bytes = b"k") -> str:
    return f"whsec_{base64.b64encode(byte * length).decode()}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ()),
        ("  ", ()),
        (_secret(24), (_secret(24),)),
        (_secret(25), (_secret(25),)),
        (f" {_secret(64)} ", (_secret(64),)),
        (f"{_secret(32)}  {_secret(33)}\t{_secret(34)}", (_secret(32), _secret(33), _secret(34))),
        (f"{_secret(32)} {_secret(32)}", (_secret(32),)),
        (_secret(32, b"\xfb\xff"[:1]), (_secret(32, b"\xfb"),)),
    ],
)
def test_secrets(value: str | None, expected: tuple[str, ...]) -> None:
    """None, one or several, in their order."""
    got = loaded(FLOW_CALLBACK_SECRET=value)
    assert (got.flow_callback_secrets, got.faults) == (expected, ())


URL_SAFE = base64.urlsafe_b64encode(b"\xfb\xff" * 16).decode()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("s3cret", "is not whsec_ and Base64"),
        (_secret(32).removeprefix("whsec_"), "is not whsec_ and Base64"),
        (_secret(32).replace("whsec_", "WHSEC_"), "is not whsec_ and Base64"),
        (f"{_secret(32)} s3cret", "is not whsec_ and Base64"),
        (f"'{_secret(32)}'", "is not whsec_ and Base64"),
        (f"{_secret(32)},{_secret(33)}", "holds - or _"),
        (f"whsec_{URL_SAFE}", "holds - or _"),
        (_secret(32).rstrip("="), "with its ="),
        (f"{_secret(32)}=", "with its ="),
        (_secret(32).replace("a", "*"), "with its ="),
        ("whsec_", "fewer than 24"),
        (_secret(23), "fewer than 24"),
        (_secret(65), "more than 64"),
    ],
)
def test_what_is_no_secret(value: str, words: str) -> None:
    """It keeps the app from sending, not from recording: the settings are there, with the fault."""
    got = loaded(FLOW_CALLBACK_SECRET=value)
    (fault,) = got.faults
    assert (fault.setting, fault.kind) == ("FLOW_CALLBACK_SECRET", Kind.INVALID)
    assert words in fault.text
    assert got.flow_callback_secrets == ()
    assert not any(part in fault.text for part in value.split() if len(part) > len("whsec_"))


def test_a_reference_that_was_not_resolved() -> None:
    """The same holds for a reference."""
    (fault,) = loaded(FLOW_CALLBACK_SECRET=REFERENCE).faults
    assert (fault.setting, fault.kind) == ("FLOW_CALLBACK_SECRET", Kind.UNRESOLVED)


def test_all_at_once() -> None:
    """With faults of other settings it is among them."""
    found = faults(FLOW_CALLBACK_SECRET="s3cret", GRAPH_CLOUD="mars")
    assert {fault.setting for fault in found} == {"FLOW_CALLBACK_SECRET", "GRAPH_CLOUD"}
