"""The events of the app, each a line of the log: ``what key=value …``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Events:
    """The events of one part of the app, logged by ``call_invites.<part>``.

    Callers pass counts, states, and ids that name no person; a call goes by its hash.
    """

    def __init__(self, part: str) -> None:
        self._log = logging.getLogger(f"call_invites.{part}")

    def info(self, what: str, **values: object) -> None:
        """Log what happened; names are written with dashes (``request_id`` becomes ``request-id``)."""
        self._write(logging.INFO, what, values)

    def warning(self, what: str, **values: object) -> None:
        """Log what an operator may want to look at."""
        self._write(logging.WARNING, what, values)

    def error(self, what: str, **values: object) -> None:
        """Log what an operator must look at."""
        self._write(logging.ERROR, what, values)

    def exception(self, what: str, **values: object) -> None:
        """Log what an operator must look at, with the trace of the exception that is being handled."""
        self._write(logging.ERROR, what, values, exc_info=True)

    def _write(self, level: int, what: str, values: Mapping[str, object], *, exc_info: bool = False) -> None:
        if not self._log.isEnabledFor(level):
            return
        named = {name.replace("_", "-"): "-" if value is None else value for name, value in values.items()}
        line = " ".join([what, *(f"{name}=%({name})s" for name in named)])
        # The mapping carries the named values: where telemetry is on, each becomes an attribute of the record.
        self._log.log(level, line, *([named] if named else []), exc_info=exc_info, stacklevel=3)
