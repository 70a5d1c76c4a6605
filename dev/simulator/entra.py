"""Entra ID for one tenant and one app registration, as MSAL's confidential client uses it."""

from __future__ import annotations

import threading
import time
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING

import jwt
from cryptography import x509

from dev.simulator.errors import EntraRefusal, GraphRefusal, Refusals
from dev.simulator.keys import KeySet
from dev.simulator.log import EventLog, TokenEntry
from dev.simulator.web import Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt.types import Options

    from dev.simulator.dispatch import Visit

INVITE_ROLE = "Calls.InitiateGroupCall.All"
DEFAULT_ROLES = (INVITE_ROLE, "Calls.Initiate.All", "Calls.JoinGroupCall.All", "Calls.AccessMedia.All")
_ALL_TENANTS = frozenset({"common", "organizations"})
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# What tokens of the real service last: a bit over an hour.
_TOKEN_SECONDS = 3599


class Entra:
    """An app registration and its tenant: issues access tokens and verifies them."""

    def __init__(
        self,
        log: EventLog,
        base_url: str,
        *,
        tenant_id: str,
        client_id: str,
        client_secret: str,
        certificate_pem: str | None = None,
        roles: Iterable[str] = DEFAULT_ROLES,
    ) -> None:
        self.tenant_id = tenant_id
        self.client_id = client_id
        self.client_secret = client_secret
        self.certificate_pem = certificate_pem
        self.roles = tuple(roles)
        self.token_seconds: float = _TOKEN_SECONDS
        self.base_url = base_url
        self.keys = KeySet(self.issuer("{tenantid}"))
        """The keys that access tokens, and callback tokens of Entra's kind, are signed with."""
        self._log = log
        self._lock = threading.Lock()
        self._generation = 0
        # An app shows the same token with every request; its signature need not be computed each time.
        self._decoded = lru_cache(maxsize=64)(self._decode)

    def revoke_tokens(self) -> None:
        """Make Graph refuse every token issued so far."""
        with self._lock:
            self._generation += 1

    def issuer(self, tenant_id: str) -> str:
        """Return the issuer that the metadata names."""
        return f"{self.base_url}/{tenant_id}/v2.0"

    def discovery(self, visit: Visit) -> Response:
        """Return the OpenID metadata of a tenant, or of all tenants."""
        tenant = self._tenant(visit)
        root = f"{self.base_url}/{visit.parts[0] or 'common'}"
        return Response(
            body={
                "issuer": self.issuer(tenant),
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{root}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
                "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "tenant_region_scope": "EU",
            }
        )

    def signing_keys(self, visit: Visit) -> Response:
        """Return the published keys: the current ones, one of another issuer, and one that names no issuer."""
        tenant = self._tenant(visit)
        return Response(self.keys.failing) if self.keys.failing else Response(body=self.keys.published(tenant))

    def _tenant(self, visit: Visit) -> str:
        """Return the tenant in a URL as the metadata names it; raises EntraRefusal for an unknown one."""
        tenant = (visit.parts[0] or "common").casefold()
        if tenant in _ALL_TENANTS:
            return "{tenantid}"
        if tenant != self.tenant_id.casefold():
            raise Refusals.unknown_tenant(tenant)
        return self.tenant_id

    def give_token(self, visit: Visit) -> Response:
        """Handle a client-credentials request; every one is logged, accepted or not."""
        tenant, form = visit.parts[0] or "", visit.request.form()
        proof = self._proof(form)
        entry = TokenEntry(number=self._log.number(), status=200, client_id=form.get("client_id"), proof=proof)
        try:
            self._check(tenant, form, proof)
        except EntraRefusal as refusal:
            entry.status, entry.error = refusal.status, refusal.aadsts
            raise
        finally:
            self._log.add(entry)
        lifetime = int(self.token_seconds)
        return Response(
            body={
                "token_type": "Bearer",
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": self.access_token(audience=form["scope"].removesuffix("/.default")),
            },
            headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"},
        )

    def access_token(self, *, audience: str = "https://graph.microsoft.com", **claims: object) -> str:
        """Mint an access token for Graph; ``claims`` replace its own, so that bad ones can be made."""
        now = int(time.time())
        return self.keys.current.sign(
            {
                "aud": audience,
                "iss": self.issuer(self.tenant_id),
                "iat": now,
                "nbf": now,
                "exp": now + int(self.token_seconds),
                "appid": self.client_id,
                "idtyp": "app",
                "roles": list(self.roles),
                "tid": self.tenant_id,
                "uti": uuid.uuid4().hex,
                "generation": self._generation,
                **claims,
            }
        )

    def verify(self, authorization: str | None) -> dict[str, object]:
        """Return the claims of a request's token; raises GraphRefusal 401 for any but a good one."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.casefold() != "bearer" or not token:
            raise GraphRefusal(401, "InvalidAuthenticationToken", "Access token is empty.")
        try:
            claims = self._decoded(token)
        except (jwt.InvalidTokenError, jwt.InvalidKeyError) as error:
            message = "IDX14100: JWT is not well formed or its signature is invalid."
            raise GraphRefusal(401, "InvalidAuthenticationToken", message) from error
        if not float(str(claims["exp"])) > time.time():
            message = "Lifetime validation failed, the token is expired."
            raise GraphRefusal(401, "InvalidAuthenticationToken", message)
        if claims["aud"] not in self._audiences():
            raise GraphRefusal(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
        if claims.get("generation") != self._generation:
            message = "Continuous access evaluation resulted in challenge: the token was revoked."
            raise GraphRefusal(401, "InvalidAuthenticationToken", message)
        return claims

    def _decode(self, token: str) -> dict[str, object]:
        options: Options = {"verify_aud": False, "verify_exp": False, "require": ["exp", "aud"]}
        key = self.keys.find(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise jwt.InvalidKeyError("unknown key")
        claims: dict[str, object] = jwt.decode(token, key.private.public_key(), ["RS256"], options=options)
        return claims

    def _audiences(self) -> set[str]:
        return {
            self.base_url,
            "https://graph.microsoft.com",
            "https://graph.microsoft.us",
            "https://dod-graph.microsoft.us",
        }

    @staticmethod
    def _proof(form: dict[str, str]) -> str:
        if "client_secret" in form:
            return "secret"
        if "client_assertion" not in form:
            return "none"
        try:
            claims = jwt.decode(form["client_assertion"], options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return "federated"
        # A client signs for itself; a federated assertion has another issuer.
        return "certificate" if claims.get("iss") == form.get("client_id") else "federated"

    def _check(self, tenant: str, form: dict[str, str], proof: str) -> None:
        if tenant.casefold() != self.tenant_id.casefold():
            raise Refusals.unknown_tenant(tenant)
        if form.get("client_id", "").casefold() != self.client_id.casefold():
            raise Refusals.unknown_client(form.get("client_id", ""))
        if form.get("grant_type") != "client_credentials":
            raise Refusals.grant_type()
        scope = form.get("scope", "")
        if not scope.endswith("/.default"):
            raise Refusals.not_default_scope(scope)
        if scope.removesuffix("/.default") not in self._audiences():
            raise Refusals.unknown_scope(scope)
        self._check_proof(tenant, form, proof)

    def _check_proof(self, tenant: str, form: dict[str, str], proof: str) -> None:
        if proof == "none":
            raise Refusals.no_proof()
        if proof == "secret":
            if form["client_secret"] != self.client_secret:
                raise Refusals.wrong_secret(self.client_id)
        elif form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise Refusals.wrong_assertion()
        elif proof == "certificate" and self.certificate_pem is not None:
            self._check_certificate(tenant, form["client_assertion"])

    def _check_certificate(self, tenant: str, assertion: str) -> None:
        certificate = x509.load_pem_x509_certificate((self.certificate_pem or "").encode())
        try:
            jwt.decode(
                assertion,
                certificate.public_key(),  # type: ignore[arg-type]  # an RSA certificate, as MSAL needs
                algorithms=["RS256", "PS256"],
                audience=f"{self.base_url}/{tenant}/oauth2/v2.0/token",
            )
        except jwt.InvalidTokenError as error:
            raise Refusals.wrong_assertion() from error
