"""Who presents a token that the issuer has signed for us is recognised while it is valid."""

import json
import sys
from typing import Any

import pytest

from sukkal import limits
from sukkal.errors import SettingsError, Unauthenticated
from sukkal.identity.jwt import ALGORITHMS, JwtConfiguration
from sukkal.identity.jwt.claims import read_claims
from sukkal.service.access import Identity
from tests.unit.issuing import AUDIENCE, ISSUER, Signer, claims, ec_signer, ed_signer, key_set, rsa_signer, token
from tests.unit.jwt_rig import KEYS_URL, LEEWAY_MS, START_MS, UNKNOWN_KEY, Rig

# -- who is recognised --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signer", [rsa_signer(), ec_signer(), ed_signer()], ids=lambda signer: signer.alg)
def test_the_holder_of_a_signed_token_is_recognised(signer: Signer) -> None:
    rig = Rig()
    text = rig.token(signer, roles=["member", "admin"], preferred_username="ada")
    assert rig.subject.recognises(text)
    assert rig.subject.known(text) is None
    found = rig.identify(text)
    assert found == Identity(
        method="jwt",
        project="p1",
        user="u1",
        user_name="ada",
        roles=frozenset({"member", "admin"}),
        expires_ms=START_MS + 600_000 + LEEWAY_MS,
    )
    assert rig.subject.known(text) is found


def test_another_algorithm_can_be_chosen() -> None:
    signer = rsa_signer("pss", alg="PS256")
    assert Rig(signer, algorithms=("PS256",)).identify(token(signer, claims(START_MS))).user == "u1"
    assert "signed with one of: RS256, ES256, EdDSA" in Rig(signer).refused(token(signer, claims(START_MS)))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"roles": "member admin"}, {"member", "admin"}),
        ({"roles": []}, set()),
        ({"roles": ""}, set()),
        ({}, set()),
        ({"roles": None}, set()),
    ],
)
def test_roles_are_a_list_or_a_text_or_absent(said: dict[str, Any], meant: set[str]) -> None:
    rig = Rig()
    assert set(rig.identify(rig.token(**said)).roles) == meant


def test_claims_are_found_by_paths_and_by_whole_names_with_dots() -> None:
    rig = Rig(project_claim="https://a.b/project", roles_claim="realm_access.roles", user_claim="ids.user")
    said: dict[str, Any] = {"https://a.b/project": "p2", "realm_access": {"roles": ["r"]}, "ids": {"user": "u2"}}
    found = rig.identify(rig.token(**said))
    assert (found.project, found.user, sorted(found.roles)) == ("p2", "u2", ["r"])


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
def test_a_token_may_be_for_several_audiences(audience: Any) -> None:
    rig = Rig()
    assert rig.identify(rig.token(aud=audience)).user == "u1"


def test_a_key_needs_no_name_if_it_is_the_only_one() -> None:
    signer = ed_signer()
    rig = Rig()
    rig.documents[KEYS_URL] = key_set(signer, kid=...)
    assert rig.identify(token(signer, claims(START_MS), kid=...)).user == "u1"
    assert rig.refused(token(signer, claims(START_MS))) == UNKNOWN_KEY
    two = Rig(ed_signer("a"), ed_signer("b"))
    assert two.refused(token(ed_signer("a"), claims(START_MS), kid=...)) == UNKNOWN_KEY


# -- time ---------------------------------------------------------------------------------------------------------


