"""Client certificates in each form that people have, and each way in which one can't be used."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from domain.configuration.credential import CertificateUnusable
from domain.configuration.faults import Kind
from graph.certificates import open_certificate
from tests.configured import faults, loaded

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC)
PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
PLAIN = serialization.NoEncryption()
PASSWORD = "p4ss~word"
LOCKED = serialization.BestAvailableEncryption(PASSWORD.encode())


@cache
def _key(number: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _certificate(
    key: Any, name: str = "app", *, begins: timedelta = timedelta(days=-1), ends: timedelta = timedelta(days=365)
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(NOW + begins)
    return builder.not_valid_after(NOW + ends).sign(key, hashes.SHA256())


OWN = _certificate(_key())
AUTHORITY = _certificate(_key(1), "authority")


def _text(*things: Any, encryption: Any = PLAIN, form: Any = PKCS8) -> str:
    return "".join(
        (
            one.public_bytes(PEM) if isinstance(one, x509.Certificate) else one.private_bytes(PEM, form, encryption)
        ).decode()
        for one in things
    )


def _pkcs12(encryption: Any = PLAIN, more: Any = None) -> bytes:
    return pkcs12.serialize_key_and_certificates(b"app", _key(), OWN, more, encryption)


GOOD = _text(_key(), OWN)
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL
OPENSSH = serialization.PrivateFormat.OpenSSH
ATTRIBUTES = "Bag Attributes\n    localKeyID: 01\nsubject=CN = app\n"


def _is_good(pem: str) -> bool:
    """Whether this is the app's own key and certificate, and the certificate is the first."""
    opened = x509.load_pem_x509_certificate(pem.encode())
    key = serialization.load_pem_private_key(pem.encode(), None)
    return opened == OWN and isinstance(key, rsa.RSAPrivateKey) and key.private_numbers() == _key().private_numbers()


@pytest.mark.parametrize(
    "value",
    [
        GOOD,
        _text(OWN, _key()),
        _text(AUTHORITY, OWN, _key()),
        _text(_key(), AUTHORITY, OWN),
        _text(OWN, AUTHORITY, _key(1), _key()).replace(_text(_key(1)), ""),
        GOOD.replace("\n", "\\n"),
        GOOD.replace("\n", "\\r\\n"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD.replace("\n", " "),
        GOOD.replace("\n", ""),
        GOOD.replace("\n", "\n\n"),
        GOOD.replace("\n", "\n    "),
        "\ufeff" + GOOD,
        f'"{GOOD}"',
        ATTRIBUTES + _text(OWN) + ATTRIBUTES + _text(_key()),
        _text(_key(), OWN, form=TRADITIONAL),
        _text(_key(), OWN, form=OPENSSH),
        GOOD.replace("CERTIFICATE-----", "CERTIFICATE-----")
        .replace("BEGIN CERT", "BEGIN X509 CERT")
        .replace("END CERT", "END X509 CERT"),
        base64.b64encode(GOOD.encode()).decode(),
        base64.b64encode(_pkcs12()).decode(),
        base64.encodebytes(_pkcs12(more=[AUTHORITY])).decode(),
    ],
)
def test_forms_of_a_setting(value: str) -> None:
    """PEM in any order and layout, and PKCS #12 as Key Vault gives it, end in the same key and certificate."""
    opened = open_certificate(value, None)
    assert _is_good(opened.pem)
    assert opened.warnings == ()


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.encode("utf-16"),
        _pkcs12(),
        _pkcs12(more=[AUTHORITY]),
        base64.b64encode(_pkcs12()),
        b"\xef\xbb\xbf" + base64.encodebytes(_pkcs12()),
    ],
)
def test_forms_of_a_file(tmp_path: Path, content: bytes) -> None:
    """A path works as well as what is in the file."""
    file = tmp_path / "app.pem"
    file.write_bytes(content)
    assert _is_good(open_certificate(str(file), None).pem)


