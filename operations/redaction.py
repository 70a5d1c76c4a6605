"""What must never reach a log, an error or a flow's run history: numbers, ids, names in ids, tokens, signed URLs.

Graph's own failure text names people: ``addParticipants failed for participant 4:+1234567890. Underlying reason: ...``
(seen in microsoftgraph/microsoft-graph-comms-samples#410). The reason is worth keeping, the name is not.
"""

from __future__ import annotations

import re

_MOST_CHARACTERS = 1_000
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bBearer\s+[A-Za-z0-9._~+/=-]+", re.IGNORECASE), "Bearer [token]"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*"), "[token]"),
    (
        re.compile(
            r"([?&](?:sig|sv|sp|code|token|client_secret|client_assertion|access_token)=)[^&\s\"']+",
            re.IGNORECASE,
        ),
        r"\1[secret]",
    ),
    # Ids of the calling service: 8:orgid:<guid>, 4:+<number>, 28:<app>, 29:<encrypted>, gov 8:gcch:, 8:dod:.
    (re.compile(r"\b(?:8:[A-Za-z]+:|8:|4:|28:|29:)[A-Za-z0-9+_.:-]{4,}"), "[participant]"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "[id]"),
    (re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"), "[address]"),
    (re.compile(r"(?<![\w#])\+?\d(?:[ ().-]?\d){6,14}(?!\w)"), "[number]"),
)


def redact(text: str) -> str:
    """Return the text with everything that names a person or opens a door replaced, and cut to a readable length."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"
