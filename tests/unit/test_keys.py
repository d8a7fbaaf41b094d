"""Who presents an API key is recognised, as long as the file says so; and nothing else tells what the key was."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sukkal import limits
from sukkal.errors import SettingsError, Unauthenticated
from sukkal.identity.keys import (
    Key,
    KeyFile,
    Keys,
    create_key,
    format_keys,
    key_id,
    parse_keys,
    split_key,
    without_secrets,
)
from sukkal.service.access import Authenticator, Identity
from sukkal.testing import FakeClock
from tests.unit.making_keys import START_MS, make


class Shelf:
    """A text that can be read and replaced."""

    def __init__(self, *keys: Key) -> None:
        self.text = format_keys(keys)

    def read(self) -> str:
        return self.text


def identify(keys: Keys, token: str) -> Identity:
    return asyncio.run(keys.identify(token))


def refused(keys: Keys, token: str) -> str:
    """Return what the sender of a token is told, after looking that nothing in it is of the token."""
    with pytest.raises(Unauthenticated) as raised:
        identify(keys, token)
    assert keys.known(token) is None
    assert raised.value.challenges == (keys.challenge,) == ('Bearer realm="sukkal"',)
    parts = split_key(token)
    said = f"{raised.value!r} {raised.value.__cause__!r} {raised.value.__context__!r}"
    assert token not in said
    assert parts is None or parts.secret not in said
    return str(raised.value)


# -- recognising --------------------------------------------------------------------------------------------------


def test_the_holder_of_a_key_is_recognised_with_project_roles_and_names() -> None:
    key, text = make(project="demo", roles=["member", "admin"], name="ci", expires_ms=START_MS + 5_000)
    keys: Authenticator = Keys(Shelf(key).read, FakeClock(), path="keys.json")
    assert keys.recognises(text)
    assert keys.known(text) is None
    found = asyncio.run(keys.identify(text))
    assert found == Identity(
        method="keys",
        project="demo",
        user=key.id,
        user_name="ci",
        roles=frozenset({"member", "admin"}),
        expires_ms=START_MS + 5_000,
    )
    assert keys.known(text) is found


def test_a_key_is_valid_until_the_very_millisecond_in_which_it_expires() -> None:
    key, text = make(expires_ms=START_MS + 5_000)
    clock = FakeClock()
    keys = Keys(Shelf(key).read, clock, path="keys.json")
    identify(keys, text)
    clock.advance(4_999)
    assert keys.known(text) == identify(keys, text)
    clock.advance(1)
    assert keys.known(text) is None
    assert refused(keys, text) == "The API key has expired. Ask for a new one."


def test_a_key_without_an_end_stays_valid() -> None:
    key, text = make()
    clock = FakeClock()
    keys = Keys(Shelf(key).read, clock, path="keys.json")
    identify(keys, text)
    clock.advance(10**13)
    assert keys.known(text) is not None


def test_a_wrong_secret_and_a_wrong_id_are_refused_alike() -> None:
    key, text = make(1)
    _, other = make(2)
    keys = Keys(Shelf(key).read, FakeClock(), path="keys.json")
    wrong_secret = text[:-2] + ("00" if text[-2:] != "00" else "10")
    assert refused(keys, wrong_secret) == refused(keys, other) == refused(keys, text[:16] + other[16:])


@pytest.mark.parametrize(
    "change",
    [str.upper, lambda text: text[:-1], lambda text: text + "0", lambda text: text + "\n"],
)
def test_a_key_with_a_slip_in_its_form_is_nobody_elses_and_refused(change: Callable[[str], str]) -> None:
    key, text = make()
    keys = Keys(Shelf(key).read, FakeClock(), path="keys.json")
    assert keys.recognises(change(text))
    assert "The API key is not valid" in refused(keys, change(text))


@given(st.text(max_size=100))
def test_any_other_text_is_refused(token: str) -> None:
    keys = Keys(Shelf(make()[0]).read, FakeClock(), path="keys.json")
    assert not keys.recognises(token)
    with pytest.raises(Unauthenticated):
        identify(keys, token)


def test_the_hash_is_not_a_key() -> None:
    key, _ = make()
    keys = Keys(Shelf(key).read, FakeClock(), path="keys.json")
    assert refused(keys, f"sukkal_{key.id}_{key.secret_hash}")
    assert refused(keys, f"sukkal_{key.id}_{key.secret_hash[:52]}")


# -- reading again ------------------------------------------------------------------------------------------------


def test_a_revoked_key_is_refused_once_the_file_is_read_again() -> None:
    (one, one_text), (two, two_text) = make(1), make(2)
    shelf = Shelf(one, two)
    keys = Keys(shelf.read, FakeClock(), path="keys.json")
    identify(keys, one_text)
    shelf.text = format_keys([two])
    keys.reload()
    refused(keys, one_text)
    assert identify(keys, two_text).user == two.id


def test_a_wrong_file_is_refused_and_the_old_keys_go_on_opening() -> None:
    key, text = make()
    shelf = Shelf(key)
    keys = Keys(shelf.read, FakeClock(), path="keys.json")
    shelf.text = "[{]"
    with pytest.raises(SettingsError, match=r"keys\.json is not a JSON list"):
        keys.reload()
    assert identify(keys, text).user == key.id


def test_a_file_that_cannot_be_read_is_refused_and_the_old_keys_go_on_opening(tmp_path: Path) -> None:
    key, text = make()
    file = KeyFile(tmp_path / "keys.json")
    file.change(lambda keys: keys.update({key.id: key}), create=True)
    keys = Keys(file.read, FakeClock(), path=file.path)
    for damage in (lambda path: path.write_bytes(b"\xff"), Path.unlink):
        damage(tmp_path / "keys.json")
        with pytest.raises(SettingsError, match=r"keys\.json cannot be read: .*sukkal key create"):
            keys.reload()
        assert identify(keys, text).user == key.id


def test_a_service_does_not_start_with_a_file_that_is_wrong() -> None:
    with pytest.raises(SettingsError):
        Keys(lambda: "{}", FakeClock(), path="keys.json")


def test_the_cost_of_a_key_does_not_grow_with_their_number() -> None:
    made = [_drawn(number) for number in range(300)]
    last, text = made[-1]
    many = Keys(Shelf(*(key for key, _ in made)).read, FakeClock(), path="keys.json")
    one = Keys(Shelf(last).read, FakeClock(), path="keys.json")
    identify_now(many, text)  # The first call of all fills caches of the interpreter.
    assert _calls_of(lambda: identify_now(many, text)) == _calls_of(lambda: identify_now(one, text))


def _drawn(number: int) -> tuple[Key, str]:
    return create_key(
        project="p",
        name="",
        roles=[],
        expires=None,
        now_ms=START_MS,
        draw=lambda count: number.to_bytes(2, "big") * (count // 2) + b"\0" * (count % 2),
    )


def identify_now(keys: Keys, token: str) -> None:
    """Run ``identify``, which never waits, without a loop."""
    with pytest.raises(StopIteration):
        keys.identify(token).send(None)


def _calls_of(act: Callable[[], None]) -> int:
    counted = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return counted


# -- the file's text ----------------------------------------------------------------------------------------------


def test_what_is_written_can_be_read_again() -> None:
    made = [make(1)[0], make(2, expires_ms=START_MS + 1)[0], make(3, name="", roles=[])[0]]
    assert list(parse_keys(format_keys(made), path="f").values()) == made
    assert parse_keys(format_keys([]), path="f") == {}


def entry(**changes: Any) -> dict[str, Any]:
    """Return an entry as the file has it, with changes; ``None`` for absent where it may not be null."""
    found: dict[str, Any] = json.loads(format_keys([make()[0]]))[0]
    found |= changes
    return {name: value for name, value in found.items() if value is not ...}


WRONG: Final[list[tuple[Any, str]]] = [
    ({}, "is not a JSON list of keys"),
    (None, "is not a JSON list of keys"),
    ([[]], "Entry 1 of the key file f is wrong: Expected `object`, got `array`"),
    ([entry(), entry()], "Entry 2 of the key file f has the id 040g2081 of another"),
    ([entry(id="x")], "Entry 1 of the key file f is wrong: `id` is not the id of a key"),
    ([entry(id=...)], "missing required field `id`"),
    ([entry(project="")], "length >= 1 - at `$.project`"),
    ([entry(project="p" * 257)], "length <= 256 - at `$.project`"),
    ([entry(name="a\nb")], "take printable characters only"),
    ([entry(roles="member")], "Expected `array`, got `str` - at `$.roles`"),
    ([entry(roles=[""])], "length >= 1 - at `$.roles["),
    ([entry(secret_hash="0" * 63)], "at `$.secret_hash`"),
    ([entry(secret_hash="A" * 64)], "at `$.secret_hash`"),
    ([entry(created="2026-01-01")], "at `$.created`"),
    ([entry(expires="2026-01-01T00:00:00")], "at `$.expires`"),
    ([entry(expires=...)], "missing required field `expires`"),
    ([entry(revoked=True)], "unknown field `revoked`"),
]


@pytest.mark.parametrize(("value", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_wrong_file_is_refused_with_its_name_and_entry(value: Any, said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_keys(json.dumps(value), path="f")
    assert said in str(raised.value)
    assert "key file f" in str(raised.value)


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, "[" + "[" * 100_000 + "]"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"he key file f is (not a JSON list|wrong)|Entry 1 of the key file f"):
        parse_keys(text, path="f")


def test_too_many_keys_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEYS_MAX", 1)
    with pytest.raises(SettingsError, match="has 2 keys, 1 at most"):
        parse_keys(format_keys([make(1)[0], make(2)[0]]), path="f")


# -- making and showing keys --------------------------------------------------------------------------------------


def test_a_key_is_text_that_scanners_find_and_people_can_read_out() -> None:
    _, text = create_key(project="p", name="", roles=[], expires=None, now_ms=START_MS)
    head, new_id, secret = text.split("_")
    assert (head, len(new_id), len(secret)) == ("sukkal", 8, 52)
    assert set(new_id + secret) <= set("0123456789abcdefghjkmnpqrstvwxyz")


def test_all_of_256_bits_of_a_secret_count() -> None:
    drawn = iter([b"\0" * 5, b"\0" * 32, b"\0" * 5, b"\0" * 31 + b"\1"])
    options: dict[str, Any] = {"project": "p", "name": "", "roles": [], "expires": None, "now_ms": START_MS}
    one, _ = create_key(**options, draw=lambda count: next(drawn))
    two, _ = create_key(**options, draw=lambda count: next(drawn))
    assert one.secret_hash != two.secret_hash


def test_an_id_that_is_taken_is_not_given_again() -> None:
    taken = make(1)[0].id
    draws = iter([b"\1" * 5, b"\2" * 5, b"\3" * 32])
    key, _ = create_key(
        project="p", name="", roles=[], expires=None, now_ms=START_MS, taken={taken}, draw=lambda count: next(draws)
    )
    assert key.id == make(2)[0].id


@pytest.mark.parametrize("wrong", [{"project": ""}, {"name": "x" * 256}, {"roles": ["a\tb"]}])
def test_a_key_that_the_file_would_not_take_is_not_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="The new key is wrong"):
        make(**wrong)


def test_a_secret_is_neither_shown_nor_kept() -> None:
    key, text = make()
    parts = split_key(text)
    assert parts is not None
    assert parts.secret not in repr(parts) + repr(key) + format_keys([key])


def test_what_looks_like_a_key_is_blotted_out() -> None:
    _, text = make()
    shown = without_secrets(f"a {text}, b {text.upper()}; c='{text[:-1]}' sukkal_1 sukkal-data")
    assert shown == "a sukkal_..., b SUKKAL_...; c='sukkal_...' sukkal_1 sukkal-data"


def test_an_id_is_taken_alone_or_from_a_whole_key() -> None:
    key, text = make()
    assert key_id(text) == key_id(key.id) == key.id
    assert key_id("nothing") is key_id(text[:-1]) is None


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key, text = make()
    keys = Keys(Shelf(key).read, FakeClock(), path="keys.json")
    identify(keys, text)
    refused(keys, text[:-1])
    keys.reload()
    assert [record for record in caplog.records if record.name != "asyncio"] == []
