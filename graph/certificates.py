"""A client certificate in each form that people have, opened for use with Entra ID.

Entra ID identifies the certificate by its thumbprint, for which MSAL uses the first one of a PEM: where a chain begins
with the CA's certificate, the result is AADSTS700027. So the certificate that fits the key is picked here.
"""

from __future__ import annotations

import base64
import contextlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from domain.configuration.credential import Certificate, CertificateUnusable

_WARN_BEFORE = timedelta(days=30)
_LEAST_BITS = 2048
_MOST_BYTES = 1 << 20
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_PEM = b"-----BEGIN"
_CERTIFICATES = ("CERTIFICATE", "X509 CERTIFICATE")
# The object that RFC 7292 calls PFX begins with its version: INTEGER 3.
_PFX = re.compile(rb"0[\x80-\x84].{0,4}\x02\x01\x03", re.DOTALL)
_THUMBPRINT = re.compile(rb"(?:[0-9A-Fa-f]{2}[: ]?){20}|(?:[0-9A-Fa-f]{2}[: ]?){32}")
_UNREADABLE = "is neither PEM, PKCS #12 nor a file that can be read"
_NEEDS_PASSWORD = "needs a password: set GRAPH_CLIENT_CERTIFICATE_PASSWORD"  # noqa: S105 - the setting's name
_WRONG_PASSWORD = "does not open the certificate: give its own password"  # noqa: S105 - a message


@dataclass(slots=True)
class _Found:
    """What a value holds."""

    keys: list[object] = field(default_factory=list)
    certificates: list[x509.Certificate] = field(default_factory=list)
    other: str | None = None
    """What else it holds, where that explains what is missing."""


def open_certificate(value: str, password: str | None, *, now: datetime | None = None) -> Certificate:
    r"""Open a certificate with its private key.

    Args:
        value: PEM (``\n`` may stand for line ends), PKCS #12 as Base64, or the path of a file with either.
        password: of the key, or of PKCS #12.
        now: the time, for tests.

    Raises:
        CertificateUnusable: with the one sentence that says why.
    """
    found = _read(_content(value), password.encode() if password is not None else None)
    key, certificate = _fitting(found)
    return Certificate(_pem(key, certificate), tuple(_checked(key, certificate, now or datetime.now(UTC))))


def _content(value: str) -> bytes:
    """Return the value's bytes, or those of the file that it names."""
    if _PEM.decode() not in value:
        with contextlib.suppress(OSError, ValueError):  # Base64 is no path: too long, mostly
            path = Path(value)
            if path.is_file():
                with path.open("rb") as file:
                    return file.read(_MOST_BYTES)
    return value.encode("utf-8", "replace")


def _read(data: bytes, password: bytes | None, *, is_decoded: bool = False) -> _Found:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    if _PEM in data:
        return _read_pem(data.decode("utf-8", "replace").replace("\\r", "").replace("\\n", "\n"), password)
    if _PFX.match(data):
        return _read_pkcs12(data, password)
    if _THUMBPRINT.fullmatch(data.strip()):
        raise CertificateUnusable("is a thumbprint: give the certificate itself with its private key")
    if not is_decoded:
        try:
            decoded = base64.b64decode(b"".join(data.removeprefix(b"\xef\xbb\xbf").split()), validate=True)
        except ValueError:
            decoded = b""
        if decoded:
            return _read(decoded, password, is_decoded=True)
    return _read_der(data)


def _read_pem(text: str, password: bytes | None) -> _Found:
    found = _Found()
    for match in _BLOCK.finditer(text):
        label, body = match[1], match[2]
        if "Proc-Type" not in body:  # the older encryption of keys has headers, which need their lines
            encoded = "".join(body.split())
            body = "\n" + "\n".join(encoded[start : start + 64] for start in range(0, len(encoded), 64)) + "\n"
        block = f"-----BEGIN {label}-----{body}-----END {label}-----\n".encode()
        if label in _CERTIFICATES:
            found.certificates.append(_certificate(block))
        elif label.endswith("PRIVATE KEY"):
            found.keys.append(_key(block, password))
        else:
            found.other = label
    return found


