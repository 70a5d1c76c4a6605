"""Tokens made by hand and signed with the simulator's own key: good ones, and every way of being bad.

No JWT library makes them, so that nothing keeps a forgery from being as bad as it can be.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from tests.notifications.forge import ATTACKERS_KEY, CALLING_SERVICE, Forge, as_json, base64url

if TYPE_CHECKING:
    from collections.abc import Callable


_MINUTES = 60


def _attackers_jwk() -> dict[str, Any]:
    jwk: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(ATTACKERS_KEY.public_key(), as_dict=True)
    return {**jwk, "kid": "attacker", "use": "sig", "alg": "RS256"}


def _nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def _es256(content: bytes) -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).sign(content, ec.ECDSA(hashes.SHA256()))


FORGERIES: dict[str, Callable[[Forge], str | None]] = {
    # No token, or not where Graph puts it
    "no header": lambda _: None,
    "empty header": lambda _: " ",
    "scheme alone": lambda _: "Bearer",
    "scheme and blank": lambda _: "Bearer   ",
    "token without scheme": lambda forge: forge.good().removeprefix("Bearer "),
    "scheme Basic": lambda forge: forge.good().replace("Bearer", "Basic"),
    "scheme Token": lambda forge: forge.good().replace("Bearer", "Token"),
    "scheme glued on": lambda forge: forge.good().replace("Bearer ", "Bearer"),
    "scheme twice": lambda forge: "Bearer " + forge.good(),
    "two tokens": lambda forge: f"{forge.good()} {forge.parts()[0]}",
    "two tokens with a comma": lambda forge: f"{forge.good()}, {forge.good()}",
    "not a token": lambda _: "Bearer opensesame",
    "dots alone": lambda _: "Bearer ..",
    "two parts": lambda forge: "Bearer " + ".".join(forge.parts()[:2]),
    "four parts": lambda forge: forge.good() + ".e30",
    "five parts, as an encrypted token": lambda forge: forge.good() + ".e30.e30",
    # Algorithm
    "alg none without signature": lambda forge: forge.signed({**forge.header, "alg": "none"}, forge.claims, bytes),
    "alg none with signature": lambda forge: forge.with_header(alg="none"),
    "alg None": lambda forge: forge.signed({**forge.header, "alg": "None"}, forge.claims, lambda _: b"x"),
    "alg HS256 with the public key as PEM": lambda forge: forge.hs256(forge.public(serialization.Encoding.PEM)),
    "alg HS256 with the public key as DER": lambda forge: forge.hs256(forge.public(serialization.Encoding.DER)),
    "alg HS256 with the modulus": lambda forge: forge.hs256(str(forge.signing_key.jwk()["n"]).encode()),
    "alg HS256 without a secret": lambda forge: forge.hs256(b""),
    "HMAC that calls itself RS256": lambda forge: forge.hs256(forge.public(serialization.Encoding.PEM), alg="RS256"),
    "alg RS384": lambda forge: forge.signed(
        {**forge.header, "alg": "RS384"},
        forge.claims,
        lambda content: forge.key.sign(content, padding.PKCS1v15(), hashes.SHA384()),
    ),
    "alg RS512": lambda forge: forge.signed(
        {**forge.header, "alg": "RS512"},
        forge.claims,
        lambda content: forge.key.sign(content, padding.PKCS1v15(), hashes.SHA512()),
    ),
    "alg PS256": lambda forge: forge.signed(
        {**forge.header, "alg": "PS256"},
        forge.claims,
        lambda content: forge.key.sign(content, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
    ),
    "alg ES256": lambda forge: forge.signed({**forge.header, "alg": "ES256"}, forge.claims, _es256),
    "alg RSA256 as announced": lambda forge: forge.with_header(alg="RSA256"),
    "alg in lower case": lambda forge: forge.with_header(alg="rs256"),
    "alg with a blank": lambda forge: forge.with_header(alg="RS256 "),
    "alg as list": lambda forge: forge.with_header(alg=["RS256"]),
    "alg null": lambda forge: forge.with_header(alg=None),
    "no alg": lambda forge: forge.without_header("alg"),
    # Key
    "no kid": lambda forge: forge.without_header("kid"),
    "kid null": lambda forge: forge.with_header(kid=None),
    "kid empty": lambda forge: forge.with_header(kid=""),
    "kid as number": lambda forge: forge.with_header(kid=1),
    "kid as list": lambda forge: forge.with_header(kid=[forge.header["kid"]]),
    "kid as object": lambda forge: forge.with_header(kid={"kid": forge.header["kid"]}),
    "kid unknown": lambda forge: forge.with_header(kid=uuid.uuid4().hex),
    "kid over-long": lambda forge: forge.with_header(kid="k" * 300),
    "kid as path": lambda forge: forge.with_header(kid="../../../../dev/null"),
    "kid as address": lambda forge: forge.with_header(kid=forge.elsewhere),
    "kid with a NUL": lambda forge: forge.with_header(kid=forge.header["kid"] + "\x00"),
    "kid with half a character": lambda forge: forge.with_header(kid="\ud800"),
    "kid in other case": lambda forge: forge.with_header(kid=forge.header["kid"].upper() + "X"),
    "signed with a foreign key": lambda forge: forge.by_attacker(),
    "key brought along as jwk": lambda forge: forge.by_attacker(jwk=_attackers_jwk(), kid="attacker"),
    "key brought along as jwk under a known kid": lambda forge: forge.by_attacker(jwk=_attackers_jwk()),
    "key elsewhere by jku": lambda forge: forge.by_attacker(jku=forge.elsewhere, kid="attacker"),
    "key elsewhere by jku under a known kid": lambda forge: forge.by_attacker(jku=forge.elsewhere),
    "certificate elsewhere by x5u": lambda forge: forge.by_attacker(x5u=forge.elsewhere),
    "certificate brought along as x5c": lambda forge: forge.by_attacker(x5c=[base64url(b"certificate")]),
    "signed with an access token's key": lambda forge: (
        "Bearer " + forge.simulator.entra.access_token(audience=forge.simulator.client_id)
    ),
    "a library's token with a foreign key": lambda forge: "Bearer " + forge.simulator.token(unknown_key=True),
    "a library's token without signature": lambda forge: "Bearer " + forge.simulator.token(algorithm="none"),
    "a library's token with HMAC": lambda forge: "Bearer " + forge.simulator.token(algorithm="HS256"),
    # Header
    "crit of something unknown": lambda forge: forge.with_header(crit=["exp"], exp=1),
    "crit empty": lambda forge: forge.with_header(crit=[]),
    "crit as text": lambda forge: forge.with_header(crit="kid"),
    "payload not encoded": lambda forge: forge.with_header(b64=False, crit=["b64"]),
    "payload said not to be encoded": lambda forge: forge.with_header(b64=False),
    "header no object": lambda forge: forge.signed(["RS256", forge.header["kid"]], forge.claims),
    "header null": lambda forge: forge.signed(b"null", forge.claims),
    "header no JSON": lambda forge: forge.signed(b"{alg:RS256}", forge.claims),
    "header empty": lambda forge: forge.signed(b"", forge.claims),
    "header no UTF-8": lambda forge: forge.signed(b"\xff\xfe{}", forge.claims),
    "header deeply nested": lambda forge: forge.signed(_nested(1700), forge.claims),
    "header of brackets": lambda forge: forge.signed(b"[" * 10_000, forge.claims),
    "header with huge number": lambda forge: forge.signed(b'{"alg":' + b"9" * 9000 + b"}", forge.claims),
    # Issuer
    "no iss": lambda forge: forge.without_claim("iss"),
    "iss null": lambda forge: forge.with_claims(iss=None),
    "iss empty": lambda forge: forge.with_claims(iss=""),
    "iss foreign": lambda forge: forge.with_claims(iss="https://api.botframework.example"),
    "iss longer": lambda forge: forge.with_claims(iss="https://api.botframework.com.example"),
    "iss with a path": lambda forge: forge.with_claims(iss="https://api.botframework.com/x"),
    "iss without encryption": lambda forge: forge.with_claims(iss="http://api.botframework.com"),
    "iss in capitals": lambda forge: forge.with_claims(iss="HTTPS://API.BOTFRAMEWORK.COM"),
    "iss as list": lambda forge: forge.with_claims(iss=["https://api.botframework.com"]),
    "iss as object": lambda forge: forge.with_claims(iss={"https://api.botframework.com": 1}),
    "iss as number": lambda forge: forge.with_claims(iss=0),
    "iss of another tenant of Entra ID": lambda forge: forge.with_claims(
        iss=f"https://sts.windows.net/{uuid.uuid4()}/"
    ),
    # Audience
    "no aud": lambda forge: forge.without_claim("aud"),
    "aud null": lambda forge: forge.with_claims(aud=None),
    "aud empty": lambda forge: forge.with_claims(aud=""),
    "aud foreign": lambda forge: forge.with_claims(aud=str(uuid.uuid4())),
    "aud as address": lambda forge: forge.with_claims(aud=f"api://{forge.simulator.client_id}"),
    "aud as list with ours": lambda forge: forge.with_claims(aud=[forge.simulator.client_id]),
    "aud as list with others": lambda forge: forge.with_claims(aud=[str(uuid.uuid4()), forge.simulator.client_id]),
    "aud as number": lambda forge: forge.with_claims(aud=1),
    "aud as object": lambda forge: forge.with_claims(aud={"id": forge.simulator.client_id}),
    # Tenant
    "no tid": lambda forge: forge.without_claim("tid"),
    "tid null": lambda forge: forge.with_claims(tid=None),
    "tid empty": lambda forge: forge.with_claims(tid=""),
    "tid foreign": lambda forge: forge.with_claims(tid=str(uuid.uuid4())),
    "tid as list": lambda forge: forge.with_claims(tid=[forge.simulator.tenant_id]),
    "tid with a blank": lambda forge: forge.with_claims(tid=forge.simulator.tenant_id + " "),
    "tid under its long name only": lambda forge: forge.signed(
        forge.header,
        {
            **{name: value for name, value in forge.claims.items() if name != "tid"},
            "http://schemas.microsoft.com/identity/claims/tenantid": forge.simulator.tenant_id,
        },
    ),
    # Time
    "no exp": lambda forge: forge.without_claim("exp"),
    "exp null": lambda forge: forge.with_claims(exp=None),
    "exp as text": lambda forge: forge.with_claims(exp="tomorrow"),
    "exp as list": lambda forge: forge.with_claims(exp=[9999999999]),
    "exp as object": lambda forge: forge.with_claims(exp={}),
    "exp zero": lambda forge: forge.with_claims(exp=0),
    "exp negative": lambda forge: forge.with_claims(exp=-1),
    "exp with a fraction without end": lambda forge: forge.signed(
        forge.header, as_json(forge.claims).replace(b'"exp":', b'"exp":1e99999,"x":')
    ),
    "nbf of thousands of digits": lambda forge: forge.with_claims(nbf=10**4000),
    "exp endless": lambda forge: forge.signed(forge.header, as_json({**forge.claims, "exp": float("inf")})),
    "exp no number": lambda forge: forge.signed(forge.header, as_json({**forge.claims, "exp": float("nan")})),
    "expired beyond the leeway": lambda forge: forge.expired_by(5 * _MINUTES + 5),
    "expired long ago": lambda forge: forge.expired_by(365 * 24 * 60 * _MINUTES),
    "not valid yet beyond the leeway": lambda forge: forge.valid_in(5 * _MINUTES + 30),
    "not valid yet for long": lambda forge: forge.valid_in(365 * 24 * 60 * _MINUTES),
    "nbf as text": lambda forge: forge.with_claims(nbf="now"),
    "nbf as list": lambda forge: forge.with_claims(nbf=[0]),
    # Signature and payload
    "no signature": lambda forge: "Bearer " + ".".join([*forge.parts()[:2], ""]),
    "signature cut": lambda forge: forge.good()[:-20],
    "signature cut by one byte": lambda forge: forge.signed(
        forge.header, forge.claims, lambda content: forge.rs256(content)[:-1]
    ),
    "signature with a byte too many": lambda forge: forge.signed(
        forge.header, forge.claims, lambda content: forge.rs256(content) + b"\x00"
    ),
    "signature of zeros": lambda forge: forge.signed(forge.header, forge.claims, lambda _: b"\x00" * 256),
    "signature of ones": lambda forge: forge.signed(forge.header, forge.claims, lambda _: b"\x00" * 255 + b"\x01"),
    "signature of the claims alone": lambda forge: forge.signed(
        forge.header, forge.claims, lambda content: forge.rs256(content.partition(b".")[2])
    ),
    "payload swapped": lambda forge: "Bearer {}.{}.{}".format(
        forge.parts()[0], base64url(as_json({**forge.claims, "exp": 9999999999})), forge.parts()[2]
    ),
    "header swapped": lambda forge: "Bearer {}.{}.{}".format(
        base64url(as_json({**forge.header, "typ": "at+jwt"})), *forge.parts()[1:]
    ),
    "signature padded": lambda forge: forge.good() + "==",
    "payload padded": lambda forge: "Bearer {}.{}==.{}".format(*forge.parts()),
    "signature with junk in it": lambda forge: forge.good() + "!!",
    "signature with a line break": lambda forge: forge.good()[:-4] + "\r\n" + forge.good()[-4:],
    "signature in the other Base64": lambda forge: forge.good().rpartition(".")[0] + "." + "+/" * 171,
    "payload no object": lambda forge: forge.signed(forge.header, [forge.claims]),
    "payload null": lambda forge: forge.signed(forge.header, b"null"),
    "payload no JSON": lambda forge: forge.signed(forge.header, b"iss=https://api.botframework.com"),
    "payload empty": lambda forge: forge.signed(forge.header, b""),
    "payload deeply nested": lambda forge: forge.signed(forge.header, _nested(1500)),
    "payload of brackets": lambda forge: forge.signed(forge.header, b"[" * 10_000),
    # Proof of possession, the other kind's key, and a short one
    "bound to another key": lambda forge: forge.with_claims(cnf={"jwk": _attackers_jwk()}),
    "bound to null": lambda forge: forge.with_claims(cnf=None),
    "signed with the other kind's key": lambda forge: forge.by_the_other_kind(),
    "signed with the other kind's key under its own kid": lambda forge: forge.by_the_other_kind(
        kid=forge.signing_key.kid
    ),
    # Size and characters
    "a megabyte": lambda forge: forge.good() + "A" * 1_000_000,
    "a megabyte of dots": lambda _: "Bearer " + "." * 1_000_000,
    "a megabyte of payload, well signed": lambda forge: forge.with_claims(more="x" * 750_000),
    "a megabyte of scheme": lambda forge: "B" * 1_000_000 + forge.good(),
    "a megabyte of blanks": lambda _: "Bearer" + " " * 1_000_000 + "x",
    "unicode in the token": lambda forge: forge.good() + "é",
    "look-alike letters": lambda forge: forge.good().replace("e", "\u0435", 3),
    "digits of another script": lambda _: "Bearer \u0661.\u0662.\u0663",
}

ENTRA_FORGERIES: dict[str, Callable[[Forge], str | None]] = {
    "signed with a published key of another issuer": lambda forge: (
        "Bearer " + forge.simulator.token(kind="entra", key="other")
    ),
    "of another tenant": lambda forge: forge.with_claims(
        iss=f"{forge.simulator.base_url}/{uuid.uuid4()}/v2.0",
    ),
    "of common": lambda forge: forge.with_claims(iss=f"{forge.simulator.base_url}/common/v2.0"),
    "of a placeholder": lambda forge: forge.with_claims(iss=f"{forge.simulator.base_url}/{{tenantid}}/v2.0"),
    "of another cloud": lambda forge: forge.with_claims(
        iss=f"https://login.microsoftonline.us/{forge.simulator.tenant_id}/v2.0"
    ),
    "of China's cloud": lambda forge: forge.with_claims(
        iss=f"https://login.partner.microsoftonline.cn/{forge.simulator.tenant_id}/v2.0"
    ),
    "of a look-alike host": lambda forge: forge.with_claims(
        iss=f"https://login.microsoftonline.com.example/{forge.simulator.tenant_id}/v2.0"
    ),
    "without a caller": lambda forge: forge.without_claim("azp"),
    "of another caller": lambda forge: forge.with_claims(azp=str(uuid.uuid4())),
    "of another caller, by the older claim": lambda forge: forge.with_claims(azp=None, appid=str(uuid.uuid4())),
    "of this app as the caller": lambda forge: forge.with_claims(azp=forge.simulator.client_id),
    "of another caller beside the calling service": lambda forge: forge.with_claims(
        azp=str(uuid.uuid4()), appid=CALLING_SERVICE
    ),
    "of a list of callers": lambda forge: forge.with_claims(azp=[CALLING_SERVICE]),
    "for this app in capitals": lambda forge: forge.with_claims(aud=forge.simulator.client_id.upper()),
    "an access token for this app": lambda forge: (
        "Bearer " + forge.simulator.entra.access_token(audience=forge.simulator.client_id)
    ),
    "the older issuer": lambda forge: forge.with_claims(iss="https://api.botframework.com"),
}

ENTRA_ACCEPTED: dict[str, Callable[[Forge], str]] = {
    "minted by the simulator, version 1": lambda forge: "Bearer " + forge.simulator.token(kind="entra", version=1),
    "minted by the simulator, version 2": lambda forge: "Bearer " + forge.simulator.token(kind="entra", version=2),
    "signed with a key that names no issuer": lambda forge: "Bearer " + forge.simulator.token(kind="entra", key="none"),
    "as it is": lambda forge: forge.good(),
    "of version 1": lambda forge: forge.with_claims(
        iss=f"https://sts.windows.net/{forge.simulator.tenant_id}/", azp=None, appid=CALLING_SERVICE, ver="1.0"
    ),
    "of version 2, with the public cloud's issuer": lambda forge: forge.with_claims(
        iss=f"https://login.microsoftonline.com/{forge.simulator.tenant_id}/v2.0", ver="2.0"
    ),
    "caller in capitals": lambda forge: forge.with_claims(azp=CALLING_SERVICE.upper()),
    "caller by the older claim": lambda forge: forge.with_claims(azp=None, appid=CALLING_SERVICE),
    "another caller behind the first": lambda forge: forge.with_claims(appid=str(uuid.uuid4())),
    "expired within the leeway": lambda forge: forge.expired_by(5 * _MINUTES - 30),
    "valid soon, within the leeway": lambda forge: forge.valid_in(5 * _MINUTES - 30),
    "without nbf": lambda forge: forge.without_claim("nbf"),
    "for ages": lambda forge: forge.with_claims(exp=10**4000),
    "tenant in capitals": lambda forge: forge.with_claims(tid=forge.simulator.tenant_id.upper()),
}

ACCEPTED: dict[str, Callable[[Forge], str]] = {
    "as it is": lambda forge: forge.good(),
    "minted by the simulator": lambda forge: "Bearer " + forge.simulator.token(),
    "scheme in lower case": lambda forge: forge.good().replace("Bearer", "bearer"),
    "scheme in capitals": lambda forge: forge.good().replace("Bearer", "BEARER"),
    "blanks around it": lambda forge: f"  {forge.good().replace(' ', '   ')}  ",
    "issuer with a slash at its end": lambda forge: forge.with_claims(iss="https://api.botframework.com/"),
    "the other issuer": lambda forge: forge.with_claims(iss="https://graph.microsoft.com"),
    "the other issuer with a slash": lambda forge: forge.with_claims(iss="https://graph.microsoft.com/"),
    "audience in capitals": lambda forge: forge.with_claims(aud=forge.simulator.client_id.upper()),
    "tenant in capitals": lambda forge: forge.with_claims(tid=forge.simulator.tenant_id.upper()),
    "expired within the leeway": lambda forge: forge.expired_by(5 * _MINUTES - 30),
    "valid soon, within the leeway": lambda forge: forge.valid_in(5 * _MINUTES - 30),
    "issued by a clock that is ahead": lambda forge: forge.with_claims(iat=int(time.time()) + 1000),
    "without nbf": lambda forge: forge.without_claim("nbf"),
    "without iat": lambda forge: forge.without_claim("iat"),
    "for five minutes only": lambda forge: forge.with_claims(exp=int(time.time()) + 300),
    "with fractions of seconds": lambda forge: forge.with_claims(exp=time.time() + 300.5, nbf=time.time() - 0.5),
    "with an odd content type": lambda forge: forge.with_header(cty="JWT"),
    "without a type": lambda forge: forge.without_header("typ"),
    "with a thumbprint": lambda forge: forge.with_header(x5t=forge.header["kid"]),
    "with claims of any kind": lambda forge: forge.with_claims(sub=5, jti=["x"], roles={"a": [1]}, serviceurl="é"),
}
