"""What a client of Graph needs besides a server: a scenario, and a token that asks for nothing."""

from __future__ import annotations

from graph.credentials import TokenSource

SCENARIO = "00000000-0000-4000-8000-00000000cafe"


class FixedToken(TokenSource):
    """Always the same token, for servers that accept any."""

    def __init__(self, token: str = "secret-token") -> None:
        self._fixed = token

    def token(self) -> str:
        return self._fixed

    def fresh_token(self, refused: str) -> str:
        return refused