@pytest.mark.parametrize(
    "value",
    [
        _text(_key(), OWN, encryption=LOCKED),
        _text(_key(), OWN, encryption=LOCKED, form=TRADITIONAL),
        _text(_key(), OWN, form=OPENSSH),
        _text(_key(), OWN, encryption=LOCKED).replace("\n", "\\n"),
        base64.b64encode(_pkcs12(LOCKED)).decode(),
        GOOD,
        base64.b64encode(_pkcs12()).decode(),
    ],
)
def test_a_password(value: str) -> None:
    """It opens what is encrypted, and is no hindrance where nothing is."""
    assert _is_good(open_certificate(value, PASSWORD).pem)


def _der(thing: Any) -> str:
    data = (
        thing.public_bytes(serialization.Encoding.DER)
        if isinstance(thing, x509.Certificate)
        else thing.private_bytes(serialization.Encoding.DER, PKCS8, PLAIN)
    )
    return base64.b64encode(data).decode()


def _request() -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(OWN.subject)
    return builder.sign(_key(), hashes.SHA256()).public_bytes(PEM).decode()


_ED25519 = ed25519.Ed25519PrivateKey.generate()
ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
BAD = base64.b64encode(b"damaged" * 9).decode()
DAMAGED = {
    label: f"-----BEGIN {label}-----\n{BAD}\n-----END {label}-----\n" for label in ("CERTIFICATE", "PRIVATE KEY")
}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("garbage", "neither PEM, PKCS #12 nor a file"),
        ("/no/such/file.pem", "neither PEM, PKCS #12 nor a file"),
        ("/", "neither PEM, PKCS #12 nor a file"),
        ("nul\x00byte", "neither PEM, PKCS #12 nor a file"),
        ("x" * 5000, "neither PEM, PKCS #12 nor a file"),
        (base64.b64encode(b"nothing of the kind").decode(), "neither PEM, PKCS #12 nor a file"),
        ("-----BEGIN CERTIFICATE-----\nMIIC", "holds neither a certificate nor a private key"),
        (_text(_key()), "lacks the certificate"),
        (_text(OWN), "lacks the private key"),
        (_text(OWN, AUTHORITY), "lacks the private key"),
        (_text(_key()) + _request(), "only a CERTIFICATE REQUEST"),
        (
            GOOD.replace("BEGIN CERT", "BEGIN TRUSTED CERT").replace("END CERT", "END TRUSTED CERT"),
            "TRUSTED CERTIFICATE",
        ),
        (_der(OWN), "lacks the private key"),
        (_der(_key()), "lacks the certificate"),
        (_text(_key(), AUTHORITY), "does not fit its certificate"),
        (_text(ELLIPTIC, _certificate(ELLIPTIC)), "not RSA"),
        (_text(_key()) + DAMAGED["CERTIFICATE"], "a certificate that is damaged"),
        (DAMAGED["PRIVATE KEY"] + _text(OWN), "a private key that is damaged"),
        (_text(_key(), OWN, encryption=LOCKED), "set GRAPH_CLIENT_CERTIFICATE_PASSWORD"),
        (_text(_key(), OWN, encryption=LOCKED, form=TRADITIONAL), "set GRAPH_CLIENT_CERTIFICATE_PASSWORD"),
        (base64.b64encode(_pkcs12(LOCKED)).decode(), "set GRAPH_CLIENT_CERTIFICATE_PASSWORD"),
        (base64.b64encode(_pkcs12()[:-40]).decode(), "damaged"),
        ("A9" * 20, "is a thumbprint"),
        ("a9:" * 31 + "a9", "is a thumbprint"),
        (_text(_key(), form=OPENSSH), "lacks the certificate"),
        (DAMAGED["PRIVATE KEY"].replace("PRIVATE", "OPENSSH PRIVATE") + _text(OWN), "ssh-keygen -p -m PEM"),
        (_text(_ED25519, OWN, form=OPENSSH), "not RSA"),
        ('{"contentType": "application/x-pkcs12", "value": "MIIK"}', "neither PEM, PKCS #12 nor a file"),
        (_text(OWN).replace("CERTIFICATE", "PKCS7"), "only a PKCS7"),
        (_text(_key(), _certificate(_key(), ends=timedelta(minutes=-1))), "expired on"),
        (_text(_key(), _certificate(_key(), begins=timedelta(hours=1))), "is not valid before"),
    ],
)
def test_what_can_not_be_used(value: str, words: str) -> None:
    """One sentence for each reason, as a fault of the setting, without anything of the value."""
    (fault,) = faults(GRAPH_CLIENT_SECRET=None, GRAPH_CLIENT_CERTIFICATE=value)
    assert (fault.setting, fault.kind) == ("GRAPH_CLIENT_CERTIFICATE", Kind.INVALID)
    assert words in fault.text
    assert not re.search(r"[A-Za-z0-9+/]{40}", fault.text)


