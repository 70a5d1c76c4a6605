"""Removes secrets and personal data from text, and from every log record of the process and its libraries.

Graph's own failure text names people: ``addParticipants failed for participant 4:+1234567890. Underlying reason: ...``
(seen in microsoftgraph/microsoft-graph-comms-samples#410). The reason is worth keeping, the name is not.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from observability.patterns import CONTROLS, CONTROLS_OF_A_TRACE, PATTERNS

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

_MOST_CHARACTERS = 1_000
_LONGEST_LINE = 20_000
_SHORTEST_SECRET = 8
_STANDARD = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})
# Only a number continues after one of these.
_ENDS = " \t\n\r\"'"
_NUMBER_CHARACTERS = " +().-/0123456789\u00a0\u2010\u2011\u2012\u2013\u2014\u2015\u202f"


def redact(text: str) -> str:
    """Return the text without secrets, personal data and control characters, cut to 1,000 characters."""
    return _clean(text, _MOST_CHARACTERS, CONTROLS)


class RecordFactory:
    """Makes log records that hold no secret: by pattern, and by value where the value is known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: tuple[str, ...] = ()
        self._keeps_values = False
        self._make = logging.getLogRecordFactory()

    def learn(self, secrets: Iterable[str | None]) -> None:
        """Replace these values from now on; what is shorter than eight characters is left out."""
        known = {secret for secret in secrets if secret and len(secret) >= _SHORTEST_SECRET}
        with self._lock:
            self._secrets = tuple(sorted(known.union(self._secrets), key=len, reverse=True))

    def keep_values(self) -> None:
        """Give each record the named values of its line as attributes, which OpenTelemetry sends as dimensions."""
        self._keeps_values = True

    def __call__(self, *arguments: Any, **named: Any) -> logging.LogRecord:
        """Return the record that logging asked for, redacted."""
        record = self._make(*arguments, **named)
        if self._keeps_values and isinstance(record.args, Mapping):
            for name, value in record.args.items():
                vars(record).setdefault(name, self._value(name, value))
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)  # the line's arguments don't fit its format
        record.msg, record.args = self._clean(message), None
        if record.exc_info and record.exc_info[0] is not None:
            # Handlers write a trace that is text already as it is, and don't look at the exception again.
            text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            record.exc_text = self._clean(text, CONTROLS_OF_A_TRACE)
            if self._keeps_values:
                # OpenTelemetry reads only the exception, which is gone now, so its attributes are set here.
                vars(record)["exception.type"] = record.exc_info[0].__name__
                vars(record)["exception.stacktrace"] = record.exc_text
            record.exc_info = None
        return record

    def clean_extras(self, record: logging.LogRecord) -> bool:
        """Redact what a library gave a record with ``extra``, which comes after the factory; a filter of handlers."""
        for name, value in list(vars(record).items()):
            if name not in _STANDARD:
                vars(record)[name] = self._value(name, value)
        return True

    def _value(self, name: str, value: object) -> object:
        # With its name in front, as in the line: the name distinguishes a request's id from a person's.
        text = f"{name}={value}"
        controls = CONTROLS_OF_A_TRACE if name == "exception.stacktrace" else CONTROLS
        cleaned = self._clean(text, controls)
        return value if isinstance(value, int | float) and cleaned == text else cleaned.removeprefix(f"{name}=")

    def _clean(self, text: str, controls: re.Pattern[str] = CONTROLS) -> str:
        return _clean(text, _LONGEST_LINE, controls, self._secrets)


_factory = RecordFactory()


def install() -> None:
    """Redact every log record of the process from now on; called before the first one."""
    if logging.getLogRecordFactory() is not _factory:
        logging.setLogRecordFactory(_factory)
    # Azure Monitor's exporter sends its batches with azure.core, which logs each request at level info. Exported in
    # turn, these lines fill the next batch: an idle app would send several a second without end.
    logging.getLogger("azure").setLevel(logging.WARNING)


def keep_values() -> None:
    """Give each record the named values of its line as attributes from now on, and redact other libraries' extras."""
    _factory.keep_values()
    for handler in logging.getLogger().handlers:
        handler.addFilter(_factory.clean_extras)


def learn_secrets(*secrets: str | None) -> None:
    """Replace these values in every record, such as the app's own credential."""
    _factory.learn(secrets)


def _clean(text: str, most: int, controls: re.Pattern[str], secrets: Iterable[str] = ()) -> str:
    """Cut first, so that a long text costs no more than a short one, then replace."""
    is_whole = len(text) <= most
    if not is_whole:
        # A pattern might not recognise the half of a secret that is left at the cut: the last word goes too.
        text = text[: max(text.rfind(end, 0, most) for end in _ENDS) + 1]
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    if not is_whole:
        text = text.rstrip(_NUMBER_CHARACTERS)
    text = controls.sub(_escaped, text)
    return text if is_whole and len(text) <= most else text[: most - 1] + "…"


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
