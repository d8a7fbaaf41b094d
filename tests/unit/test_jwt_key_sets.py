"""Keys are looked for where the issuer says, and only those are used that are for the signature at hand."""

import json
from typing import Any

import pytest

from sukkal.errors import IdentityUnavailable
from tests.unit.issuing import ISSUER, ec_signer, ed_signer, key_set, rsa_signer
from tests.unit.jwt_rig import KEYS_URL, UNKNOWN_KEY, Rig

DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
A = ed_signer("a")

# -- where they are -----------------------------------------------------------------------------------------------


def discovering(document: Any) -> Rig:
    rig = Rig(A, jwks_url="")
    rig.documents[DISCOVERY] = document if isinstance(document, bytes) else json.dumps(document).encode()
    return rig


def test_where_the_keys_are_is_read_from_the_issuer() -> None:
    rig = discovering({"issuer": ISSUER, "jwks_uri": KEYS_URL, "other": 1})
    assert rig.identify(rig.token(A)).user == "u1"


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://other.example", "jwks_uri": KEYS_URL},
        {"issuer": f"{ISSUER}/", "jwks_uri": KEYS_URL},
        {"issuer": ISSUER},
        {"issuer": ISSUER, "jwks_uri": 5},
        [],
        b"<html>",
        b"\xff",
    ],
    ids=str,
)
def test_a_document_that_is_not_the_issuers_own_is_not_followed(document: Any) -> None:
    rig = discovering(document)
    with pytest.raises(IdentityUnavailable):
        rig.identify(rig.token(A))


def test_an_issuer_with_a_slash_at_its_end_keeps_it() -> None:
    rig = Rig(A, jwks_url="", issuer=f"{ISSUER}/")
    rig.documents[DISCOVERY] = json.dumps({"issuer": f"{ISSUER}/", "jwks_uri": KEYS_URL}).encode()
    assert rig.identify(rig.token(A, iss=f"{ISSUER}/")).user == "u1"


# -- which of them are used ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [{"use": "enc"}, {"alg": "RS512"}, {"kty": "EC"}, {"kty": ...}, {"n": "AQAB"}, {"n": 5}, {"e": ...}, {"d": "AQAB"}],
    ids=str,
)
def test_a_key_that_is_not_for_the_signature_is_passed_over(changes: dict[str, Any]) -> None:
    rig = Rig()
    rig.documents[KEYS_URL] = key_set(rsa_signer(), **changes)
    assert rig.refused(rig.token(rsa_signer())) == UNKNOWN_KEY


def test_a_key_that_is_too_short_is_passed_over() -> None:
    signer = rsa_signer("short", 1_024)
    rig = Rig(signer)
    assert rig.refused(rig.token(signer)) == UNKNOWN_KEY


def test_a_key_on_another_curve_is_passed_over() -> None:
    signer = ec_signer("large", 384)
    rig = Rig(signer)
    assert rig.refused(rig.token(signer)) == UNKNOWN_KEY


def test_a_key_with_which_everybody_could_sign_is_passed_over() -> None:
    signer = ed_signer("leaked", leaked=True)
    rig = Rig(signer)
    assert rig.refused(rig.token(signer)) == UNKNOWN_KEY


def test_a_key_says_for_which_algorithm_it_is() -> None:
    rig = Rig()
    rig.documents[KEYS_URL] = key_set(rsa_signer(), alg="RS256")
    assert rig.identify(rig.token(rsa_signer())).user == "u1"
