"""Reading encryption keys: what is accepted, and that a refusal shows no key."""

import base64
from typing import Final

import pytest

from sukkal.errors import SettingsError
from sukkal.service.encryption import read_keys

GOOD: Final = base64.b64encode(bytes(range(32))).decode()
SHORT: Final = base64.b64encode(b"secret of 16 byt").decode()


def test_keys_come_from_the_setting_and_then_from_the_file() -> None:
    text = f"\n# a comment\nk3 {GOOD}\n  k4:{GOOD}  \n"
    assert list(read_keys(f"k1:{GOOD}, k2:{GOOD}", text, path="f")) == ["k1", "k2", "k3", "k4"]
    assert read_keys(f"k1:{GOOD}", "", path="")["k1"] == bytes(range(32))
    assert read_keys("", "", path="") == {}


@pytest.mark.parametrize("given", [f"k1:{SHORT}", "k1", f":{GOOD}", f"{'x' * 65}:{GOOD}", f"k1:{GOOD}!", "k1:", GOOD])
def test_a_wrong_key_is_refused_and_not_shown(given: str) -> None:
    for setting, text, place in ((given, "", "encryption_keys"), ("", f"{given}\n", "keys.txt")):
        with pytest.raises(SettingsError, match=place) as refused:
            read_keys(setting, text, path="keys.txt")
        assert "openssl rand -base64 32" in str(refused.value)
        assert SHORT not in str(refused.value)
        assert GOOD not in str(refused.value)


def test_two_keys_of_one_id_are_refused() -> None:
    with pytest.raises(SettingsError, match="'k1'"):
        read_keys(f"k1:{GOOD}", f"k1 {GOOD}", path="f")
