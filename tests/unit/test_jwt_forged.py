"""A token that the issuer has not signed, or not as it stands, is refused; and tokens of others are left to others."""

import json
import logging
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sukkal import limits
from sukkal.errors import Unauthenticated
from tests.unit.issuing import ISSUER, claims, ec_signer, ed_signer, hs_signer, part, rsa_signer, token
from tests.unit.jwt_rig import START_MS, UNKNOWN_KEY, Rig

NO_SIGNATURE: Final = "The token's signature is not that of its issuer."
NOT_SIGNED: Final = "The token is no JSON Web Token that is signed with one of: RS256, ES256, EdDSA."


def forged() -> Iterator[tuple[str, str, str]]:
    good = claims(START_MS)
    rsa, ed = rsa_signer(), ed_signer()
    head, body, signature = token(ed, good).split(".")
    yield "none", f"{part({'alg': 'none'})}.{body}.", NOT_SIGNED
    yield "none with a signature", f"{part({'alg': 'none', 'kid': 'ed'})}.{body}.{signature}", NOT_SIGNED
    yield "None", f"{part({'alg': 'None', 'kid': 'ed'})}.{body}.{signature}", NOT_SIGNED
    yield "the public key as a secret", token(hs_signer(rsa.pem, "rsa"), good), NOT_SIGNED
    yield "the public key as a JWK", token(hs_signer(json.dumps(dict(rsa.jwk)).encode(), "rsa"), good), NOT_SIGNED
    yield "the secret said to be RSA", token(hs_signer(rsa.pem, "rsa"), good, alg="RS256"), NO_SIGNATURE
    yield "another key of the name", token(rsa_signer("rsa", 2_049), good), NO_SIGNATURE
    yield "another ec key of the name", token(ec_signer("ed"), good, alg="EdDSA"), NO_SIGNATURE
    yield (
        "another algorithm",
        token(ed, good, alg="RS256"),
        UNKNOWN_KEY,
    )
    yield "other claims", f"{head}.{part(good | {'sub': 'root'})}.{signature}", NO_SIGNATURE
    yield "another header", f"{part({'alg': 'EdDSA', 'kid': 'ed', 'x': 1})}.{body}.{signature}", NO_SIGNATURE
    yield "half a signature", f"{head}.{body}.{signature[:43]}", NO_SIGNATURE
    yield "a signature of nothing", f"{head}.{body}.{part(bytes(64))}", NO_SIGNATURE
    yield "crit", token(ed, good, crit=["exp"]), NOT_SIGNED
    yield "crit null", token(ed, good, crit=None), NOT_SIGNED
    yield "not encoded", token(ed, good, b64=False, crit=["b64"]), NOT_SIGNED
    yield "not encoded by stealth", token(ed, good, b64=False), NO_SIGNATURE
    own = dict(ed_signer("mine").jwk)
    yield "a key brought along", token(ed_signer("mine"), good, kid="ed", jwk=own), NO_SIGNATURE
    yield "a place brought along", token(ed_signer("mine"), good, kid="ed", jku="https://evil.example"), NO_SIGNATURE
    yield "kid a number", token(ed, good, kid=1), NOT_SIGNED
    yield (
        "kid a path",
        token(ed, good, kid="../../dev/null"),
        UNKNOWN_KEY,
    )
    yield "four parts", f"{token(ed, good)}.{signature}", NOT_SIGNED
    yield "padding", f"{head}=.{body}.{signature}", NOT_SIGNED
    yield "a line break", f"{token(ed, good)}\n", NOT_SIGNED
    yield "an impossible length", f"{head}a.{body}.{signature}", NOT_SIGNED
    yield "a deep header", f"{part(b'[' * 20_000)}.{body}.{signature}"[:16_000], NOT_SIGNED
    yield "claims no object", token(ed, [1]), f"The token's claim 'iss' is not {ISSUER!r}."
    yield (
        "claims twice",
        token(ed, b'{"iss":"x","iss":"' + ISSUER.encode() + b'"}'),
        "The token is not for us: its claim 'aud' lacks 'sukkal'.",
    )
    yield "nothing", "", NOT_SIGNED
    yield "dots", "..", NOT_SIGNED
    yield "an API key", f"sukkal_{'a' * 8}_{'b' * 52}", NOT_SIGNED
    yield "too large", token(ed, good | {"x": "x" * 16_384}), "The token has more than 16384 characters."
    yield "huge", "a" * 1_000_000, "The token has more than 16384 characters."


@pytest.mark.parametrize(("text", "said"), [each[1:] for each in forged()], ids=[each[0] for each in forged()])
def test_a_forged_token_is_refused(text: str, said: str) -> None:
    assert Rig().refused(text) == said


@given(st.one_of(st.text(max_size=200), st.from_regex(r"[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]*")))
def test_garbage_is_refused(text: str) -> None:
    rig = Rig()
    assert not rig.subject.recognises(text)
    with pytest.raises(Unauthenticated):
        rig.identify(text)


@given(st.data())
def test_a_token_with_one_other_character_is_refused(data: st.DataObject) -> None:
    rig = Rig()
    text = token(ed_signer(), claims(START_MS))
    at = data.draw(st.integers(0, len(text) - 2))
    other = data.draw(st.sampled_from("AQgw_-.0"))
    if text[at] != other:
        with pytest.raises(Unauthenticated):
            rig.identify(text[:at] + other + text[at + 1 :])


# -- other tokens belong to other methods -------------------------------------------------------------------------


def test_only_signed_tokens_of_the_issuer_are_recognised() -> None:
    rig = Rig()
    assert rig.subject.recognises(rig.token())
    assert rig.subject.recognises(rig.token(exp=0)), "that it has expired, it is told by us"
    assert rig.subject.recognises(token(ed_signer("unknown"), claims(START_MS)))
    assert not rig.subject.recognises(rig.token(iss="https://other.example"))
    assert not rig.subject.recognises(token(hs_signer(b"x", "ed"), claims(START_MS)))
    assert not rig.subject.recognises(token(ed_signer(), claims(START_MS, x="x" * limits.REQUEST_HEADER_BYTES_MAX)))
    for name, text, _ in forged():
        if name in ("none", "crit", "padding", "a line break", "nothing", "an API key", "huge"):
            assert not rig.subject.recognises(text), name


def test_nothing_is_logged_of_tokens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for _, text, _ in forged():
        rig = Rig()
        rig.refused(text)
    assert [record for record in caplog.records if record.name != "asyncio"] == []