@pytest.mark.parametrize(
    "value",
    [
        _text(_key(), OWN, encryption=LOCKED),
        _text(_key(), OWN, encryption=LOCKED, form=TRADITIONAL),
        base64.b64encode(_pkcs12(LOCKED)).decode(),
    ],
)
def test_a_wrong_password(value: str) -> None:
    """The password's setting is named, not the certificate's."""
    (fault,) = faults(
        GRAPH_CLIENT_SECRET=None, GRAPH_CLIENT_CERTIFICATE=value, GRAPH_CLIENT_CERTIFICATE_PASSWORD="wr0ng"
    )
    assert fault.setting == "GRAPH_CLIENT_CERTIFICATE_PASSWORD"
    assert "wr0ng" not in fault.text


@pytest.mark.parametrize(("days", "warns"), [(1, True), (29, True), (31, False), (365, False)])
def test_expiry(days: int, *, warns: bool) -> None:
    """From 30 days before its end a certificate is a warning."""
    value = _text(_key(), _certificate(_key(), ends=timedelta(days=days, minutes=1)))
    warnings = loaded(GRAPH_CLIENT_SECRET=None, GRAPH_CLIENT_CERTIFICATE=value).warnings
    assert [warning.kind for warning in warnings] == ([Kind.EXPIRING] if warns else [])


def test_the_newest_of_one_key() -> None:
    """Where a certificate was renewed with its key, the one that is valid longest counts."""
    old = _certificate(_key(), ends=timedelta(days=-1), begins=timedelta(days=-9))
    assert _is_good(open_certificate(_text(old, OWN, _key()), None).pem)


def test_a_short_key() -> None:
    """Entra ID may refuse it, and it is no good: a warning."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the case
    (warning,) = open_certificate(_text(key, _certificate(key)), None).warnings
    assert "1024 bits" in warning


def test_faults_come_with_all_others() -> None:
    """A certificate is opened although other settings are wrong, so that all is fixed in one go."""
    found = faults(GRAPH_CLOUD="mars", GRAPH_CLIENT_SECRET=None, GRAPH_CLIENT_CERTIFICATE="garbage")
    assert {fault.setting for fault in found} == {"GRAPH_CLOUD", "GRAPH_CLIENT_CERTIFICATE"}


def test_a_password_without_a_certificate() -> None:
    """It has no effect, which hardly is what was meant."""
    (warning,) = loaded(GRAPH_CLIENT_CERTIFICATE_PASSWORD="p").warnings
    assert warning.setting == "GRAPH_CLIENT_CERTIFICATE_PASSWORD"


@pytest.mark.parametrize("secret", ["0f0c1a4e-6d2b-4c7e-9a51-3f1f6b0d9c22", "0F0C1A4E-6D2B-4C7E-9A51-3F1F6B0D9C22"])
def test_the_id_of_a_secret(secret: str) -> None:
    """A GUID is the id of a client secret and not its value."""
    (warning,) = loaded(GRAPH_CLIENT_SECRET=secret).warnings
    assert (warning.setting, warning.kind) == ("GRAPH_CLIENT_SECRET", Kind.INVALID)


def test_nothing_secret_is_shown() -> None:
    """Neither the opened certificate nor the credential shows its key when it is printed."""
    opened = open_certificate(GOOD, None)
    credential = loaded(GRAPH_CLIENT_SECRET=None, GRAPH_CLIENT_CERTIFICATE=GOOD).credential
    assert "PRIVATE KEY" not in f"{opened}{credential}"
    with pytest.raises(CertificateUnusable) as caught:
        open_certificate(DAMAGED["PRIVATE KEY"], None)
    assert BAD[:20] not in str(caught.value)
