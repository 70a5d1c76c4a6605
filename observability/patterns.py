"""The forms of secrets and personal data in text: tokens, keys, signatures, ids of people, numbers, meeting links.

Every pattern takes time that is linear in the text's length, whatever the text is: repeats are possessive, so that
nothing is searched twice, and a pattern that may fail after a long repeat can start only where that repeat starts.
Names of people have no form that a pattern could find: the app never logs them.
"""

from __future__ import annotations

import re

_HEX = "[0-9A-Fa-f]"
_ENCODED = f"%{_HEX}{{2}}"  # an id may follow a percent-encoded character, as in 8%3Aorgid%3A<guid>
_AT = "(?:@|%40)"
_COLON = "(?::|%3[Aa])"
# A dot or colon after an id ends the sentence.
_ID = r"(?:[A-Za-z0-9+_%-]++|[.:]++(?=[A-Za-z0-9+_%-]))++"
# Spaces, dashes, dots and parentheses between the digits of a phone number, as people write it.
_GAP = r"[ ().\-/\u00a0\u2010-\u2015\u202f]{0,3}"
# The end of a name whose value is secret: client_secret, access_token, SharedAccessKey, ...
_NAMED = "secret|assertion|token|password|passcode|AccountKey|AccessKey|AccessSignature|functions-key"
# Between name and value in forms, query strings and connection strings, and in JSON.
_IS = r"(?:[\"']?\s{0,3}(?:=|%3D)\s{0,3}[\"']?|[\"']\s{0,3}:\s{0,3}[\"']?)"
# What log lines of ours and of the Functions worker name so is a request or an app. Other GUIDs may be people's.
_REQUESTS = (
    *("request-id=", "scenario-id=", "message-id=", "caller-id="),
    *("request ID: ", "function ID: ", "invocation ID: "),
)


def _not_a_request(length: int) -> str:
    return "".join(rf"(?<!{words}.{{{length}}})" for words in _REQUESTS)


_FORMS = (
    (r"(?i:(Bearer|SharedKey))\s++[A-Za-z0-9._~+/=:-]++", r"\1 [token]"),
    # {" in Base64 is eyJ: every JSON Web Token begins so, and needs no more to be recognised.
    (r"eyJ[A-Za-z0-9_-]{5,}+(?:\.[A-Za-z0-9_-]*+)*+", "[token]"),
    (rf"((?i:{_NAMED}){_IS})[^&;,\s\"'}}]++", r"\1[secret]"),
    (r"([?&;]code=|sig=|whsec_)[^&\s\"']++", r"\1[secret]"),
    (r"(/(?:meetup-join|meet)/)[^\s\"'<>]++", r"\1[meeting]"),
    (rf"19{_COLON}[\w-]++{_AT}thread\.\w++", "[meeting]"),
    # Ids of the calling service: 8:orgid:<guid>, 4:+<number>, 28:<app>, 29:<encrypted>, 8:gcch:, 8:dod:.
    (rf"(?:(?<![0-9A-Za-z])|(?<={_ENCODED}))(?:8|4|28|29){_COLON}(?=[A-Za-z0-9+_.:%-]{{4}}){_ID}", "[participant]"),
    (rf"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}{_not_a_request(36)}", "[id]"),
    (rf"(?:(?<!{_HEX})|(?<={_ENCODED})){_HEX}{{32}}(?!{_HEX}){_not_a_request(32)}", "[id]"),
    (rf"(?<![A-Za-z0-9._+-])[A-Za-z0-9._+-]++{_AT}[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++", "[address]"),
    (rf"(?i:tel){_COLON}(?:{_GAP}\+?\d)(?:{_GAP}\d){{2,}}+", "[number]"),
    (rf"(?:\+|%2[Bb]){_GAP}\d(?:{_GAP}\d){{5,}}+", "[number]"),
    (rf"(?<![\w.:,-])00{_GAP}[1-9](?:{_GAP}\d){{6,}}+(?![\w:])", "[number]"),
    # Without a prefix only these forms are taken for a number, since dates, codes and durations have digits too.
    (r"(?<![\w#.-])\d{9,}+(?![\w-])", "[number]"),
    (r"\(\d{2,4}\)[ -]?\d{3}[ -]?\d{3,5}", "[number]"),
    (r"(?<![\w.-])\d{3}[ .-]\d{3}[ .-]\d{3}[ .-]?\d{1,4}(?![\w-])", "[number]"),  # a meeting's id too
)
PATTERNS = tuple((re.compile(form, re.ASCII), replacement) for form, replacement in _FORMS)

# What could forge a line of the log or change how it is shown: control characters, line and paragraph separators,
# changes of the writing direction, and halves of surrogate pairs, which no handler can encode.
_UNSEEN = r"\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
CONTROLS = re.compile(rf"[\x00-\x1f{_UNSEEN}]")
CONTROLS_OF_A_TRACE = re.compile(rf"[\x00-\x08\x0b-\x1f{_UNSEEN}]")
