"""OpenID metadata and key sets of any content, read over real HTTPS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from graph.callback_keys import CallbackKeys
from graph.errors import KeysUnavailable
from tests.graph.servers import answer, drip, listening, read_request, tls

if TYPE_CHECKING:
    import socket

    import requests

    from dev.simulator.simulator import Simulator


class _Metadata:
    """Metadata with any content: what to answer for the configuration, and for the keys."""

    def __init__(self, configuration: object, keys: object, *, status: int = 200, headers: str = "") -> None:
        self.configuration = configuration
        self.keys = keys
        self.status = status
        self.headers = headers
        self.asked: list[str] = []

    def __call__(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            path = request.split(b" ")[1].decode()
            self.asked.append(path)
            body = self.keys if path == "/keys" else self.configuration
            answer(connection, self.status, body, self.headers)


def _found(metadata: _Metadata, session: requests.Session, kid: str = "good") -> tuple[bool, _Metadata]:
    """Return whether a key is found where metadata is published, at ``{port}``."""
    with listening(tls(metadata)) as port:
        if metadata.configuration == "good":
            metadata.configuration = {"jwks_uri": f"https://localhost:{port}/keys"}
        elif isinstance(metadata.configuration, str):
            metadata.configuration = {"jwks_uri": metadata.configuration.replace("PORT", str(port))}
        keys = CallbackKeys(f"https://localhost:{port}/configuration", session)
        try:
            return keys.key(kid) is not None, metadata
        except KeysUnavailable:
            return False, metadata
        finally:
            session.close()


_GARBAGE: list[object] = [b"", b"<html>", b"null", b"[]", b'"x"', b"5", b"[" * 5000, b'{"jwks_uri": null}', {}]


@pytest.mark.parametrize("configuration", [*_GARBAGE, {"jwks_uri": 5}, {"jwks_uri": ["https://localhost"]}])
def test_a_garbage_metadata_has_no_keys(configuration: object, trusting: requests.Session) -> None:
    """Whatever is there instead of the metadata, no token is accepted and nothing breaks."""
    assert not _found(_Metadata(configuration, {}), trusting)[0]


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "keys",
        "/keys",
        "ftp://localhost:PORT/keys",
        "file:///etc/passwd",
        "http://keys.invalid/keys",
        "http://localhost.keys.invalid/keys",
        "http://127.0.0.1.keys.invalid/keys",
        "http://localhost@keys.invalid/keys",
        "https://[",
        "https://",
        "https://localhost:PORTx/keys",
        "https://localhost:99999999/keys",
    ],
)
def test_keys_come_over_https_alone(uri: str, trusting: requests.Session) -> None:
    """An address without encryption, or that is none, is not asked for keys."""
    found, metadata = _found(_Metadata(uri, {"keys": []}), trusting)
    assert not found
    assert set(metadata.asked) == {"/configuration"}


def test_plain_http_to_another_host_is_never_tried(trusting: requests.Session) -> None:
    """A name that only begins like this machine's is another host."""
    asked: list[str] = []

    class Spy(type(trusting.get_adapter("http://x"))):  # type: ignore[misc]  # the adapter's class is private
        def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
            asked.append(str(request.url))
            raise ConnectionError

    trusting.mount("http://", Spy())
    _found(_Metadata("http://localhost.keys.invalid/keys", {}), trusting)
    assert asked == []


@pytest.mark.parametrize("keys", [*_GARBAGE, {"keys": None}, {"keys": {}}, {"keys": "x"}, {"keys": []}, {"value": []}])
def test_garbage_instead_of_keys_opens_nothing(keys: object, trusting: requests.Session) -> None:
    """The same for the keys' own address."""
    assert not _found(_Metadata("good", keys), trusting)[0]


@pytest.mark.parametrize("status", [301, 302, 404, 500, 204, 206])
def test_only_a_plain_answer_counts(status: int, trusting: requests.Session) -> None:
    """Neither redirects nor errors nor parts are read."""
    metadata = _Metadata("good", {}, status=status, headers="Location: https://localhost/\r\n")
    assert not _found(metadata, trusting)[0]
    assert set(metadata.asked) == {"/configuration"}


def _good_key(simulator: Simulator) -> dict[str, Any]:
    return {**simulator.keys.current.jwk(), "kid": "good"}


def _short(bits: int) -> dict[str, Any]:
    public = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    return {**jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True), "kid": "bad", "use": "sig"}


