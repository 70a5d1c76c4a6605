"""What must never reach a log, an error or a flow's run history: numbers, ids of people, tokens, signed addresses.

Graph's own failure text names people: ``addParticipants failed for participant 4:+1234567890. Underlying reason: ...``
(seen in microsoftgraph/microsoft-graph-comms-samples#410). The reason is worth keeping, the name is not.

``install`` puts the same net under every log line of the process, whoever writes it. Names of people have no form
that a net could catch: the app never logs them, nor anything else of a request's or a callback's content.
"""

from __future__ import annotations

import logging
import re
import threading
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_CHARACTERS = 1_000
_LONGEST_LINE = 20_000
_LEAST_SECRET = 8
_REQUESTS = ("request-id=", "scenario-id=", "message-id=", "caller-id=", "request ID: ", "function ID: ", "invocation ID: ")
_NOBODYS = "".join(rf"(?<!{before})" for before in _REQUESTS)
_STANDARD = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime"})
_QUERY_SECRETS = "sig|sv|sp|code|token|client_secret|client_assertion|access_token"
# What to look for, after a text without which it can't be there: most lines have none of them, and to search for a text
# takes no time.
_PATTERNS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("bearer", re.compile(r"\bBearer\s+[A-Za-z0-9._~+/=-]+", re.IGNORECASE), "Bearer [token]"),
    ("eyj", re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*"), "[token]"),
    ("=", re.compile(rf"([?&](?:{_QUERY_SECRETS})=)[^&\s\"']+", re.IGNORECASE), r"\1[secret]"),
    ("accountkey=", re.compile(r"(AccountKey=)[^;\s\"']+", re.IGNORECASE), r"\1[secret]"),
    ("signature=", re.compile(r"(SharedAccessSignature=)[^;\s\"']+", re.IGNORECASE), r"\1[secret]"),
    # Ids of the calling service: 8:orgid:<guid>, 4:+<number>, 28:<app>, 29:<encrypted>, gov 8:gcch:, 8:dod:.
    (":", re.compile(r"\b(?:8:[A-Za-z]+:|8:|4:|28:|29:)[A-Za-z0-9+_.:-]{3,}[A-Za-z0-9_-]"), "[participant]"),
    # A GUID may be anybody's; only those that the log, or the Functions worker's, names as a request's are known to be
    # nobody's.
    ("-", re.compile(rf"{_NOBODYS}\b[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}\b"), "[id]"),
    ("@", re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"), "[address]"),
    # With a plus sign a number may be written in any way; without one only a long run of digits is taken for one,
    # since dates and codes have digits too.
    ("+", re.compile(r"\+\d(?:[ ().-]?\d){5,14}(?!\d)"), "[number]"),
    ("", re.compile(r"(?<![\w#.:=-])\d{9,15}(?![\w-])|\(\d{2,4}\)[ -]?\d{3}[ -]?\d{3,5}"), "[number]"),
)


def redact(text: str) -> str:
    """Return the text with everything that names a person or opens a door replaced, and cut to a readable length."""
    return _cut(_replaced(text), _MOST_CHARACTERS)


class Net:
    """Makes log records that hold no secret: by pattern, and by value where the value is known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: tuple[str, ...] = ()
        self._keeps_values = False
        self._make = logging.getLogRecordFactory()

    def learn(self, secrets: Iterable[str | None]) -> None:
        """Never let these values through; what is too short to be one is left out."""
        known = {secret for secret in secrets if secret and len(secret) >= _LEAST_SECRET}
        with self._lock:
            self._secrets = tuple(sorted(known.union(self._secrets), key=len, reverse=True))

    def keep_values(self) -> None:
        """Give each record the named values of its line as attributes, which OpenTelemetry sends as dimensions."""
        self._keeps_values = True

    def __call__(self, *arguments: Any, **named: Any) -> logging.LogRecord:
        """Return the record that logging asked for, made clean."""
        record = self._make(*arguments, **named)
        if self._keeps_values:
            self._keep_values(record)
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)  # whoever wrote the line gave arguments that do not fit it
        record.msg, record.args = self._clean(message), None
        if record.exc_info and record.exc_info[0] is not None:
            # Handlers write a trace that is text already as it is, and never look at the exception again.
            record.exc_text = self._clean("".join(traceback.format_exception(*record.exc_info)).rstrip())
            if self._keeps_values:
                # OpenTelemetry looks at the exception alone, so what it would have found there is told by its names.
                vars(record)["exception.type"] = record.exc_info[0].__name__
                vars(record)["exception.stacktrace"] = record.exc_text
            record.exc_info = None
        return record

    def _keep_values(self, record: logging.LogRecord) -> None:
        for name, value in record.args.items() if isinstance(record.args, Mapping) else ():
            vars(record).setdefault(name, self._value(name, value))

    def clean_extras(self, record: logging.LogRecord) -> bool:
        """Clean what a library gave a record with ``extra``, which comes after the factory; a filter of handlers."""
        for name, value in list(vars(record).items()):
            if name not in _STANDARD:
                vars(record)[name] = self._value(name, value)
        return True

    def _value(self, name: str, value: object) -> object:
        # With its name before it, as in the line: an id is told from somebody's by that.
        text = f"{name}={value}"
        cleaned = self._clean(text)
        return value if isinstance(value, int | float) and cleaned == text else cleaned.removeprefix(f"{name}=")

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return _cut(_replaced(text), _LONGEST_LINE)


_net = Net()


def install() -> None:
    """Put the net under every log line of the process from now on."""
    if logging.getLogRecordFactory() is not _net:
        logging.setLogRecordFactory(_net)


def keep_values() -> None:
    """Give each record the named values of its line as attributes from now on, and clean those of other libraries."""
    _net.keep_values()
    for handler in logging.getLogger().handlers:
        handler.addFilter(_net.clean_extras)


def learn_secrets(*secrets: str | None) -> None:
    """Tell the net values that must never be logged, such as the app's own credential."""
    _net.learn(secrets)


def _replaced(text: str) -> str:
    folded = text.casefold()
    for needed, pattern, replacement in _PATTERNS:
        if needed in folded:
            text = pattern.sub(replacement, text)
    return text


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
