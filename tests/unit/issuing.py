"""An issuer of JSON Web Tokens, genuine and forged, that shares no code with what checks them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

__all__ = [
    "AUDIENCE",
    "ISSUER",
    "Signer",
    "claims",
    "ec_signer",
    "ed_signer",
    "hs_signer",
    "key_set",
    "part",
    "rsa_signer",
    "token",
]

ISSUER: Final = "https://issuer.example"
AUDIENCE: Final = "sukkal"


class Signer(NamedTuple):
    """A private key: how its signatures are called, how it signs, and its public half."""

    alg: str
    sign: Callable[[bytes], bytes]
    jwk: Mapping[str, Any]
    pem: bytes = b""


def part(value: Any) -> str:
    """Return bytes, or JSON of anything else, as a part of a token."""
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def claims(now_ms: int, **changes: Any) -> dict[str, Any]:
    """Return good claims with changes; those that are ``...`` are absent."""
    now_s = now_ms // 1_000
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u1", "project_id": "p1", "iat": now_s, "exp": now_s + 600}
    return {name: value for name, value in (good | changes).items() if value is not ...}


def token(signer: Signer, payload: Any, **header: Any) -> str:
    """Return a signed token. Fields of the header that are ``...`` are absent."""
    fields = {"alg": signer.alg, "typ": "JWT", "kid": signer.jwk.get("kid", ...)} | header
    head = part({name: value for name, value in fields.items() if value is not ...})
    content = f"{head}.{part(payload)}"
    return f"{content}.{part(signer.sign(content.encode()))}"


def key_set(*signers: Signer, **changes: Any) -> bytes:
    """Return the public halves of keys as issuers publish them."""
    keys = [{name: value for name, value in (dict(each.jwk) | changes).items() if value is not ...} for each in signers]
    return json.dumps({"keys": keys}).encode()


@cache
def rsa_signer(kid: str = "rsa", bits: int = 2_048, alg: str = "RS256") -> Signer:
    private = rsa.generate_private_key(public_exponent=65_537, key_size=bits)
    numbers = private.public_key().public_numbers()
    jwk = {"kty": "RSA", "kid": kid, "use": "sig", "n": part(_bytes(numbers.n)), "e": part(_bytes(numbers.e))}
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    pad: padding.AsymmetricPadding = padding.PKCS1v15()
    if alg.startswith("PS"):
        pad = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    return Signer(alg, lambda content: private.sign(content, pad, hashes.SHA256()), jwk, pem)


@cache
def ec_signer(kid: str = "ec", bits: int = 256) -> Signer:
    """Return a signer that says ES256, whatever its curve."""
    private = ec.generate_private_key(ec.SECP256R1() if bits == 256 else ec.SECP384R1())
    point, size = private.public_key().public_numbers(), bits // 8
    x, y = part(_bytes(point.x, size)), part(_bytes(point.y, size))

    def sign(content: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(content, ec.ECDSA(hashes.SHA256())))
        return _bytes(r, size) + _bytes(s, size)

    return Signer("ES256", sign, {"kty": "EC", "crv": f"P-{bits}", "kid": kid, "x": x, "y": y})


@cache
def ed_signer(kid: str = "ed", *, leaked: bool = False) -> Signer:
    """Return a signer; one that is ``leaked`` publishes its private half, too."""
    private = ed25519.Ed25519PrivateKey.generate()
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    jwk = {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": part(raw)}
    return Signer("EdDSA", private.sign, jwk | ({"d": part(private.private_bytes_raw())} if leaked else {}))


def hs_signer(secret: bytes, kid: str) -> Signer:
    """Return a signer with a shared secret, such as a public key that is taken for one."""
    return Signer("HS256", lambda content: hmac.digest(secret, content, hashlib.sha256), {"kid": kid})


def _bytes(number: int, length: int | None = None) -> bytes:
    return number.to_bytes(length or (number.bit_length() + 7) // 8, "big")