def test_a_token_is_valid_until_the_very_millisecond_in_which_it_expires() -> None:
    rig = Rig()
    text = rig.token(exp=START_MS // 1_000 + 60)
    rig.identify(text)
    rig.clock.advance(60_000 + LEEWAY_MS - 1)
    assert rig.subject.known(text) == rig.identify(text)
    rig.clock.advance(1)
    assert rig.subject.known(text) is None
    assert rig.refused(text) == "The token has expired. Get a new one."


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_a_token_is_not_valid_before_its_time(name: str) -> None:
    rig = Rig()
    changes: dict[str, Any] = {name: START_MS // 1_000 + 60}
    text = rig.token(**changes)
    assert rig.refused(text) == f"The token is not valid yet, by its claim {name!r}. Do the clocks agree?"
    rig.clock.advance(60_000 - LEEWAY_MS - 1)
    rig.refused(text)
    rig.clock.advance(1)
    rig.identify(text)


def test_a_date_may_have_a_fraction() -> None:
    rig = Rig(leeway_s=0)
    text = rig.token(exp=START_MS / 1_000 + 0.5)
    assert rig.identify(text).expires_ms == START_MS + 500


def test_a_token_is_known_for_some_minutes_and_then_checked_again() -> None:
    rig = Rig()
    text = rig.token()
    rig.identify(text)
    rig.clock.advance(limits.JWT_KNOWN_S * 1_000 - 1)
    assert rig.subject.known(text) is not None
    rig.clock.advance(1)
    assert rig.subject.known(text) is None
    rig.identify(text)
    assert rig.subject.known(text) is not None


def test_no_more_tokens_are_known_than_the_limit_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "JWT_KNOWN_MAX", 2)
    rig = Rig()
    texts = [rig.token(sub=f"u{number}") for number in range(3)]
    for text in [*texts, texts[2]]:
        rig.identify(text)
    assert [rig.subject.known(text) is not None for text in texts] == [False, True, True]


# -- who is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"iss": "https://other.example"}, f"The token's claim 'iss' is not {ISSUER!r}."),
        ({"iss": f"{ISSUER}/"}, f"The token's claim 'iss' is not {ISSUER!r}."),
        ({"iss": [ISSUER]}, f"The token's claim 'iss' is not {ISSUER!r}."),
        ({"iss": ...}, f"The token's claim 'iss' is not {ISSUER!r}."),
        ({"aud": "sukkal2"}, "The token is not for us: its claim 'aud' lacks 'sukkal'."),
        ({"aud": ["SUKKAL", ["sukkal"]]}, "The token is not for us: its claim 'aud' lacks 'sukkal'."),
        ({"aud": {"sukkal": 1}}, "The token is not for us: its claim 'aud' lacks 'sukkal'."),
        ({"aud": ...}, "The token is not for us: its claim 'aud' lacks 'sukkal'."),
        ({"exp": ...}, "The token has no claim 'exp', and would be valid for ever."),
        ({"exp": None}, "The token has no claim 'exp', and would be valid for ever."),
        ({"exp": "9999999999"}, "The token's claim 'exp' is not a number of seconds since 1970."),
        ({"exp": True}, "The token's claim 'exp' is not a number of seconds since 1970."),
        ({"exp": 10**30}, "The token's claim 'exp' is not a number of seconds since 1970."),
        ({"nbf": -1}, "The token's claim 'nbf' is not a number of seconds since 1970."),
        ({"iat": [1]}, "The token's claim 'iat' is not a number of seconds since 1970."),
        ({"project_id": ...}, "The token has no claim 'project_id' with a text. Have the issuer put it in."),
        ({"project_id": ""}, "The token has no claim 'project_id' with a text. Have the issuer put it in."),
        ({"project_id": 5}, "The token has no claim 'project_id' with a text. Have the issuer put it in."),
        ({"project_id": "p" * 257}, "The token's claim 'project_id' has more than 256 characters."),
        ({"sub": ...}, "The token has no claim 'sub' with a text. Have the issuer put it in."),
        ({"roles": {"a": 1}}, "The token's claim 'roles' is neither a list of texts nor a text."),
        ({"roles": ["a", 1]}, "The token's claim 'roles' is neither a list of texts nor a text."),
        ({"roles": ["a"] * 1_001}, "The token's claim 'roles' has more than 1000 roles."),
    ],
    ids=str,
)
def test_a_genuine_token_with_another_claim_is_refused(changes: dict[str, Any], said: str) -> None:
    rig = Rig()
    assert rig.refused(rig.token(**changes)) == said


def test_claims_are_checked_whoever_read_them_before() -> None:
    """``identify`` looks at the issuer first; what is signed is what counts."""
    rig = Rig()
    for payload, said in (
        (b"[]", "The token's claims are not a JSON object."),
        (
            json.dumps(claims(START_MS, iss="https://other.example")).encode(),
            f"The token's claim 'iss' is not {ISSUER!r}.",
        ),
    ):
        with pytest.raises(Unauthenticated) as raised:
            read_claims(payload, rig.configuration, START_MS)
        assert str(raised.value) == said


def test_a_genuine_token_with_claims_that_are_no_text_is_refused() -> None:
    payload = json.dumps(claims(START_MS)).encode()[:-1] + b', "x": "\xff"}'
    assert Rig().refused(token(ed_signer(), payload)) == "The token's claims are not a JSON object."


# -- the configuration --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"issuer": ""}, "jwt_issuer is empty"),
        ({"audience": ""}, "jwt_audience is empty"),
        ({"project_claim": ""}, "jwt_project_claim is empty"),
        ({"jwks_url": "http://issuer.example/keys"}, "jwt_jwks_url is 'http://issuer.example/keys', where"),
        ({"jwks_url": "", "issuer": "http://issuer.example"}, "without https, everybody on the way could"),
        ({"jwks_url": "", "issuer": "issuer"}, "it takes a URL that begins with https://"),
        ({"jwks_url": "file:///etc/passwd"}, "it takes a URL that begins with https://"),
        ({"jwks_url": "https://[::1/keys"}, "it is no URL"),
        ({"jwks_url": "https://a:x/keys"}, "it is no URL"),
        ({"jwks_url": "https://user:word@a/keys"}, "characters, or a user, that do not belong there"),
        ({"jwks_url": "https://a/ke ys"}, "characters, or a user, that do not belong there"),
        ({"algorithms": ("RS256", "none")}, "jwt_algorithms has 'none'; it takes some of: RS256, RS384"),
        ({"algorithms": ("HS256",)}, "jwt_algorithms has 'HS256'"),
        ({"algorithms": ()}, "jwt_algorithms is empty"),
        ({"leeway_s": -1}, "jwt_leeway_s is -1; it takes seconds from 0 to 300"),
        ({"leeway_s": 301}, "jwt_leeway_s is 301"),
    ],
    ids=str,
)
def test_a_configuration_that_cannot_work_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Rig(**options)
    assert said in str(raised.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/k", "http://[::1]:1/k", "http://localhost/k", "https://a/k"])
def test_plain_http_is_for_this_machine_alone(url: str) -> None:
    JwtConfiguration(issuer="any text", audience="a", jwks_url=url)


def test_no_algorithm_with_a_shared_secret_can_be_chosen() -> None:
    assert not any(alg.startswith(("HS", "none")) for alg in ALGORITHMS)


def test_without_its_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sukkal.identity.jwt.signatures", raising=False)
    monkeypatch.delitem(sys.modules, "sukkal.identity.jwt.key_source", raising=False)
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(SettingsError, match=r"jwt is missing: pip install 'sukkal\[jwt\]'"):
        Rig()
