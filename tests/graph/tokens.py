"""A source of tokens that asks nobody."""

from __future__ import annotations

from graph.credentials import TokenSource


class FixedToken(TokenSource):
    """Always the same token, for servers that accept any."""

    def __init__(self) -> None:
        pass

    def token(self) -> str:
        return "secret-token"

    def fresh_token(self, refused: str) -> str:
        return refused