_BAD_KEYS: list[tuple[str, Any]] = [
    ("no object", lambda _: 5),
    ("null", lambda _: None),
    ("list", lambda _: []),
    ("empty", lambda _: {}),
    ("another kind", lambda good: {**good, "kid": "bad", "kty": "EC"}),
    ("symmetric", lambda good: {"kty": "oct", "kid": "bad", "k": good["n"]}),
    ("no kind", lambda good: {name: value for name, value in good.items() if name != "kty"} | {"kid": "bad"}),
    ("for encryption", lambda good: {**good, "kid": "bad", "use": "enc"}),
    ("no id", lambda good: {name: value for name, value in good.items() if name != "kid"}),
    ("null id", lambda good: {**good, "kid": None}),
    ("empty id", lambda good: {**good, "kid": ""}),
    ("list as id", lambda good: {**good, "kid": ["bad"]}),
    ("object as id", lambda good: {**good, "kid": {"bad": 1}}),
    ("number as id", lambda good: {**good, "kid": 5}),
    ("no modulus", lambda good: {**good, "kid": "bad", "n": None}),
    ("empty modulus", lambda good: {**good, "kid": "bad", "n": ""}),
    ("number as modulus", lambda good: {**good, "kid": "bad", "n": 5}),
    ("list as modulus", lambda good: {**good, "kid": "bad", "n": []}),
    ("odd modulus", lambda good: {**good, "kid": "bad", "n": "é!"}),
    ("tiny modulus", lambda good: {**good, "kid": "bad", "n": "AQAB"}),
    ("no exponent", lambda good: {**good, "kid": "bad", "e": None}),
    ("zero exponent", lambda good: {**good, "kid": "bad", "e": "AA"}),
    ("even exponent", lambda good: {**good, "kid": "bad", "e": "Ag"}),
    ("1,024 bits", lambda _: _short(1024)),
    ("2,040 bits", lambda _: _short(2040)),
    ("number as issuer", lambda good: {**good, "kid": "bad", "issuer": 5}),
    ("huge exponent", lambda good: {**good, "kid": "bad", "e": good["n"] * 4}),
]


@pytest.mark.parametrize(("name", "spoil"), _BAD_KEYS, ids=[name for name, _ in _BAD_KEYS])
def test_a_bad_key_does_not_spoil_its_neighbours(
    name: str, spoil: Any, trusting: requests.Session, simulator: Simulator
) -> None:
    """An entry that is no signing key is left out; the good ones before and after it stay."""
    good = _good_key(simulator)
    entries = [{**good, "kid": "first"}, spoil(good), good]
    for kid, expected in (("first", True), ("good", True), ("bad", False)):
        assert _found(_Metadata("good", {"keys": entries}), trusting, kid)[0] is expected


def test_an_endless_list_of_keys_is_cut(trusting: requests.Session, simulator: Simulator) -> None:
    """A runaway key set costs neither time nor memory without bound."""
    good = _good_key(simulator)
    entries = [{**good, "kid": f"key-{number}"} for number in range(2000)]
    assert _found(_Metadata("good", {"keys": entries}), trusting, "key-0")[0]
    assert not _found(_Metadata("good", {"keys": entries}), trusting, "key-1999")[0]


def test_a_key_may_name_its_issuer(trusting: requests.Session, simulator: Simulator) -> None:
    """As the keys of Entra ID do."""
    issuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
    metadata = _Metadata("good", {"keys": [{**_good_key(simulator), "issuer": issuer}]})
    with listening(tls(metadata)) as port:
        metadata.configuration = {"jwks_uri": f"https://localhost:{port}/keys"}
        key = CallbackKeys(f"https://localhost:{port}/configuration", trusting).key("good")
        trusting.close()
    assert key is not None
    assert key.issuer == issuer


@pytest.mark.parametrize("slow", ["/configuration", "/keys"])
def test_a_dripping_key_server_has_a_time_limit(
    slow: str, trusting: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slowly it sends, all of the download is over before Graph gives up on the callback."""
    monkeypatch.setattr("graph.callback_keys._DOWNLOAD_SECONDS", 0.6)
    ports: list[int] = []

    def serve(connection: socket.socket) -> None:
        while request := read_request(connection):
            if request.split(b" ")[1].decode() == slow:
                drip(connection, b'{"keys": []' + b" " * 200 + b"}", every=0.05)
            else:
                answer(connection, 200, {"jwks_uri": f"https://localhost:{ports[0]}/keys"})

    with listening(tls(serve)) as port:
        ports.append(port)
        started = time.monotonic()
        with pytest.raises(KeysUnavailable):
            CallbackKeys(f"https://localhost:{port}/configuration", trusting).key("any")
        assert time.monotonic() - started < 2
        trusting.close()
