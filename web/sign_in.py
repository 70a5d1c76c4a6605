"""Who may use a route with a function key, where callers have to sign in as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.errors import Forbidden, SignInNeeded

if TYPE_CHECKING:
    from domain.configuration.callers import SignIn
    from web.answers import Request

# App Service authentication sets it for callers that are signed in, and removes it from what others send.
# https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
_PRINCIPAL = "x-ms-client-principal-id"


def signed_in(rule: SignIn, request: Request) -> str | None:
    """Return the object id of the caller, who may use a route with a function key; None where no one has to sign in.

    Raises:
        SignInNeeded: 401, the caller isn't signed in.
        Forbidden: 403, another caller is.
    """
    if not rule.is_required:
        return None
    principal = request.headers.get(_PRINCIPAL, "").strip().casefold()
    if not principal:
        message = "This app requires a signed-in caller. Sign in with Microsoft Entra ID, and send the access token."
        raise SignInNeeded("SignInNeeded", message)
    if rule.allowed_principals is not None and principal not in rule.allowed_principals:
        message = "This caller is not allowed. Ask the app's administrator to add your object ID to ALLOWED_PRINCIPALS."
        raise Forbidden("CallerNotAllowed", message)
    return principal
