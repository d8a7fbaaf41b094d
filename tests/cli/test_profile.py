"""Where a command finds the service, and who it says it is."""

from pathlib import Path

import pytest

from sukkal.cli import profile
from sukkal.errors import SettingsError

FILE = 'url = "http://file:1"\nproject = "of-file"\ntoken = "token-of-file"\n'


def found(flags: dict[str, str], environ: dict[str, str], file: str | None = None) -> dict[str, str]:
    def read_file(path: str) -> str:
        if file is None or path != "/home-of-tests/.config/sukkal/client.toml":
            raise FileNotFoundError(2, "No such file or directory", path)
        return file

    told = profile.environment(flags, {"HOME": "/home-of-tests", **environ}, read_file)
    return {name: value for name, value in told.items() if name != "HOME"}


def test_without_anything_the_service_is_the_local_one() -> None:
    assert profile.url(found({}, {})) == "http://127.0.0.1:8888"


def test_the_file_stands_beneath_the_environment_and_that_beneath_the_flags() -> None:
    assert found({}, {}, FILE) == {
        "SUKKAL_URL": "http://file:1",
        "SUKKAL_PROJECT": "of-file",
        "SUKKAL_TOKEN": "token-of-file",
    }
    assert found({}, {"SUKKAL_URL": "http://env:1"}, FILE)["SUKKAL_URL"] == "http://env:1"
    flags = {"url": "http://flag:1", "project": "of-flag"}
    told = found(flags, {"SUKKAL_URL": "http://env:1", "SUKKAL_PROJECT": "of-env"}, FILE)
    assert (told["SUKKAL_URL"], told["SUKKAL_PROJECT"]) == ("http://flag:1", "of-flag")


@pytest.mark.parametrize("environ", [{"SUKKAL_TOKEN": "mine"}, {"OS_AUTH_URL": "http://keystone", "OS_PASSWORD": "x"}])
def test_who_is_named_by_the_environment_is_not_mixed_with_whom_the_file_names(environ: dict[str, str]) -> None:
    assert found({}, environ, FILE) == {"SUKKAL_URL": "http://file:1", **environ}


def test_a_project_is_one_of_keystone_where_that_is_asked() -> None:
    told = found({"project": "p"}, {"OS_AUTH_URL": "http://keystone", "OS_PROJECT_ID": "1", "OS_PROJECT_NAME": "o"})
    assert told["OS_PROJECT_NAME"] == "p"
    assert "OS_PROJECT_ID" not in told


def test_the_file_may_name_a_user_of_keystone() -> None:
    assert found({}, {}, 'os_auth_url = "http://keystone"\nos_username = "ada"\n') == {
        "OS_AUTH_URL": "http://keystone",
        "OS_USERNAME": "ada",
    }


@pytest.mark.parametrize(("file", "words"), [("x", "TOML"), ("color = 'red'", "color"), ("url = 1", "url")])
def test_a_file_that_is_not_understood_is_an_error(file: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        found({}, {}, file)


def test_a_file_that_is_named_must_be_there() -> None:
    with pytest.raises(SettingsError, match="SUKKAL_CLIENT_CONFIG"):
        found({}, {"SUKKAL_CLIENT_CONFIG": "/nowhere.toml"})


def test_a_real_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(FILE)
    told = profile.environment({}, {"SUKKAL_CLIENT_CONFIG": str(path)}, lambda name: Path(name).read_text())
    assert told["SUKKAL_PROJECT"] == "of-file"
