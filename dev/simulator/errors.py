"""What the simulator refuses, in the words and codes of the service it stands for.

Refusal
├── GraphRefusal   {"error": {"code", "message", "innerError"}}
└── EntraRefusal   {"error", "error_description", "error_codes", ...}
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from dev.simulator.web import Response


class Refusal(Exception):
    """A request that is answered with an error; nothing of it was done."""

    status: int
    code: str

    def response(self, client_request_id: str | None) -> Response:
        """Return the answer."""
        raise NotImplementedError


class GraphRefusal(Refusal):
    """Graph's error body, with the codes of its calling service where it has some."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message

    def response(self, client_request_id: str | None) -> Response:
        """Return the answer."""
        request_id = str(uuid.uuid4())
        return Response(
            self.status,
            {
                "error": {
                    "code": self.code,
                    "message": self.message,
                    "innerError": {
                        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
                        "request-id": request_id,
                        "client-request-id": client_request_id or request_id,
                    },
                }
            },
            {"request-id": request_id, "client-request-id": client_request_id or request_id},
        )


class EntraRefusal(Refusal):
    """Entra's error body."""

    def __init__(self, status: int, error: str, aadsts: str, description: str) -> None:
        super().__init__(f"{status} {error} {aadsts}")
        self.status, self.code, self.aadsts, self.description = status, error, aadsts, description

    def response(self, client_request_id: str | None) -> Response:
        """Return the answer."""
        trace, correlation = str(uuid.uuid4()), client_request_id or str(uuid.uuid4())
        stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return Response(
            self.status,
            {
                "error": self.code,
                "error_description": f"{self.aadsts}: {self.description} Trace ID: {trace} "
                f"Correlation ID: {correlation} Timestamp: {stamp}",
                "error_codes": [int(self.aadsts.removeprefix("AADSTS"))],
                "timestamp": stamp,
                "trace_id": trace,
                "correlation_id": correlation,
            },
        )


class Refusals:
    """The refusals there are; https://learn.microsoft.com/entra/identity-platform/reference-error-codes."""

    @staticmethod
    def unknown_tenant(tenant: str) -> EntraRefusal:
        """AADSTS90002."""
        text = f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
        return EntraRefusal(400, "invalid_request", "AADSTS90002", text)

    @staticmethod
    def unknown_client(client_id: str) -> EntraRefusal:
        """AADSTS700016."""
        text = f"Application with identifier '{client_id}' was not found in the directory."
        return EntraRefusal(400, "unauthorized_client", "AADSTS700016", text)

    @staticmethod
    def grant_type() -> EntraRefusal:
        """AADSTS70003."""
        text = "The app requested an unsupported grant type."
        return EntraRefusal(400, "unsupported_grant_type", "AADSTS70003", text)

    @staticmethod
    def not_default_scope(scope: str) -> EntraRefusal:
        """AADSTS1002012."""
        text = (
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
            "with /.default suffixed to the resource identifier (application ID URI)."
        )
        return EntraRefusal(400, "invalid_scope", "AADSTS1002012", text)

    @staticmethod
    def unknown_scope(scope: str) -> EntraRefusal:
        """AADSTS70011."""
        text = f"The provided request must include a 'scope' input parameter. The scope {scope} is not valid."
        return EntraRefusal(400, "invalid_scope", "AADSTS70011", text)

    @staticmethod
    def no_proof() -> EntraRefusal:
        """AADSTS7000216."""
        text = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
        return EntraRefusal(401, "invalid_client", "AADSTS7000216", text)

    @staticmethod
    def wrong_secret(client_id: str) -> EntraRefusal:
        """AADSTS7000215."""
        text = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
            f"value, not the client secret ID, for a secret added to app '{client_id}'."
        )
        return EntraRefusal(401, "invalid_client", "AADSTS7000215", text)

    @staticmethod
    def wrong_assertion() -> EntraRefusal:
        """AADSTS700027."""
        text = "The certificate with identifier used to sign the client assertion is not registered on application."
        return EntraRefusal(401, "invalid_client", "AADSTS700027", text)

    @staticmethod
    def call_not_found() -> GraphRefusal:
        """8522: ended, never existed, or another app's."""
        return GraphRefusal(404, "8522", "Call not found.")

    @staticmethod
    def participant_not_found() -> GraphRefusal:
        """8522 about a participant."""
        return GraphRefusal(404, "8522", "Participant not found.")

    @staticmethod
    def no_permission() -> GraphRefusal:
        """7504: consent is missing, or the organizer is not the meeting's."""
        return GraphRefusal(403, "7504", "Insufficient enterprise tenant permissions, cannot access this API.")

    @staticmethod
    def tenant_mismatch() -> GraphRefusal:
        """7505: the token's tenant is not the call's, or the call's is missing."""
        return GraphRefusal(403, "7505", "Request authorization tenant mismatch.")

    @staticmethod
    def invalid(message: str) -> GraphRefusal:
        """8523: an invalid argument in the body."""
        return GraphRefusal(400, "8523", message)
