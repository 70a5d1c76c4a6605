"""How the app proves itself to Entra ID: exactly one credential, opened where it is a certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from domain.configuration.environment import GUID
from domain.configuration.faults import Kind

if TYPE_CHECKING:
    from domain.configuration.environment import Environment

_SECRET = "GRAPH_CLIENT_SECRET"  # noqa: S105 - the setting's name
_CERTIFICATE = "GRAPH_CLIENT_CERTIFICATE"
_PASSWORD = "GRAPH_CLIENT_CERTIFICATE_PASSWORD"  # noqa: S105 - the same
_IDENTITY = "GRAPH_MANAGED_IDENTITY_CLIENT_ID"


@dataclass(frozen=True, slots=True)
class GraphCredential:
    """How the app proves itself to Entra ID: exactly one property is set."""

    client_secret: str | None = field(default=None, repr=False)
    certificate_pem: str | None = field(default=None, repr=False)
    """The private key without encryption, and the one certificate that fits it."""
    managed_identity_client_id: str | None = None
    """A client id, or ``system`` for the system-assigned identity."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that was opened."""

    pem: str = field(repr=False)
    """The private key without encryption, and the one certificate that fits it."""
    warnings: tuple[str, ...] = ()
    """What a deployer should know; each goes on from the setting's name."""


class CertificateUnusable(Exception):
    """A certificate can't be used; the text goes on from the setting's name and holds nothing of the value."""

    def __init__(self, text: str, *, is_password: bool = False) -> None:
        super().__init__(text)
        self.is_password = is_password
        """Whether the password is to be changed, and not the certificate."""


OpenCertificate = Callable[[str, str | None], Certificate]
"""Opens a certificate from the setting's value and a password; raises ``CertificateUnusable``."""


def read_credential(environment: Environment, open_certificate: OpenCertificate | None) -> GraphCredential:
    """Read the one credential that is set.

    Args:
        environment: where it is.
        open_certificate: opens a certificate; without it the value is kept as it was given.
    """
    secret, certificate, identity = map(environment.get, (_SECRET, _CERTIFICATE, _IDENTITY))
    names = f"{_SECRET}, {_CERTIFICATE}, {_IDENTITY}"
    given = sum(value is not None for value in (secret, certificate, identity))
    if given == 0:
        environment.fault(_SECRET, Kind.MISSING, f"no credential is set: give one of {names}")
    elif given > 1:
        text = f"several credentials are set: give only one of {names}"
        environment.fault(_SECRET, Kind.CONTRADICTORY, text)
    if secret is not None and GUID.fullmatch(secret):
        text = f"{_SECRET} looks like the secret's id, which opens nothing: give the secret's value"
        environment.warn(_SECRET, Kind.INVALID, text)
    if secret is not None and secret[0] == secret[-1] and secret[0] in "'\"":
        text = f"{_SECRET} is in quotation marks, which are taken for a part of it: leave them out"
        environment.warn(_SECRET, Kind.INVALID, text)
    if identity is not None and identity.casefold() != "system" and not GUID.fullmatch(identity):
        text = f"{_IDENTITY} is neither a GUID nor system: give the identity's client id"
        environment.warn(_IDENTITY, Kind.INVALID, text)
    password = environment.get(_PASSWORD)
    if password is not None and certificate is None:
        environment.warn(_PASSWORD, Kind.CONTRADICTORY, f"{_PASSWORD} has no effect without {_CERTIFICATE}")
    can_open = not environment.is_unresolved(_CERTIFICATE) and not environment.is_unresolved(_PASSWORD)
    if certificate is not None and open_certificate is not None and can_open:
        certificate = _opened(environment, open_certificate, certificate, password)
    return GraphCredential(secret, certificate, identity)


def _opened(environment: Environment, open_certificate: OpenCertificate, value: str, password: str | None) -> str:
    try:
        certificate = open_certificate(value, password)
    except CertificateUnusable as error:
        name = _PASSWORD if error.is_password else _CERTIFICATE
        environment.fault(name, Kind.INVALID, f"{name} {error}")
        return value
    for warning in certificate.warnings:
        environment.warn(_CERTIFICATE, Kind.EXPIRING, f"{_CERTIFICATE} {warning}")
    return certificate.pem
