"""A body is read as its encoding says, within the limit."""

from __future__ import annotations

import gzip
import zlib
from functools import partial
from typing import TYPE_CHECKING

import pytest

from web.answers import Request
from web.bodies import content_of
from web.errors import BadRequest, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
BODY = b'{"value": []}'


def _bare(content: bytes) -> bytes:
    writer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return writer.compress(content) + writer.flush()


def _read(content: bytes, encoding: str | None, most: int = MIB) -> bytes:
    return content_of(Request(headers={} if encoding is None else {"content-encoding": encoding}, body=content), most)


@pytest.mark.parametrize(
    ("encode", "encoding"),
    [
        (gzip.compress, "gzip"),
        (gzip.compress, " GZip "),
        (gzip.compress, "identity, x-gzip"),
        (lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:]), "gzip"),
        (lambda body: gzip.compress(body) + b"padding", "gzip"),
        (zlib.compress, "deflate"),
        (_bare, "deflate"),
        (bytes, None),
        (bytes, "identity"),
        (bytes, ""),
    ],
)
def test_encodings(encode: Callable[[bytes], bytes], encoding: str | None) -> None:
    """Plain, gzip, and deflate with zlib's header or without."""
    assert _read(encode(BODY), encoding) == BODY


@pytest.mark.parametrize("body", [BODY, b" " + BODY, b""])
def test_header_alone(body: bytes) -> None:
    """A gateway that decompressed the body may have left the header."""
    assert _read(body, "gzip") == body


@pytest.mark.parametrize(
    ("content", "encoding", "code"),
    [
        (gzip.compress(BODY, mtime=0), "br", "UnknownEncoding"),
        (gzip.compress(BODY, mtime=0), "gzip, gzip", "UnknownEncoding"),
        (gzip.compress(BODY, mtime=0), "\x00", "UnknownEncoding"),
        (gzip.compress(BODY, mtime=0)[:-9], "gzip", "WrongEncoding"),
        (b"\x1f\x8b\x08", "gzip", "WrongEncoding"),
        (b"plain text", "deflate", "WrongEncoding"),
        (b"\xff" * 1000, "gzip", "WrongEncoding"),
    ],
)
def test_refused(content: bytes, encoding: str, code: str) -> None:
    """An encoding that is unknown, not what it says, or cut off is 400."""
    with pytest.raises(BadRequest) as caught:
        _read(content, encoding)
    assert (caught.value.code, caught.value.target) == (code, "Content-Encoding")


@pytest.mark.parametrize("encode", [bytes, gzip.compress, partial(zlib.compress, level=9), _bare])
def test_limit(encode: Callable[[bytes], bytes]) -> None:
    """The limit holds before and after decompression, and no more than it is ever decompressed."""
    encoding = {bytes: None, gzip.compress: "gzip"}.get(encode, "deflate")
    assert len(_read(encode(b"x" * MIB), encoding)) == MIB
    with pytest.raises(TooLarge) as caught:
        _read(encode(b"x" * (MIB + 1)), encoding)
    assert "larger than 1 MiB" in caught.value.message
