"""What a run of a flow asks Microsoft's connectors with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.connector.engine_http import Reply


class Connection(Protocol):
    """One connection to a connector of Microsoft."""

    def call(self, operation_id: str, given: Mapping[str, Any]) -> Reply:
        """Do an operation, with parameters named as the designer names them."""