def _certificate(block: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(block.replace(b"X509 CERTIFICATE", b"CERTIFICATE"))
    except ValueError as error:
        raise CertificateUnusable("holds a certificate that is damaged: export it again") from error


def _key(block: bytes, password: bytes | None) -> object:
    if b"OPENSSH" in block:
        return _openssh_key(block)
    is_encrypted = b"ENCRYPTED" in block
    if is_encrypted and password is None:
        raise CertificateUnusable(f"has an encrypted private key and {_NEEDS_PASSWORD}")
    try:
        return serialization.load_pem_private_key(block, password if is_encrypted else None)
    except UnsupportedAlgorithm as error:
        raise CertificateUnusable("has a private key of an unknown kind: use RSA") from error
    except (TypeError, ValueError) as error:
        if is_encrypted:
            raise CertificateUnusable(_WRONG_PASSWORD, is_password=True) from error
        raise CertificateUnusable("has a private key that is damaged: export it again") from error


def _openssh_key(block: bytes) -> object:
    try:
        return serialization.load_ssh_private_key(block, None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:  # cryptography decrypts them with bcrypt only
        text = "has a private key of OpenSSH that is encrypted or damaged: write it anew with ssh-keygen -p -m PEM"
        raise CertificateUnusable(text) from error


def _read_pkcs12(data: bytes, password: bytes | None) -> _Found:
    # A file without password is written with an empty one or with none, and a password may be set all the same.
    for attempt in dict.fromkeys((password, None, b"")):
        try:
            key, certificate, more = pkcs12.load_key_and_certificates(data, attempt)
        except (ValueError, UnsupportedAlgorithm):
            continue
        return _Found([key] if key is not None else [], [one for one in (certificate, *more) if one is not None])
    if password is None:
        raise CertificateUnusable(f"is PKCS #12 that is damaged or {_NEEDS_PASSWORD}")
    raise CertificateUnusable(_WRONG_PASSWORD, is_password=True)


def _read_der(data: bytes) -> _Found:
    """Read the two single things that DER files hold, of which neither is enough."""
    try:
        return _Found(certificates=[x509.load_der_x509_certificate(data)])
    except ValueError:
        pass
    try:
        return _Found(keys=[serialization.load_der_private_key(data, None)])
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise CertificateUnusable(_UNREADABLE) from error


def _fitting(found: _Found) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """Return the key and the certificate that fits it; of several the one that is valid longest."""
    also = f", only a {found.other}" if found.other is not None else ""
    if not found.keys and not found.certificates:
        raise CertificateUnusable(f"holds neither a certificate nor a private key{also}")
    if not found.keys:
        raise CertificateUnusable("lacks the private key: give both the certificate and its private key")
    if not found.certificates:
        raise CertificateUnusable(f"lacks the certificate{also}: give both the certificate and its private key")
    keys = [key for key in found.keys if isinstance(key, rsa.RSAPrivateKey)]
    if not keys:
        raise CertificateUnusable("has a private key that is not RSA, which Entra ID does not accept")
    pairs = [
        (key, certificate)
        for key in keys
        for certificate in found.certificates
        if _public(certificate) == key.public_key().public_numbers()
    ]
    if not pairs:
        raise CertificateUnusable("has a private key that does not fit its certificate")
    return max(pairs, key=lambda pair: pair[1].not_valid_after_utc)


def _public(certificate: x509.Certificate) -> rsa.RSAPublicNumbers | None:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.public_numbers() if isinstance(key, rsa.RSAPublicKey) else None


def _checked(key: rsa.RSAPrivateKey, certificate: x509.Certificate, now: datetime) -> list[str]:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if end <= now:
        raise CertificateUnusable(f"expired on {end:%Y-%m-%d}: make a new one and upload its public part")
    if begin > now:
        raise CertificateUnusable(f"is not valid before {begin:%Y-%m-%d %H:%M} UTC: use another, or check the clock")
    warnings = []
    if end - now <= _WARN_BEFORE:
        warnings.append(f"expires on {end:%Y-%m-%d}: make a new one and upload its public part")
    if key.key_size < _LEAST_BITS:
        warnings.append(f"has an RSA key of {key.key_size} bits: make one of {_LEAST_BITS} bits at least")
    return warnings


def _pem(key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> str:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (private + certificate.public_bytes(serialization.Encoding.PEM)).decode()
