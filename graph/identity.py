"""The managed identity's own token, with which the app proves itself to Entra ID where it has no secret."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msal
from msal.managed_identity import DEFAULT_TO_VM, get_managed_identity_source

from graph.errors import CredentialRefused, TokenUnavailable
from graph.transport import StatusKeeper

if TYPE_CHECKING:
    import requests


def identity_assertion(client_id: str, audience: str, session: requests.Session) -> str:
    """Return a managed identity's token for the token exchange.

    Args:
        client_id: the identity's client id, or ``system`` for the system-assigned one.
        audience: for whom the token is, which differs by cloud.
        session: the app's HTTP session.

    Raises:
        CredentialRefused: no such identity is assigned to the app: the platform answers 400, or without any identity
            has no endpoint for them.
        TokenUnavailable: any other failure, which may pass.
    """
    is_system = client_id.casefold() == "system"
    identity: Any = (
        msal.SystemAssignedManagedIdentity() if is_system else msal.UserAssignedManagedIdentity(client_id=client_id)
    )
    keeper = StatusKeeper(session)
    answer: Any = None
    try:
        answer = msal.ManagedIdentityClient(identity, http_client=keeper).acquire_token_for_client(resource=audience)
    except OSError as error:
        if get_managed_identity_source() is DEFAULT_TO_VM:
            message = "no managed identity is assigned to the app"
            raise CredentialRefused(message) from error
        message = "the managed identity's endpoint could not be reached"
        raise TokenUnavailable(message) from error
    except ValueError as error:  # a response that is no JSON
        raise _failure(keeper.status) from error
    assertion = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(assertion, str):
        raise _failure(keeper.status)
    return assertion


def _failure(status: int | None) -> CredentialRefused | TokenUnavailable:
    if status == HTTPStatus.BAD_REQUEST:
        message = "the managed identity issued no token: it is not assigned to the app"
        return CredentialRefused(message)
    message = f"the managed identity issued no token for now (status {status})"
    return TokenUnavailable(message)
