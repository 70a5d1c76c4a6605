"""A request's body as it was meant: decompressed where its encoding says so, and never larger than allowed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from web.errors import BadRequest, TooLarge

if TYPE_CHECKING:
    from web.answers import Request

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_BARE = -zlib.MAX_WBITS
_GZIP = b"\x1f\x8b"
# RFC 9110, 8.4.1; x-gzip is the same as gzip.
_ENCODINGS = ("gzip", "x-gzip", "deflate")


def content_of(request: Request, most: int) -> bytes:
    """Return the body's bytes.

    Args:
        request: the request.
        most: bytes, before and after decompression.

    Raises:
        BadRequest: its encoding is unknown, or not what it says.
        TooLarge: it is larger than ``most``.
    """
    content = _within(request.body, most)
    named = [one.strip().casefold() for one in request.headers.get("content-encoding", "").split(",")]
    encodings = [one for one in named if one not in ("", "identity")]
    if not encodings or content.lstrip()[:1] in (b"{", b""):
        return content  # what stands before the app may have decompressed it and left the header
    if len(encodings) > 1 or encodings[0] not in _ENCODINGS:
        message = "The app reads no such Content-Encoding. Send the body uncompressed, or with gzip or deflate."
        raise BadRequest("UnknownEncoding", message, target="Content-Encoding")
    try:
        return _within(_decompressed(content, most), most)
    except zlib.error:
        message = "The body is not what its Content-Encoding says. Send it uncompressed, or whole."
        raise BadRequest("WrongEncoding", message, target="Content-Encoding") from None


def _within(content: bytes, most: int) -> bytes:
    if len(content) > most:
        message = f"The body is larger than {most // 1024 // 1024} MiB. Send less in one request."
        raise TooLarge("BodyTooLarge", message)
    return content


def _decompressed(content: bytes, most: int) -> bytes:
    """Return at most one byte more than ``most``; senders of ``deflate`` leave out zlib's header or not."""
    try:
        return _inflated(content, most, _GZIP_OR_ZLIB)
    except zlib.error:
        return _inflated(content, most, _BARE)


def _inflated(content: bytes, most: int, window: int) -> bytes:
    """Return what is compressed, of all members where there are several (RFC 1952, 2.2)."""
    read = b""
    while content:
        reader = zlib.decompressobj(window)
        read += reader.decompress(content, most + 1 - len(read))
        if len(read) > most:
            break
        if not reader.eof:
            raise zlib.error("cut off")
        content = reader.unused_data if reader.unused_data.startswith(_GZIP) else b""
    return read
